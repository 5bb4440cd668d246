"""Clipped gradients, smoothed labels, weights of samples and classes, top-k accuracy: compared with NumPy, in every engine."""

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, Conv2d, Dense, Flatten, load
from jitcnn.layers import Layer
from tests.interruption import Interrupt

RNG = np.random.default_rng(5)
ENGINES = ("python", "loops", "fast")
X, Y = RNG.normal(size=(24, 5)), RNG.integers(0, 4, 24)
WEIGHTS = RNG.uniform(0, 3, 24)
each_engine = pytest.mark.parametrize("engine", ENGINES)


def net(engine, last="softmax", units=4, seed=1, dtype="float64", **settings):
    model = CNN([Dense(6, activation="tanh", input_shape=5), Dense(units, activation=last)], seed=seed, dtype=dtype, engine=engine)
    model.compile(**{"optimizer": SGD(0.5)} | settings)
    return model


def log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


class ByHand:
    """The same network in NumPy."""

    def __init__(self, model):
        self.w1, self.b1, self.w2, self.b2 = (array.copy() for array in model.parameters.values())

    def gradients(self, x, t, weights):
        """Of the sum of weight * cross-entropy against shares of classes `t` over the number of samples."""
        h = np.tanh(x @ self.w1 + self.b1)
        p = np.exp(log_softmax(h @ self.w2 + self.b2))
        grad = weights[:, None] * (p * t.sum(axis=1, keepdims=True) - t) / len(x)
        grad_h = grad @ self.w2.T * (1 - h * h)
        return [x.T @ grad_h, grad_h.sum(axis=0), h.T @ grad, grad.sum(axis=0)]

    def losses(self, x, t):
        return -(t * log_softmax(np.tanh(x @ self.w1 + self.b1) @ self.w2 + self.b2)).sum(axis=1)

    def move(self, gradients, rate=0.5):
        for array, gradient in zip((self.w1, self.b1, self.w2, self.b2), gradients, strict=True):
            array -= rate * gradient


def one_hot(y, smoothing=0.0, classes=4):
    return (1 - smoothing) * np.eye(classes)[y] + smoothing / classes


def agree(model, hand):
    for array, expected in zip(model.parameters.values(), (hand.w1, hand.b1, hand.w2, hand.b2), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-12)


@each_engine
@pytest.mark.parametrize("limit", [0.05, 0.4])
def test_clip_norm_is_pytorchs_step_by_step(engine, limit):
    """clip_grad_norm_: all gradients times min(1, limit / (norm of all + 1e-6)); the smaller limit clips every step, the larger some."""
    model, clipped = net(engine, clip_norm=limit), 0
    hand = ByHand(model)
    for step in range(4):
        part = slice(6 * step, 6 * step + 6)
        model.train(X[part], Y[part], epochs=1, batch_size=6, shuffle=False, progress=False)
        gradients = hand.gradients(X[part], one_hot(Y[part]), np.ones(6))
        norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
        clipped += norm > limit
        hand.move([gradient * min(1, limit / (norm + 1e-6)) for gradient in gradients])
        agree(model, hand)
    assert clipped == 4 or (limit == 0.4 and 0 < clipped < 4)


def test_clip_norm_comes_before_the_optimizer_and_its_weight_decay():
    model, plain = net("python", clip_norm=1e-3, optimizer=SGD(0.5, weight_decay=0.1)), net("python")
    before = {name: array.copy() for name, array in model.parameters.items()}
    model.train(X, Y, epochs=1, batch_size=24, progress=False)
    plain.train(X, Y, epochs=1, batch_size=24, progress=False)
    moves = {name: before[name] - array for name, array in plain.parameters.items()}
    norm = np.sqrt(sum((move**2).sum() for move in moves.values()))
    for name, array in model.parameters.items():
        expected = before[name] - 0.5 * 1e-3 * moves[name] / norm - 0.5 * 0.1 * before[name]
        np.testing.assert_allclose(array, expected, rtol=1e-3, atol=1e-7)


class Twice(Layer):
    """A layer of one's own with a parameter, whose gradient is written between two segments."""

    def build(self, input_shape):
        self.factor = self.parameter("factor", (1,), lambda shape: np.full(shape, 2.0))
        return input_shape

    def forward(self, step, x):
        y = step.buffer(x.shape)
        step.call(lambda x, f, y: np.multiply(x, f, out=y), x, self.factor, y)

        def backward(grad_y):
            grad_x, grad_f = step.gradient_buffer(x), step.gradient(self.factor)
            step.call(lambda g, f, grad: np.multiply(g, f, out=grad), grad_y, self.factor, grad_x)
            step.call(lambda g, x, grad: grad.fill((g * x).sum()), grad_y, x, grad_f)
            return grad_x

        return y, backward


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_clip_norm_with_convolutions_and_a_layer_of_ones_own(place, threads):
    x, y = RNG.normal(size=(40, 6, 6, 1)), np.arange(40) % 3
    digests, models = set(), []
    for engine in ("python", "fast"):
        layers = [Conv2d(3, activation="relu"), Flatten(), Dense(3, activation="softmax")]
        layers.insert(place, Twice())
        model = CNN(layers, seed=2, engine=engine, dtype="float64", threads=threads)
        model.compile("adam", 0.05, clip_norm=0.1)
        model.train(x, y, epochs=2, batch_size=16, progress=False)
        models.append(model)
        digests.add(model.digest())
    for name, array in models[0].parameters.items():
        np.testing.assert_allclose(models[1].parameters[name], array, rtol=1e-7, atol=1e-9)


@each_engine
def test_label_smoothing_is_the_formula(engine):
    model = net(engine, label_smoothing=0.2)
    hand = ByHand(model)
    assert model.evaluate(X, Y)["loss"] == pytest.approx(hand.losses(X, one_hot(Y, 0.2)).mean(), rel=1e-12)
    history = model.train(X, Y, epochs=1, batch_size=24, validation=(X[:5], Y[:5]), progress=False)
    assert history["loss"][0] == pytest.approx(hand.losses(X, one_hot(Y, 0.2)).mean(), rel=1e-12)
    hand.move(hand.gradients(X, one_hot(Y, 0.2), np.ones(24)))
    agree(model, hand)
    assert history["val_loss"][0] == pytest.approx(hand.losses(X[:5], one_hot(Y[:5], 0.2)).mean(), rel=1e-9)


@each_engine
def test_mixed_labels_are_smoothed_too(engine):
    """Both are linear: what mixup does to smoothed labels is what smoothing does to mixed ones."""
    x = RNG.normal(size=(24, 4, 4, 1))
    losses = []
    for smoothing in (0.0, 0.3, 0.6):
        model = CNN([Flatten(), Dense(4, activation="softmax")], seed=1, engine=engine, dtype="float64")
        model.compile("sgd", label_smoothing=smoothing)
        losses.append(model.train(x, Y, epochs=1, batch_size=24, augment={"mixup": 0.5}, progress=False)["loss"][0])
    assert abs(losses[1] - losses[0]) > 1e-3
    assert losses[2] - losses[0] == pytest.approx(2 * (losses[1] - losses[0]), rel=1e-9)


@each_engine
def test_sample_weights_divide_by_the_number_of_samples(engine):
    """As Keras: the sum of weight * loss over the samples of the batch."""
    model = net(engine, metrics=("accuracy",))
    hand = ByHand(model)
    weighted = WEIGHTS * hand.losses(X, one_hot(Y))
    measured = model.evaluate(X, Y, sample_weight=WEIGHTS)
    assert measured["loss"] == pytest.approx(weighted.mean(), rel=1e-12)
    assert measured["accuracy"] == model.evaluate(X, Y)["accuracy"]
    for part in (slice(0, 16), slice(16, 24)):
        hand.move(hand.gradients(X[part], one_hot(Y[part]), WEIGHTS[part]))
    history = model.train(X, Y, sample_weight=WEIGHTS, epochs=1, batch_size=16, shuffle=False, validation=(X, Y, WEIGHTS), progress=False)
    agree(model, hand)
    assert history["val_loss"][0] == pytest.approx((WEIGHTS * hand.losses(X, one_hot(Y))).mean(), rel=1e-9)


@each_engine
@pytest.mark.parametrize(("last", "units", "loss"), [("sigmoid", 4, "cross_entropy"), (None, 4, "mse"), ("sigmoid", 1, "cross_entropy")])
def test_sample_weights_of_other_losses(engine, last, units, loss):
    """Weights 2 and 1 are the same as a sample twice and once, but for the number that the mean divides by."""
    labels, weights = (Y % 2 if units == 1 else Y), np.where(np.arange(24) % 3 == 0, 2.0, 1.0)
    repeated = np.repeat(np.arange(24), weights.astype(int))
    model, twin = (net(engine, last, units, loss=loss, metrics=()) for _ in range(2))
    twin.compile(SGD(0.5 * len(repeated) / 24), loss=loss, metrics=())
    model.train(X, labels, sample_weight=weights, epochs=1, batch_size=32, progress=False)
    twin.train(X[repeated], labels[repeated], epochs=1, batch_size=64, progress=False)
    for name, array in twin.parameters.items():
        np.testing.assert_allclose(model.parameters[name], array, rtol=1e-9, atol=1e-12)


@each_engine
def test_a_weight_of_zero_is_a_sample_less(engine):
    kept = WEIGHTS > 1
    model, twin = net(engine), net(engine, optimizer=SGD(0.5 * kept.sum() / 24))
    model.train(X, Y, sample_weight=kept, epochs=1, batch_size=32, progress=False)
    twin.train(X[kept], Y[kept], epochs=1, batch_size=32, progress=False)
    for name, array in twin.parameters.items():
        np.testing.assert_allclose(model.parameters[name], array, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("balanced", None),
        ([1, 2, 0, 0.5], [1, 2, 0, 0.5]),
        ({1: 3}, [1, 3, 1, 1]),
        ({"b": 3, 3: 0.5}, [1, 3, 1, 0.5]),
    ],
)
def test_class_weights(given, expected):
    y = np.repeat([0, 1, 3], [12, 8, 4])
    if expected is None:
        expected = [24 / (3 * 12), 24 / (3 * 8), 0, 24 / (3 * 4)]
    model, twin = net("python"), net("python")
    model.classes = ["a", "b", "c", "d"]
    assert model.evaluate(X, y, class_weights=given)["loss"] == model.evaluate(X, y, sample_weight=np.array(expected)[y])["loss"]
    model.train(X, y, class_weights=given, sample_weight=WEIGHTS, epochs=2, progress=False)
    twin.train(X, y, sample_weight=WEIGHTS * np.array(expected)[y], epochs=2, progress=False)
    assert model.digest() == twin.digest()


def test_class_weights_count_what_is_trained_on_and_leave_validation_alone():
    y = np.repeat([0, 1], [20, 4])
    model = net("python", units=2)
    losses = ByHand(model).losses(X, one_hot(y, classes=2))
    history = model.train(X, y, class_weights="balanced", validation=0.25, epochs=1, batch_size=24, progress=False)
    _, held_out = model._split(0.25, y, 24)
    kept = np.setdiff1d(np.arange(24), held_out)
    counts = np.bincount(y[kept])
    assert history["loss"][0] == pytest.approx((losses[kept] * (len(kept) / (2 * counts))[y[kept]]).mean(), rel=1e-12)
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X[held_out], y[held_out])["loss"], rel=1e-12)


@each_engine
def test_top_k_accuracy(engine):
    model = net(engine, metrics=("top3", "accuracy", "top2"))
    order = np.argsort(-model.predict(X), axis=1)
    expected = {name: np.mean((order[:, :k] == Y[:, None]).any(axis=1)) for name, k in (("accuracy", 1), ("top2", 2), ("top3", 3))}
    measured = model.evaluate(X, Y)
    assert list(measured) == ["loss", "accuracy", "top2", "top3"]
    assert {name: measured[name] for name in expected} == pytest.approx(expected)
    assert expected["accuracy"] < expected["top2"] < expected["top3"] < 1
    history = model.train(X, Y, epochs=1, validation=(X, Y), progress=False)
    assert list(history) == ["loss", "accuracy", "top2", "top3", "val_loss", "val_accuracy", "val_top2", "val_top3", "rate", "seconds"]
    assert history["val_top3"][0] == model.evaluate(X, Y)["top3"]


def test_top_k_of_squares_against_one_hot_rows():
    model = net("python", None, loss="mse", metrics=("accuracy", "top2"))
    order = np.argsort(-model.predict(X), axis=1)
    assert model.evaluate(X, Y)["top2"] == np.mean((order[:, :2] == Y[:, None]).any(axis=1))


def test_float32_agrees_between_engines_and_on_any_threads():
    models = []
    for engine, threads in (("loops", 1), ("fast", 1), ("fast", 2)):
        model = net(engine, dtype="float32", optimizer=Adam(0.01), label_smoothing=0.1, clip_norm=0.05, metrics=("accuracy", "top2"))
        model.threads = threads
        model.train(np.tile(X, (5, 1)), np.tile(Y, 5), class_weights="balanced", epochs=3, batch_size=32, progress=False)
        models.append(model)
    assert models[1].digest() == models[2].digest() and models[1].history["loss"] == models[2].history["loss"]
    for name, array in models[0].parameters.items():
        np.testing.assert_allclose(models[1].parameters[name], array, atol=1e-4)


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_a_file_keeps_them(tmp_path, suffix):
    model = net("python", label_smoothing=0.1, clip_norm=2.5, metrics=("accuracy", "top3"))
    model.save(tmp_path / f"model.{suffix}")
    again = load(tmp_path / f"model.{suffix}")
    assert (again.loss.label_smoothing, again.clip_norm, again.metrics) == (0.1, 2.5, ("accuracy", "top3"))
    assert again.describe() == model.describe()
    assert again.evaluate(X, Y)["loss"] == pytest.approx(model.evaluate(X, Y)["loss"])


def test_resumed_to_the_same_bits_and_only_with_the_same_options(tmp_path):
    options = {"label_smoothing": 0.1, "clip_norm": 0.1, "metrics": ("accuracy", "top2")}
    how = {"epochs": 4, "batch_size": 8, "sample_weight": WEIGHTS, "class_weights": {2: 5}, "progress": False}
    whole = net("fast", **options)
    whole.train(X, Y, **how)
    with pytest.raises(KeyboardInterrupt):
        net("fast", **options).train(X, Y, **how, checkpoint=tmp_path, callbacks=[Interrupt(2)])
    model = net("fast", **options)
    model.train(X, Y, **how, checkpoint=tmp_path, callbacks=[Interrupt()], resume=True)
    assert model.digest() == whole.digest() and model.history["top2"] == whole.history["top2"]
    for changed, message in [
        ({"label_smoothing": 0.2}, "label smoothing was 0.1 in that run, and is 0.2 now"),
        ({"clip_norm": None}, "clip norm was 0.1 in that run, and is None now"),
        ({"metrics": ()}, "metrics was"),
    ]:
        with pytest.raises(ValueError, match=message):
            net("fast", **options | changed).train(X, Y, **how, checkpoint=tmp_path, resume=True)
    with pytest.raises(ValueError, match="weights was"):
        net("fast", **options).train(X, Y, **how | {"class_weights": None}, checkpoint=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: net("python", clip_norm=0), "clip_norm is 0, expected a finite number above 0"),
        (lambda: net("python", clip_norm=np.inf), "clip_norm is inf, expected a finite number above 0"),
        (lambda: net("python", clip_norm="1"), "clip_norm is '1', expected a number"),
        (lambda: net("python", label_smoothing=1), "label_smoothing is 1, expected a number from 0 up to, not including, 1"),
        (lambda: net("python", None, loss="mse", label_smoothing=0.1), "label_smoothing is 0.1, for loss 'cross_entropy' only"),
        (lambda: net("python", "sigmoid", label_smoothing=0.1), "for a last softmax, and the last activation is 'sigmoid'"),
        (lambda: net("python", metrics=["top0"]), "metrics holds 'top0', expected some of 'accuracy', 'top2'"),
        (lambda: net("python", metrics=["top4"]), "metrics holds 'top4', which is always 1 for 4 outputs"),
        (lambda: net("python", "sigmoid", metrics=["top2"]), "metrics holds 'top2', which takes one of several classes"),
        (lambda: net("python").train(X, Y, epochs=1, class_weights="equal"), "class_weights is 'equal', expected 'balanced', 4 numbers"),
        (lambda: net("python").train(X, Y, epochs=1, class_weights=[1, 2]), r"class_weights is \(2,\), expected 'balanced', 4 numbers"),
        (lambda: net("python").train(X, Y, epochs=1, class_weights={4: 1}), "class_weights has the class 4, expected 0 to 3"),
        (lambda: net("python").train(X, Y, epochs=1, class_weights={1: -1}), r"class_weights\[1\] is -1, expected a finite number of at"),
        (lambda: net("python", None, loss="mse", metrics=()).evaluate(X, X[:, 1:], class_weights="balanced"), "class_weights is for"),
        (lambda: net("python").train(X, Y, epochs=1, sample_weight=[1, 2]), r"sample_weight is int64 of shape \(2,\), expected \(24,\)"),
        (lambda: net("python").train(X, Y, epochs=1, sample_weight=-WEIGHTS), "sample_weight has -[0-9.]+ at 0, expected numbers of"),
        (lambda: net("python").train(X, Y, epochs=1, sample_weight=WEIGHTS * 0), "sample_weight is 0 for every image"),
        (lambda: net("python").evaluate(X, Y, sample_weight=np.full(24, np.nan)), "sample_weight contains NaN in sample 0"),
        (lambda: net("python").train(X, Y, epochs=1, validation=(X, Y, [1])), r"validation sample_weight is int64 of shape \(1,\)"),
    ],
)  # fmt: skip
def test_faults(act, message):
    with pytest.raises(ValueError, match=message):
        act()
