"""`backpropagate` and `delta` against central differences in float64, layer by layer and through a stack."""

from types import SimpleNamespace

import numpy as np
import pytest

from jitcnn.blog import FFL, Conv2d, Dropout, Flatten, Pool2d, Upsample

ACTIVATIONS = [None, "relu", "sigmoid", "tanh", "softmax"]
STEP = 1e-6


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def central_differences(function, array):
    """The gradient of a function of an array that is changed in place."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + STEP
        above = function()
        array[index] = value - STEP
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * STEP)
    return gradient


def assert_close(computed, expected):
    assert np.shape(computed) == np.shape(expected)
    assert np.abs(computed - expected).max() <= 1e-6 * max(1, np.abs(expected).max())


LAYERS = {
    "max": lambda: Pool2d(),
    "overlapping max": lambda: Pool2d(kernel_size=(3, 3), stride=(2, 2)),
    "overlapping min": lambda: Pool2d(kernel_size=(3, 2), stride=1, kind="min"),
    "average": lambda: Pool2d(kind="average"),
    "overlapping average": lambda: Pool2d(kernel_size=(3, 3), stride=(1, 2), kind="average", padding="zero"),
    "flatten": lambda: Flatten(),
    "upsample": lambda: Upsample(kernel_size=(2, 3)),
    "one pixel of border": lambda: Conv2d(filters=2, kernel_size=(5, 3), padding="same"),
    "one pixel of zeros": lambda: Conv2d(filters=2, stride=(2, 1), activation="tanh"),
    **{f"convolution, {name}": lambda name=name: Conv2d(filters=2, padding=None, activation=name) for name in ACTIVATIONS},
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    layer, x = LAYERS[name](), numbers(6, 6, 2)
    delta = numbers(*layer.apply_activation(x).shape, seed=1)

    def function():
        return float((layer.apply_activation(x) * delta).sum())

    layer.backpropagate(SimpleNamespace(delta=delta))
    assert_close(layer.delta, central_differences(function, x))
    if layer.parameters:
        assert_close(layer.delta_weights, central_differences(function, layer.weights))
        assert_close(layer.delta_biases, central_differences(function, layer.biases))
        once = layer.delta_weights
        layer.backpropagate(SimpleNamespace(delta=delta))
        assert_close(layer.delta_weights, 2 * once)
        layer.zerograd()
        assert layer.delta_weights.shape == layer.weights.shape and not layer.delta_weights.any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_feedforward_layer(activation):
    layer, following, x = FFL(5, 4, activation=activation), FFL(4, 3), numbers(5)
    delta = numbers(3, seed=1)

    def function():
        return float((following.apply_activation(layer.apply_activation(x)) * delta).sum())

    function()
    following.delta = delta
    layer.backpropagate(following)
    assert layer.delta.shape == (4,)
    assert_close(np.dot(layer.weights, layer.delta), central_differences(function, x))
    assert_close(layer.delta_weights, central_differences(function, layer.weights))
    assert_close(layer.delta_biases, central_differences(function, layer.biases))


def test_dropout_passes_what_it_kept():
    layer, x = Dropout(0.5), np.ones((6, 6, 2))
    out = layer.apply_activation(x)
    layer.backpropagate(SimpleNamespace(delta=np.full(out.shape, 3.0)))
    np.testing.assert_array_equal(layer.delta, 3 * out)


def test_stack():
    layers = [Conv2d(filters=3, activation="relu"), Pool2d(), Flatten(), FFL(neurons=4, activation="tanh"), Dropout(0.3), FFL(neurons=2)]
    x, delta = numbers(6, 6, 2), numbers(2, seed=1)

    def function():
        y = x
        layers[4].steps[0] = 0  # the same numbers are dropped every time
        for layer in layers:
            y = layer.apply_activation(y)
        return float((y * delta).sum())

    function()
    layers[-1].take_error(delta)
    for layer, following in zip(layers[-2::-1], layers[:0:-1], strict=True):
        layer.backpropagate(following)
    assert_close(layers[0].delta, central_differences(function, x))
    for layer in layers:
        if layer.parameters:
            assert_close(layer.delta_weights, central_differences(function, layer.weights))
