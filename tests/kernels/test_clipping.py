import numpy as np
import pytest

from jitcnn.kernels.bias import bias_grad
from jitcnn.kernels.clipping import LOWERINGS
from jitcnn.kernels.dense import dense_grad_weights
from jitcnn.kernels.program import Program
from jitcnn.kernels.update import LOWERINGS as UPDATES


def clipped(g, limit, threads=1, in_place=False):
    g = g.copy()
    y = g if in_place else np.full_like(g, 7)
    program = Program(4, threads)
    LOWERINGS["clip_norm"](program, g, np.array([limit], np.float64), y)
    program.finish().run()
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 7, 1000, 100_001])
@pytest.mark.parametrize("limit", [0.5, 1e9])
def test_one_gradient(rng, dtype, size, limit):
    g = rng.normal(size=size).astype(dtype)
    norm = np.linalg.norm(g.astype(np.float64))
    expected = g * min(1, limit / (norm + 1e-6))
    results = [clipped(g, limit, threads, in_place) for threads in (1, 2) for in_place in (False, True)]
    np.testing.assert_allclose(results[0], expected, rtol=1e-6 if dtype == np.float32 else 1e-13)
    assert len({y.tobytes() for y in results}) == 1
    if limit > norm:
        np.testing.assert_array_equal(results[0], g)


def test_squares_beyond_float32_and_below_it():
    for size in (1e30, 1e-30):
        np.testing.assert_allclose(clipped(np.array([3, 4], np.float32) * np.float32(size), 0), [0, 0])
    np.testing.assert_allclose(clipped(np.array([3e30, 4e30], np.float32), 1), [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_no_number_stays_visible(number):
    y = clipped(np.array([1, number, 2], np.float32), 1)
    assert np.isnan(y[1]) and (np.isnan(y).all() or np.isinf(number))


@pytest.mark.parametrize("threads", [1, 2])
def test_between_the_gradients_of_several_parameters_and_their_updates(rng, threads):
    """All gradients are there before the norm is taken, and no parameter moves before it is known."""
    x, grad_y = rng.normal(size=(6, 700)).astype(np.float32), rng.normal(size=(6, 7)).astype(np.float32)
    gradients, w = np.zeros(5000, np.float32), np.zeros(5000, np.float32)
    grad_w, grad_b = gradients[:4900], gradients[4912:4919]  # between and behind them nothing is ever written
    program = Program(6, threads)
    dense_grad_weights(program, program.external(grad_y), program.external(x), grad_w.reshape(7, 700).T)
    bias_grad(program, program.external(grad_y), grad_b)
    LOWERINGS["clip_norm"](program, gradients, np.array([2.0]), gradients)
    one, hyper = np.array([1]), np.array([[1.0, 0.0]])
    for part, gradient in ((w[:4900], grad_w), (w[4912:4919], grad_b)):
        UPDATES["sgd"](program, part, gradient, hyper, one, one)
    program.finish().run()
    expected = np.zeros(5000)
    expected[:4900], expected[4912:4919] = (grad_y.T.astype(float) @ x).ravel(), grad_y.sum(axis=0)
    expected *= -2 / np.linalg.norm(expected)
    np.testing.assert_allclose(w, expected, rtol=1e-4, atol=1e-7)
