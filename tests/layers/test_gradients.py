"""Every layer, activation, loss, and their combinations against central differences in float64: relative error below 1e-6."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample, gradcheck
from jitcnn.layers.base import ACTIVATIONS

PADDINGS = [None, "zero", "edge", 1, (0, 1), ((0, 1), (1, 0))]


def images(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layer", [Conv2d, Dense, Activation])
def test_activations(layer, activation):
    if layer is Conv2d:
        result = gradcheck(Conv2d(3, padding="same", activation=activation), images(2, 4, 4, 2), engine="python")
    elif layer is Dense:
        result = gradcheck(Dense(4, activation=activation), images(3, 5), engine="python")
    else:
        result = gradcheck(Activation(activation), images(2, 3, 3, 4), engine="python")
    assert result.ok, result


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), ((2, 3), 1), (3, 2), (1, (1, 2)), (2, 3)])
def test_convolutions(kernel_size, stride, padding):
    result = gradcheck(Conv2d(2, kernel_size, stride=stride, padding=padding), images(2, 5, 4, 2), engine="python")
    assert result.ok, result


@pytest.mark.parametrize("kind", ["max", "min", "average"])
@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"), [(2, None, None), (3, 1, "same"), (3, 2, 1), ((2, 3), (1, 2), "edge"), (3, 2, "edge")]
)
def test_pooling(kind, kernel_size, stride, padding):
    result = gradcheck(Pool2d(kernel_size, stride=stride, padding=padding, kind=kind), images(2, 5, 6, 2), engine="python")
    assert result.ok, result


@pytest.mark.parametrize("layer", [Conv2d(2, use_bias=False), Dropout(0.4), Flatten(), Upsample(2), Upsample((1, 3))], ids=str)
def test_other_layers(layer):
    result = gradcheck(layer, images(2, 4, 3, 2), engine="python")
    assert result.ok, result


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softmax", "relu"])
def test_a_layer_under_an_activation_layer_keeps_what_its_own_gradient_needs(activation):
    model = CNN([Conv2d(2, activation="tanh"), Activation(activation), Pool2d(), Flatten(), Dense(2)], seed=1, engine="python")
    result = gradcheck(model, images(2, 6, 6, 1), engine="python")
    assert result.ok, result


LOSSES = [("softmax", "cross_entropy"), ("sigmoid", "cross_entropy"), *((activation, "mse") for activation in ACTIVATIONS)]


@pytest.mark.parametrize("as_layer", [False, True], ids=["in Dense", "as a layer"])
@pytest.mark.parametrize(("activation", "loss"), LOSSES)
def test_losses_with_last_activations(activation, loss, as_layer):
    last = [Dense(3), Activation(activation)] if as_layer else [Dense(3, activation=activation)]
    layers = [Conv2d(3, activation="relu", padding="edge"), Pool2d(), Conv2d(2, 2, activation="tanh"), Dropout(0.3), Flatten(), *last]
    model = CNN(layers, seed=2, normalize="per-image", dtype="float64", engine="python")
    model.compile(loss=loss, metrics=())
    result = gradcheck(model, images(3, 6, 6, 1), [0, 2, 1], engine="python", limit=25)
    assert result.ok, result


def test_loss_on_images():
    model = CNN([Conv2d(2, padding="same", activation="tanh"), Pool2d(), Upsample(), Conv2d(1, padding="same")], seed=1, engine="python")
    model.compile(loss="mse", metrics=())
    x = images(2, 4, 4, 1)
    assert gradcheck(model, x, x, engine="python").ok


@st.composite
def networks(draw):
    """A few layers that fit an image of 6 x 5 x 2, whatever is drawn."""
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["conv", "pool", "dropout", "activation", "upsample"]))
        if kind == "conv":
            activation = draw(st.sampled_from(ACTIVATIONS))
            size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
            padding = draw(st.sampled_from(["zero", "edge", 1]))
            layers.append(Conv2d(draw(st.integers(1, 2)), size, stride=draw(st.integers(1, 2)), padding=padding, activation=activation))
        elif kind == "pool":
            size, stride, pooling = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.sampled_from(["max", "min", "average"]))
            layers.append(Pool2d(size, stride=stride, padding=draw(st.sampled_from(["same", "edge"])), kind=pooling))
        elif kind == "dropout":
            layers.append(Dropout(draw(st.sampled_from([0.0, 0.25, 0.6]))))
        elif kind == "activation":
            layers.append(Activation(draw(st.sampled_from(ACTIVATIONS))))
        elif len(layers) < 2:
            layers.append(Upsample(draw(st.integers(1, 2))))
    if draw(st.booleans()):
        layers += [Flatten(), Dense(draw(st.integers(2, 3)), activation=draw(st.sampled_from(ACTIVATIONS)))]
    return layers or [Flatten()]


@given(layers=networks(), seed=st.integers(0, 1000))
def test_generated_networks(layers, seed):
    result = gradcheck(CNN(layers, seed=seed), images(2, 6, 5, 2, seed=seed), engine="python", limit=20)
    assert result.ok, f"{layers}: {result}"
