"""Dropout drops Bernoulli(rate), keeps the expectation, and does nothing in prediction."""

import numpy as np
import pytest

from jitcnn import CNN, Dense, Dropout
from jitcnn.engine.eager import EagerStep
from jitcnn.graph import Graph


def drop(rate, x, seed=1, number=1):
    layer = Graph([Dropout(rate, input_shape=x.shape[1:])], seed=seed).layers[0]
    step = EagerStep("python", len(x), x.dtype, True, np.array([number]))
    return layer.forward(step, x)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_share_and_expectation(rate):
    x = np.ones((40, 500))
    y, _ = drop(rate, x)
    dropped = np.mean(y == 0)
    assert abs(dropped - rate) < 4 * np.sqrt(rate * (1 - rate) / x.size)
    assert np.allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)
    assert abs(y.mean() - 1) < 4 * np.sqrt(rate / (1 - rate) / x.size)


def test_gradient_passes_where_the_numbers_passed():
    y, backward = drop(0.5, np.ones((2, 50)))
    assert np.array_equal(backward(np.ones((2, 50))), y)


def test_steps_seeds_and_images_differ_and_repeat():
    x = np.ones((2, 200))
    first = drop(0.5, x)[0]
    assert np.array_equal(first, drop(0.5, x)[0])
    assert not np.array_equal(first, drop(0.5, x, number=2)[0])
    assert not np.array_equal(first, drop(0.5, x, seed=2)[0])
    assert not np.array_equal(first[0], first[1])


def test_two_layers_drop_different_numbers():
    layers = Graph([Dropout(0.5, input_shape=(200,)), Dropout(0.5)], seed=1).layers
    assert layers[0].key != layers[1].key


def test_nothing_in_prediction():
    x = np.random.default_rng(0).standard_normal((3, 10)).astype(np.float32)
    model = CNN([Dropout(0.9), Dense(2)], seed=1, engine="python")
    assert np.allclose(model.predict(x), x @ model.parameters["dense1/weights"], atol=1e-6)
