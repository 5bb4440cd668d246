import numpy as np
import pytest

from jitcnn.kernels.activation import LOWERINGS
from jitcnn.kernels.buffers import Border
from jitcnn.kernels.program import Program
from jitcnn.reference import activation as loops

SHAPES = [(1, 1), (3, 10), (5, 1), (2, 1000), (9, 3, 5, 7), (5, 1, 1, 1), (6, 4, 4, 64)]
FORWARD = ["sigmoid", "tanh", "softmax"]
LIMIT = {np.float32: 1e-5, np.float64: 1e-12}


def perform(name, arrays, y, threads=1, batch=None):
    program = Program(len(y), threads)
    LOWERINGS[name](program, *map(program.external, (*arrays, y)))
    program.finish().run(batch=batch)
    return y


def expected(name, *arrays):
    y = np.empty(arrays[0].shape)
    getattr(loops, name)(*(a.astype(np.float64) for a in arrays), y)
    return y


def assert_near(y, truth, dtype):
    assert y.dtype == dtype
    assert np.abs(y - truth).max() <= LIMIT[dtype] * np.abs(truth).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FORWARD)
def test_forward_and_gradient(rng, name, shape, dtype):
    x = (3 * rng.normal(size=shape)).astype(dtype)
    y = perform(name, [x], np.empty_like(x))
    assert_near(y, expected(name, x), dtype)
    grad_y = rng.normal(size=shape).astype(dtype)
    grad_x = perform(f"{name}_grad", [grad_y, y], np.empty_like(y))
    if name == "softmax" and shape[-1] == 1:
        assert not grad_x.any()
    else:
        assert_near(grad_x, expected(f"{name}_grad", grad_y, y), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FORWARD)
def test_in_place_on_two_threads_and_for_a_last_smaller_batch_the_bits_are_the_same(rng, name, dtype):
    x, grad_y = rng.normal(size=(2, 37, 5, 4, 6)).astype(dtype)
    y = perform(name, [x], np.empty_like(x))
    grad_x = perform(f"{name}_grad", [grad_y, y], np.empty_like(x))
    assert perform(name, [x], np.empty_like(x), threads=2).tobytes() == y.tobytes()
    assert perform(f"{name}_grad", [grad_y, y], np.empty_like(x), threads=2).tobytes() == grad_x.tobytes()
    last = perform(name, [x], np.full_like(x, 7), batch=3)
    assert last[:3].tobytes() == y[:3].tobytes() and (last[3:] == 7).all()
    same = x.copy()
    np.testing.assert_allclose(perform(name, [same], same), y, rtol=10 * np.finfo(dtype).eps)
    same = grad_y.copy()
    np.testing.assert_allclose(perform(f"{name}_grad", [same, y], same), grad_x, rtol=0, atol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [3, 100])  # 100: a vector loop, not only what is left behind it
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_ends(name, size, dtype):
    for value, sigmoid, tanh in [(1e4, 1, 1), (-1e4, 0, -1), (np.inf, 1, 1), (-np.inf, 0, -1), (0, 0.5, 0), (np.nan, np.nan, np.nan)]:
        x = np.full((1, size), value, dtype)
        truth = np.full_like(x, sigmoid if name == "sigmoid" else tanh)
        np.testing.assert_array_equal(perform(name, [x], np.empty_like(x)), truth)
        np.testing.assert_array_equal(perform(name, [x], x), truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 100])
def test_softmax_of_large_numbers_and_nan(classes, dtype):
    x = np.zeros((4, classes), dtype)
    x[0, 1], x[1], x[1, 0], x[2], x[3, 2] = 1e4, -1e4, 1e4, -1e4, np.nan
    y = perform("softmax", [x], np.empty_like(x))
    np.testing.assert_array_equal(y[0], np.arange(classes) == 1)
    np.testing.assert_array_equal(y[1], np.arange(classes) == 0)
    np.testing.assert_allclose(y[2], 1 / classes, rtol=1e-6)
    assert np.isnan(y[3]).all()


@pytest.mark.parametrize("name", FORWARD)
def test_nan_reaches_the_gradient(name):
    grad_y, y = np.ones((2, 2, 20), np.float32)
    grad_y[0, 3] = y[1, 4] = np.nan
    grad_x = perform(f"{name}_grad", [grad_y, y], np.empty_like(y))
    if name == "softmax":
        assert np.isnan(grad_x).all()
    else:
        assert np.isnan(grad_x[0, 3]) and np.isnan(grad_x[1, 4]) and np.isnan(grad_x).sum() == 2


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("name", FORWARD)
def test_buffers_with_borders(rng, name, in_place):
    """A neighbour wants zeros around the output: they stay zeros, and the numbers inside are right."""
    x, grad_y = rng.normal(size=(2, 6, 3, 5, 7)).astype(np.float32)
    y, grad_x = np.empty_like(x), np.empty_like(x)
    program = Program(len(x), 1)
    x_buffer, grad_y_buffer = program.buffer(x.shape, x.dtype), program.buffer(x.shape, x.dtype)
    y_buffer, grad_x_buffer = (
        (x_buffer, grad_y_buffer) if in_place else (program.buffer(x.shape, x.dtype), program.buffer(x.shape, x.dtype))
    )
    program.copy(program.external(x), x_buffer)
    LOWERINGS[name](program, x_buffer, y_buffer)
    y_buffer_padded = program.border(y_buffer, Border(1, 2, 0, 1))
    program.copy(y_buffer_padded, program.external(y))
    program.copy(program.external(grad_y), grad_y_buffer)
    LOWERINGS[f"{name}_grad"](program, grad_y_buffer, y_buffer, grad_x_buffer)
    grad_x_padded = program.border(grad_x_buffer, Border(0, 1, 3, 0))
    program.copy(grad_x_padded, program.external(grad_x))
    program.finish().run()
    assert_near(y, expected(name, x), np.float32)
    assert_near(grad_x, expected(f"{name}_grad", grad_y, y), np.float32)
