"""Dense layers against the loops in float64, with weights in either memory order."""

import numpy as np
import pytest

from jitcnn import kernels
from tests.kernels.oracle import agree

QUICK = [(1, 1, 1), (5, 37, 10), (33, 16, 17), (4, 64, 64), (7, 100, 3), (2, 3, 33)]  # images, inputs, units
MORE = [(32, 9216, 10), (2, 784, 7), (1, 5, 130), (3, 1, 2), (33, 33, 40), (8, 24, 5), (6, 32, 1), (4, 17, 8), (9, 129, 24)]
CASES = [
    *(pytest.param(case, np.float32, id=str(case)) for case in QUICK),
    *(pytest.param(case, np.float64, id=f"{case} float64") for case in QUICK[:3]),
    *(pytest.param(case, np.float32, id=str(case), marks=pytest.mark.slow) for case in MORE),
    *(pytest.param(case, np.float64, id=f"{case} float64", marks=pytest.mark.slow) for case in QUICK[3:] + MORE),
]


@pytest.mark.parametrize(("case", "dtype"), CASES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_all_passes(rng, case, dtype, order):
    images, inputs, units = case
    x, b = rng.normal(size=(images, inputs)).astype(dtype), rng.normal(size=units).astype(dtype)
    w = np.asarray(rng.normal(size=(inputs, units)).astype(dtype), order=order)
    y = agree("dense", x, w, b)
    agree("dense", x, w)
    grad_y = rng.normal(size=y.shape).astype(dtype)
    agree("dense_grad_input", grad_y, w)
    agree("dense_grad_weights", grad_y, x, order=order)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "softmax"])
def test_activations(rng, activation):
    agree("dense", rng.normal(size=(5, 37)), rng.normal(size=(37, 10)), rng.normal(size=10), activation=activation)


def test_nan_stays_in_its_row_and_reaches_the_gradients(rng):
    x, w = rng.normal(size=(6, 37)).astype(np.float32), rng.normal(size=(37, 10)).astype(np.float32)
    x[2, 36] = np.nan
    y = agree("dense", x, w)
    np.testing.assert_array_equal(np.isnan(y).all(axis=1), np.arange(6) == 2)
    grad_y = rng.normal(size=y.shape).astype(np.float32)
    grad_w = agree("dense_grad_weights", grad_y, x)
    np.testing.assert_array_equal(np.isnan(grad_w).all(axis=1), np.arange(37) == 36)
    grad_y[4, 1] = np.nan
    np.testing.assert_array_equal(np.isnan(agree("dense_grad_input", grad_y, w)).all(axis=1), np.arange(6) == 4)


@pytest.mark.parametrize("units", [1, 10, 33])
def test_an_image_has_the_same_bits_at_any_place(rng, units):
    x, w = rng.normal(size=(33, 37)).astype(np.float32), rng.normal(size=(37, units)).astype(np.float32)
    y = kernels.dense(x, w)
    grad_x = kernels.dense_grad_input(y, w)
    for images in (slice(0, 1), slice(5, 8), slice(30, 33)):
        assert kernels.dense(x[images], w).tobytes() == y[images].tobytes()
        assert kernels.dense_grad_input(y[images], w).tobytes() == grad_x[images].tobytes()
