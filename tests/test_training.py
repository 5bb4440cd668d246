"""Training: history, batches, validation, callbacks, interruption, repeatability."""

import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.engine import session
from jitcnn.training import append

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (50, 8, 8, 1)).astype(np.uint8)
Y = RNG.integers(0, 3, 50)


def net(engine="python", seed=1, last="softmax", units=3, loss="cross_entropy", **settings):
    layers = [Conv2d(3, activation="relu"), Pool2d(), Dropout(0.1), Flatten(), Dense(units, activation=last)]
    model = CNN(layers, seed=seed, normalize="per-image", engine=engine)
    model.compile(loss=loss, **settings)
    return model


def test_history():
    model = net()
    history = model.train(X, Y, epochs=2, progress=False)
    assert history is model.history
    assert list(history) == ["loss", "accuracy", "rate", "seconds"]
    assert history["rate"] == [model.optimizer.learning_rate] * 2
    assert all(len(values) == 2 for values in history.values())
    model.train(X, Y, epochs=1, validation=0.2, progress=False)
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy", "rate", "seconds"}
    assert history["val_loss"][:2] == [None, None]
    assert history["val_loss"][2] > 0
    assert model.epochs == 3
    assert all(0 <= value <= 1 for value in history["accuracy"])


def test_append_keeps_lists_of_one_length():
    history = {}
    append(history, {"loss": 1.0, "seconds": 2.0})
    append(history, {"loss": 0.5, "val_loss": 0.7, "seconds": 2.0})
    append(history, {"loss": 0.4, "seconds": 2.0})
    assert history == {"loss": [1.0, 0.5, 0.4], "seconds": [2.0] * 3, "val_loss": [None, 0.7, None]}


def test_it_learns():
    x = np.zeros((60, 6, 6, 1), np.float32)
    y = np.arange(60) % 3
    for n, label in enumerate(y):
        x[n, 2 * label : 2 * label + 2] = 1 + 0.1 * RNG.random((2, 6, 1))
    model = CNN([Conv2d(4, activation="relu"), Flatten(), Dense(3, activation="softmax")], seed=1, engine="python")
    model.compile("adam", 0.02)
    model.train(x, y, epochs=5, batch_size=8, progress=False)
    assert model.history["loss"][-1] < model.history["loss"][0] / 3
    assert model.evaluate(x, y)["accuracy"] == 1


def test_loss_and_accuracy_are_means_over_images():
    model = net()
    probabilities = model.predict(X)
    measured = model.evaluate(X, Y)
    assert measured["loss"] == pytest.approx(-np.log(probabilities[np.arange(50), Y]).mean(), rel=1e-5)
    assert measured["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == Y).mean())
    assert list(measured) == ["loss", "accuracy"]
    assert all(type(value) is float for value in measured.values())


@pytest.mark.parametrize(("last", "units"), [("sigmoid", 1), ("sigmoid", 3), (None, 3), ("tanh", 1)])
def test_other_losses_and_accuracies(last, units):
    y = Y % 2 if units == 1 else Y
    targets = y[:, None] if units == 1 else np.eye(3)[y]
    loss = "cross_entropy" if last == "sigmoid" else "mse"
    model = net(last=last, units=units, loss=loss)
    p = model.predict(X).astype(np.float64)
    if loss == "mse":
        expected = ((p - targets) ** 2).mean()
    else:
        expected = -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean()
    hits = (p.argmax(axis=1) == y) if last is None else ((p > 0.5) == (targets > 0.5)).all(axis=1)
    measured = model.evaluate(X, y)
    assert measured["loss"] == pytest.approx(expected, rel=1e-5)
    assert measured["accuracy"] == pytest.approx(hits.mean())
    model.train(X, y, epochs=1, progress=False)


def test_the_last_smaller_batch_counts_with_its_size():
    """Two steps, of 4 and of 3 images, equal two models trained on these images alone."""
    first, second, both = (
        CNN([Flatten(), Dense(3, activation="softmax")], seed=1, engine="python", normalize="per-image") for _ in range(3)
    )
    for model in (first, second, both):
        model.compile("sgd", 0.1)
    both.train(X[:7], Y[:7], epochs=1, batch_size=4, shuffle=False, progress=False)
    first.train(X[:4], Y[:4], epochs=1, batch_size=4, progress=False)
    second.predict(X[:1])
    for name, array in first.parameters.items():
        second.parameters[name][...] = array
    second.train(X[4:7], Y[4:7], epochs=1, batch_size=3, progress=False)
    for name, array in second.parameters.items():
        assert np.allclose(both.parameters[name], array, atol=1e-7)
    losses = (first.history["loss"][0], second.history["loss"][0])
    assert both.history["loss"][0] == pytest.approx((4 * losses[0] + 3 * losses[1]) / 7)
    assert both.steps[0] == 2


@pytest.mark.parametrize("engine", ["python", "loops", "fast"])
def test_same_seed_same_bits(engine):
    digests = []
    for _ in range(2):
        model = net(engine)
        model.train(X, Y, epochs=2, batch_size=16, validation=0.2, progress=False)
        digests.append((model.digest(), model.history["loss"], model.history["val_loss"]))
    assert digests[0] == digests[1]


@pytest.mark.parametrize("engine", ["loops", "fast"])
def test_same_bits_on_any_number_of_threads(engine):
    digests = set()
    for threads in (1, None):
        model = net(engine)
        model.threads = threads
        model.train(X, Y, epochs=1, progress=False)
        digests.add(model.digest())
    assert len(digests) == 1


def test_two_calls_equal_one():
    once, twice = net(), net()
    once.train(X, Y, epochs=3, progress=False)
    twice.train(X, Y, epochs=1, progress=False)
    twice.predict(X)
    twice.train(X, Y, epochs=2, progress=False)
    assert once.digest() == twice.digest()
    assert once.history["loss"] == twice.history["loss"]


def test_other_engines_and_batch_sizes_in_between():
    model = net()
    model.train(X, Y, epochs=1, progress=False)
    model.train(X, Y, epochs=1, batch_size=7, progress=False)
    model.engine = "loops"
    model.train(X.astype(np.float32), Y, epochs=1, batch_size=1000, progress=False)
    assert model.steps[0] == 2 + 8 + 1


def test_chunks_change_nothing(monkeypatch):
    digests = set()
    for seconds in (0.0, 0.04, 10.0):
        monkeypatch.setattr(session, "CHUNK_SECONDS", seconds)
        model = net()
        model.train(X, Y, epochs=2, batch_size=3, progress=False)
        digests.add(model.digest())
    assert len(digests) == 1


@pytest.mark.parametrize("engine", ["fast", "python"])
def test_how_many_images_are_measured_at_once_changes_no_bit(monkeypatch, engine):
    model, x = net(engine), np.resize(X, (300, 8, 8, 1))
    found = []
    for batch in (7, 32, 256):
        monkeypatch.setattr("jitcnn.passes.prediction_batch", lambda shapes, batch=batch: batch)
        found.append(model.evaluate(x, np.resize(Y, 300)))
    assert found[0] == found[1] == found[2]


@pytest.fixture
def passes(monkeypatch):
    """(training or not, the order of images) of every pass."""
    seen = []
    run_all = session.Session.run_all

    def spy(self, *arguments):
        seen.append((self.program.training, self.data.order.copy()))
        run_all(self, *arguments)

    monkeypatch.setattr(session.Session, "run_all", spy)
    return seen


def test_shuffling(passes):
    def orders(seed, epochs, shuffle):
        passes.clear()
        net(seed=seed).train(X, Y, epochs=epochs, shuffle=shuffle, progress=False)
        return [order for _, order in passes]

    first, second = orders(1, 2, True)
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)
    assert np.array_equal(orders(1, 1, True)[0], first)
    assert not np.array_equal(orders(2, 1, True)[0], first)
    assert np.array_equal(orders(1, 1, False)[0], np.arange(50))


def test_validation_share_is_disjoint_and_the_same_in_every_call(passes):
    model = net()
    model.train(X, Y, epochs=2, validation=0.2, progress=False)
    model.train(X, Y, epochs=1, validation=0.2, progress=False)
    trained = [order for training, order in passes if training]
    measured = [order for training, order in passes if not training]
    assert (len(trained), len(measured)) == (3, 3)
    held_out = measured[0]
    assert len(held_out) == 10
    assert all(np.array_equal(order, held_out) for order in measured)
    assert all(sorted([*order, *held_out]) == list(range(50)) for order in trained)
    shares = np.bincount(Y[held_out], minlength=3) / np.bincount(Y, minlength=3)
    assert np.allclose(shares, 0.2, atol=0.06)


def test_callbacks_may_use_the_model():
    class Busy:
        def on_epoch_end(self, model, epoch, logs):
            model.evaluate(X[:7], Y[:7])
            model.predict(X[:3])
            model.layers[0](X[:2])
            CNN([model.layers[0]], engine="python").parameters  # noqa: B018 (takes the layer's memory along)

    model, twin = net(), net()
    for each, callbacks in ((model, [Busy()]), (twin, [])):
        each.train(X, Y, epochs=3, validation=0.2, callbacks=callbacks, progress=False)
    assert model.history["val_loss"] == twin.history["val_loss"]
    assert model.digest() == twin.digest()


def test_validation_on_other_images():
    model = net()
    history = model.train(X[:30], Y[:30], epochs=1, validation=(X[30:].astype(np.float64), np.eye(3)[Y[30:]]), progress=False)
    measured = model.evaluate(X[30:], Y[30:])
    assert history["val_loss"][0] == pytest.approx(measured["loss"], rel=1e-5)
    assert history["val_accuracy"][0] == measured["accuracy"]


class Recorder:
    def __init__(self):
        self.calls = []

    def on_train_begin(self, model):
        self.calls.append("train")

    def on_epoch_begin(self, model, epoch):
        self.calls.append(epoch)

    def on_epoch_end(self, model, epoch, logs):
        self.calls.append((epoch, sorted(logs), len(model.history["loss"])))
        return epoch == 1

    def on_train_end(self, model):
        self.calls.append("end")


def test_callbacks():
    recorder = Recorder()
    model = net()
    model.train(X, Y, epochs=5, callbacks=[recorder], progress=False)
    names = ["accuracy", "loss", "rate", "seconds"]
    assert recorder.calls == ["train", 0, (0, names, 1), 1, (1, names, 2), "end"]
    model.train(X, Y, epochs=1, callbacks=recorder, progress=False)
    assert recorder.calls[-3:] == [2, (2, names, 3), "end"]
    with pytest.raises(ValueError, match="callbacks holds a int without any of the methods on_train_begin"):
        model.train(X, Y, epochs=1, callbacks=[3], progress=False)


def test_ctrl_c_leaves_a_usable_model():
    model, twin = net(), net()

    class Interrupt(Recorder):
        def on_epoch_begin(self, model, epoch):
            if epoch == 1:
                raise KeyboardInterrupt

    interrupt = Interrupt()
    with pytest.raises(KeyboardInterrupt):
        model.train(X, Y, epochs=3, callbacks=[interrupt], progress=False)
    assert interrupt.calls[-1] == "end"
    twin.train(X, Y, epochs=1, progress=False)
    assert model.digest() == twin.digest()
    assert len(model.history["loss"]) == 1
    model.train(X, Y, epochs=1, progress=False)
    twin.train(X, Y, epochs=1, progress=False)
    assert model.digest() == twin.digest()


def test_ctrl_c_within_an_epoch(monkeypatch):
    model = net()
    model.train(X, Y, epochs=1, batch_size=2, progress=False)
    calls = iter(range(100))

    def interrupted(first, steps, batch=None, run=None):
        if next(calls) == 1:
            raise KeyboardInterrupt
        run(first, steps, batch)

    for each in model._get_trainer().sessions.values():
        monkeypatch.setattr(each, "program", SimpleNamespace(
            run=lambda *arguments, run=each.program.run: interrupted(*arguments, run=run),
            bind=each.program.bind, prepare=each.program.prepare,
        ))  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        model.train(X, Y, epochs=1, batch_size=2, progress=False)
    assert len(model.history["loss"]) == 1
    assert model.evaluate(X, Y)["loss"] > 0
    model.train(X, Y, epochs=1, batch_size=2, progress=False)
    assert len(model.history["loss"]) == 2


def test_nobodys_data_are_kept():
    model = net()
    x = X.copy()
    model.train(x, Y, epochs=1, validation=0.2, progress=False)
    model.predict(x)
    sessions = [*model._get_trainer().sessions.values(), *(each.session for each in model._sessions.values())]
    assert all(array.size < x.size or not np.shares_memory(array, x) for each in sessions for array in vars(each.data).values())


def test_divergence_is_told():
    x = np.full((4, 2, 2, 1), 1e38, np.float32)
    model = CNN([Flatten(), Dense(2)], seed=1, engine="python")
    model.compile("sgd", 1e3, loss="mse", metrics=())
    with pytest.warns(RuntimeWarning, match="the loss became .* in epoch 1: lower learning_rate"):
        model.train(x, np.zeros((4, 2)), epochs=1, on_nan="ignore", progress=False)


def test_regression_without_accuracy():
    model = CNN([Flatten(), Dense(1)], seed=1, engine="python")
    model.compile("sgd", 1e-6, loss="mse", metrics=())
    assert list(model.train(X, Y * 0.5, epochs=1, progress=False)) == ["loss", "rate", "seconds"]
    assert list(model.evaluate(X, Y * 0.5)) == ["loss"]


def test_pictures_from_pictures():
    x = RNG.random((6, 4, 4, 1)).astype(np.float32)
    model = CNN([Conv2d(2, padding="same", activation="tanh"), Conv2d(1, padding="same")], seed=1, engine="python")
    model.compile("adam", 0.01, loss="mse", metrics=())
    history = model.train(x, x, epochs=20, progress=False)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda m: m.train(X, Y, epochs=0), "epochs is 0, expected at least 1"),
        (lambda m: m.train(X, Y, epochs=1, batch_size=0), "batch_size is 0, expected at least 1"),
        (lambda m: m.train(X, Y[:7], epochs=1), "x has 50 images and y has 7 labels"),
        (lambda m: m.train(X, Y, epochs=1, validation=1.5), "validation is 1.5, expected a share between 0 and 1"),
        (lambda m: m.train(X, Y, epochs=1, validation=True), "validation is True, expected a number"),
        (lambda m: m.train(X, Y, epochs=1, validation=0.001), "which leaves none to validate on"),
        (lambda m: m.train(X, Y, epochs=1, validation=(X,)), "validation has 1 entries, expected"),
        (lambda m: m.train(X, Y, epochs=1, validation=(X[..., 0], Y)), r"validation x is \(50, 8, 8\): add the channel axis"),
        (lambda m: m.train(X, Y, epochs=1, validation=(X, Y + 1)), "validation y has the label 3"),
        (lambda m: m.evaluate(X, Y + 1), "y has the label 3"),
        (lambda m: m.compile(loss="hinge"), "loss is 'hinge', expected one of 'cross_entropy', 'mse'"),
        (lambda m: m.compile(metrics=["recall"]), "metrics holds 'recall', expected some of 'accuracy', 'top2'"),
        (lambda m: CNN([Flatten()]).train(X, Y, epochs=1), r"train needs an optimizer and a loss: call model.compile\(\) first"),
        (lambda m: CNN().compile() or CNN().evaluate(X, Y), "evaluate needs an optimizer"),
    ],
)
def test_faults(act, message):
    with pytest.raises(ValueError, match=message):
        act(net())


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Flatten(), Dense(3, activation="relu")],
            "needs a last layer with activation 'softmax' .* or 'sigmoid' .* the last activation is 'relu'",
        ),
        ([Flatten(), Dense(3)], r"the last activation is None: end with Dense\(classes, activation='softmax'\)"),
        ([Dense(3, activation="softmax", input_shape=4), Dropout(0.1)], "the last activation is None"),
        ([Conv2d(3, activation="softmax", input_shape=(8, 8, 1))], r"the model's output is \(6, 6, 3\): end with Flatten\(\) and Dense"),
        ([Flatten(input_shape=(8, 8, 1)), Dense(1, activation="softmax")], "the softmax of a single output is always 1"),
    ],
)
def test_cross_entropy_needs_softmax_or_sigmoid(layers, message):
    with pytest.raises(ValueError, match=message):
        CNN(layers).compile(loss="cross_entropy")


def test_cross_entropy_is_checked_again_when_layers_came_later():
    model = CNN(engine="python")
    model.compile(loss="cross_entropy")
    model.add(Flatten())
    model.add(Dense(3))
    with pytest.raises(ValueError, match="needs a last layer with activation"):
        model.train(X, Y, epochs=1)


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net().train(X, Y, epochs=1, progress=False)


def test_in_another_thread():
    model, twin = net(), net()
    thread = threading.Thread(target=model.train, args=(X, Y), kwargs={"epochs": 1, "progress": False})
    thread.start()
    thread.join()
    twin.train(X, Y, epochs=1, progress=False)
    assert model.digest() == twin.digest()
