"""The engines compute the same on every preset, and "fast" the same bits whatever surrounds a step."""

import numpy as np
import pytest
from numba import config

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample, gradcheck
from jitcnn.presets import PRESETS
from tests.swish import Swish

RNG = np.random.default_rng(4)
DIGITS, LABELS = RNG.integers(0, 256, (330, 28, 28, 1)).astype(np.uint8), RNG.integers(0, 10, 330)
IMAGES, KINDS = RNG.normal(size=(70, 11, 10, 2)).astype(np.float32), RNG.integers(0, 3, 70)


def mixed(**settings):
    """A network with about everything that layers can do."""
    layers = [
        Conv2d(5, (2, 3), padding="edge", activation="relu"),
        Pool2d(3, stride=2, padding=1, kind="average"),
        Conv2d(4, 3, stride=2, padding=((1, 0), (2, 1)), activation="relu"),
        Upsample((2, 1)),
        Dropout(0.2),
        Conv2d(6, (3, 2), stride=(2, 1), padding=1, activation="tanh", use_bias=False),
        Pool2d(2, stride=1, kind="max"),
        Conv2d(3, 1, activation="sigmoid"),
        Pool2d((2, 1), stride=1, padding="edge", kind="min"),
        Flatten(),
        Dense(9, activation="relu"),
        Dropout(0.1),
        Dense(3, activation="softmax"),
    ]
    model = CNN(layers, seed=6, normalize="per-image", **settings)
    model.compile("adam", 0.01)
    return model


def preset(name):
    return lambda **settings: PRESETS[name].build(seed=3, **settings)


NETWORKS = {name: (preset(name), DIGITS, LABELS) for name in PRESETS} | {"mixed": (mixed, IMAGES, KINDS)}
each_network = pytest.mark.parametrize(("build", "x", "y"), NETWORKS.values(), ids=NETWORKS)
#: In float64 each network needs kernels of its own; --full takes them all.
two_networks = pytest.mark.parametrize(
    ("build", "x", "y"),
    [pytest.param(*of, id=name, marks=[pytest.mark.slow] * (name not in ("conv-pool", "mixed"))) for name, of in NETWORKS.items()],
)


def trained(build, x, y, steps, batch_size, **settings):
    """The model after some steps."""
    model = build(**settings)
    images = steps * batch_size
    model.train(np.resize(x, (images, *x.shape[1:])), np.resize(y, images), epochs=1, batch_size=batch_size, progress=False)
    return model


def compare(found, expected, limit):
    for name, array in expected.parameters.items():
        assert np.abs(found.parameters[name] - array).max() <= limit, name


@two_networks
def test_loops_and_fast_after_ten_steps(build, x, y):
    expected, found = (trained(build, x, y, 10, 32, engine=engine, dtype="float64") for engine in ("loops", "fast"))
    compare(found, expected, 1e-8)
    assert found.history["loss"][0] == pytest.approx(expected.history["loss"][0], rel=1e-9)


@two_networks
def test_python_and_fast_after_two_steps(build, x, y):
    expected, found = (trained(build, x, y, 2, 4, engine=engine, dtype="float64") for engine in ("python", "fast"))
    compare(found, expected, 1e-8)


@each_network
def test_gradients_of_the_first_step_in_float32(build, x, y):
    expected, found = trained(build, x, y, 1, 32, engine="loops", dtype="float64"), trained(build, x, y, 1, 32)
    for name, parameter in expected.graph.parameters.items():
        difference = np.abs(found.graph.parameters[name].gradient - parameter.gradient).max()
        assert np.abs(parameter.gradient).max() > 0 and difference <= 1e-4 * np.abs(parameter.gradient).max(), name


@each_network
def test_same_seed_same_bits_on_one_and_two_threads(build, x, y):
    most = min(2, config.NUMBA_NUM_THREADS)
    models = []
    for threads in (1, most, most):
        model = build(threads=threads)
        model.train(x[:70], y[:70], epochs=2, batch_size=32, validation=(x[:5], y[:5]), progress=False)
        models.append(model)
    first, *others = models
    for model in others:
        assert all(array.tobytes() == model.parameters[name].tobytes() for name, array in first.parameters.items())
        assert model.history["loss"] == first.history["loss"] and model.history["val_loss"] == first.history["val_loss"]


@each_network
def test_a_prediction_has_the_same_bits_at_any_batch_size_and_place(build, x, y):
    model = build()
    p = model.predict(x[:70])
    for images in ([0], [69], [5, 6, 7], range(30, 63), range(70, 0, -3)):
        images = [n % 70 for n in images]
        assert model.predict(x[images]).tobytes() == p[images].tobytes()
    assert model.predict(x[8]).tobytes() == p[8].tobytes()


# Weights from outside


def written(model):
    """Write other weights into a model."""
    for number, array in enumerate(model.parameters.values()):
        array[...] = np.random.default_rng(number).normal(0, 0.2, array.shape)


def on(engine):
    """An unpadded and a padded convolution: the gradients through them use turned weights, or some arranged otherwise."""
    layers = [Conv2d(2, padding=1), Conv2d(3, activation="relu"), Conv2d(4, stride=2), Flatten(), Dense(3, activation="softmax")]
    model = CNN(layers, seed=1, dtype="float64", engine=engine)
    model.compile("sgd", 0.1)
    return model


class Rewrite:
    def on_epoch_end(self, model, epoch, logs):
        written(model)


def at_once(model):
    """Write weights between calls of every kind, and after an epoch; what comes out."""
    results = []
    settings = {"batch_size": 16, "shuffle": False, "progress": False}
    model.predict(IMAGES)
    written(model)
    results.append(model.predict(IMAGES))
    for array in model.parameters.values():
        array *= 0.5
    results.append(model.evaluate(IMAGES, KINDS)["loss"])
    model.train(IMAGES, KINDS, epochs=1, **settings)
    written(model)
    model.train(IMAGES, KINDS, epochs=1, **settings)
    results.append(model.predict(IMAGES))
    model.train(IMAGES, KINDS, epochs=3, validation=(IMAGES[:9], KINDS[:9]), callbacks=[Rewrite()], **settings)
    return results + [array.copy() for array in model.parameters.values()] + model.history["loss"] + model.history["val_loss"][2:]


def test_weights_written_from_outside_count_at_once():
    for found, expected in zip(at_once(on("fast")), at_once(on("loops")), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


# A layer of one's own


def with_swish(**settings):
    """Swish between padded convolutions, behind relu, and as the first and last thing with parameters."""
    layers = [Swish(), Conv2d(3, padding=1), Swish(), Conv2d(4, padding="edge", activation="relu"), Swish(), Pool2d(), Flatten()]
    model = CNN([*layers, Dense(3), Swish()], seed=2, **settings)
    model.compile("momentum", 0.01, loss="mse")
    return model


def test_a_layer_of_ones_own():
    python, loops, fast = (trained(with_swish, IMAGES, KINDS, 3, 4, engine=e, dtype="float64") for e in ("python", "loops", "fast"))
    compare(loops, python, 1e-9)
    compare(fast, python, 1e-9)
    loops, fast = (trained(with_swish, IMAGES, KINDS, 10, 32, engine=engine, dtype="float64") for engine in ("loops", "fast"))
    compare(fast, loops, 1e-8)
    assert not np.allclose(fast.parameters["swish2/beta"], 1)
    assert fast.predict(IMAGES[3:4]).tobytes() == fast.predict(IMAGES)[3:4].tobytes()


# Gradients of the default engine, which is "fast"


@pytest.mark.parametrize(
    "layer",
    [
        Conv2d(3, activation="relu"),
        Conv2d(2, (2, 3), stride=(2, 1), padding=1, activation="sigmoid"),
        Conv2d(9, 2, stride=3, padding="edge", activation="softmax"),
        Conv2d(4, 1, use_bias=False, stride=2),
        Pool2d(),
        Pool2d(3, stride=1, padding="same", kind="min"),
        Pool2d(3, stride=2, padding="edge", kind="average"),
        Dense(5, activation="tanh"),
        Dropout(0.4),
        Upsample((2, 3)),
        Activation("relu"),
        Activation("softmax"),
        Flatten(),
        Swish(),
    ],
    ids=repr,
)
def test_gradients_of_layers(layer):
    x = np.random.default_rng(0).standard_normal((3, 7) if isinstance(layer, Dense) else (3, 6, 5, 2))
    result = gradcheck(layer, x, limit=60)
    assert result.ok, result


@pytest.mark.parametrize(("last", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "cross_entropy"), ("tanh", "mse")])
def test_gradients_of_losses(last, loss):
    layers = [*mixed().layers[:-1], Dense(3, activation=last)]
    model = CNN([type(layer)(**layer.describe()) for layer in layers], seed=1, normalize="per-image")
    model.compile(loss=loss, metrics=())
    result = gradcheck(model, IMAGES[:3], KINDS[:3], limit=25)
    assert result.ok, result
