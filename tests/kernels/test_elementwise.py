"""relu, its gradient, and copies between buffers with borders."""

import numpy as np
import pytest

from jitcnn import kernels
from jitcnn.kernels.buffers import Border
from jitcnn.kernels.elementwise import copy
from jitcnn.kernels.program import Program
from tests.kernels.oracle import agree

SHAPES = [(1,), (5,), (1, 1), (33, 17), (3, 1, 1, 1), (2, 5, 7, 3), (9, 4, 4, 40)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_relu_and_gradient(rng, shape, dtype):
    x, grad_y = rng.integers(-2, 3, shape).astype(dtype), rng.normal(size=shape).astype(dtype)
    y = agree("relu", x)
    grad_x = agree("relu_grad", grad_y, y)
    np.testing.assert_array_equal(grad_x, np.where(x > 0, grad_y, 0))
    assert kernels.relu(x, out=x) is x and np.array_equal(x, y)
    assert kernels.relu_grad(grad_y, y, out=grad_y) is grad_y and np.array_equal(grad_y, grad_x)


@pytest.mark.parametrize("size", [4, 100])  # 100: a vector loop, not only what is left behind it
def test_nan_and_infinity(size):
    x = np.ones((1, size), np.float32)
    x[0, :4] = [np.nan, np.inf, -np.inf, -0.0]
    y = agree("relu", x)
    assert np.isnan(y[0, 0]) and y[0, 1] == np.inf and (y[0, 2:4] == 0).all()
    assert np.isnan(agree("relu_grad", x, np.ones_like(x))[0, 0])
    assert agree("relu_grad", np.ones_like(x), y)[0, :4].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "borders", [(Border(), Border(1, 2, 3, 0)), (Border(0, 0, 0, 1), Border()), (Border(1, 0, 0, 2), Border(0, 3, 1, 0))]
)
def test_copies_between_borders(rng, borders, dtype):
    x = rng.normal(size=(6, 3, 4, 5)).astype(dtype)
    y = np.full_like(x, 7)
    program = Program(6, 2)
    first, second = (program.border(program.buffer(x.shape, dtype), border) for border in borders)
    copy(program, program.external(x), first)
    copy(program, first, second)
    copy(program, second, program.external(y))
    program.finish().run(batch=5)
    np.testing.assert_array_equal(y[:5], x[:5])
    assert (y[5:] == 7).all()
