"""Training: history, losses, batches, repeatability."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten
from jitcnn.engine import session
from jitcnn.training import extended
from tests.small_network import RNG, X, Y, net


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


def test_the_history_keeps_lists_of_one_length():
    history = extended({}, {"loss": 1.0, "seconds": 2.0})
    history = extended(history, {"loss": 0.5, "val_loss": 0.7, "seconds": 2.0})
    history = extended(history, {"loss": 0.4, "seconds": 2.0})
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
