import numpy as np
import pytest

from jitcnn.kernels.bias import bias_grad
from jitcnn.kernels.dense import dense_grad_weights
from jitcnn.kernels.program import Program
from jitcnn.kernels.update import LOWERINGS
from jitcnn.reference.prepared import PREPARED

HYPER = {
    "sgd": [0.1, 0.02],
    "momentum": [0.1, 0.9, 0.02],
    "nesterov": [0.1, 0.9, 0.02],
    "rmsprop": [0.01, 0.9, 1e-8, 0.02],
    "adagrad": [0.01, 1e-8, 0.02],
    "adadelta": [1.0, 0.9, 1e-6, 0.02],
    "adam": [0.01, 0.9, 0.999, 1e-8, 0.02],
    "adamax": [0.01, 0.9, 0.999, 1e-8, 0.02],
    "adamw": [0.01, 0.9, 0.999, 1e-8, 0.02],
}
STATES = {"sgd": 0, **dict.fromkeys(("momentum", "nesterov", "rmsprop", "adagrad"), 1)} | dict.fromkeys(
    ("adadelta", "adam", "adamax", "adamw"), 2
)
LIMIT = {np.float32: 1e-5, np.float64: 1e-12}


def arguments(name, w, g, dtype=None):
    """The arguments of an update at its first step, as copies; the rate is halved with every step of a table of five."""
    dtype = dtype or w.dtype
    table = np.tile(HYPER[name], (5, 1))
    table[:, 0] *= 0.5 ** np.arange(5)
    states = [np.zeros(w.size, dtype) for _ in range(STATES[name])]
    return [w.astype(dtype), g.astype(dtype), *states, table, np.array([1]), np.array([1])]


def assert_near(results, truths, dtype):
    for result, truth in zip(results, truths, strict=True):
        assert np.abs(result - truth).max() <= LIMIT[dtype] * np.abs(truth).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 3, 100, 1024, 1025, 20_000])
@pytest.mark.parametrize("name", LOWERINGS)
def test_steps(rng, name, size, dtype):
    """Five steps, whose gradients and settings change; one thread and two give the same bits."""
    w, gradients = rng.normal(size=size).astype(dtype), rng.normal(size=(5, size)).astype(dtype)
    bits = []
    for threads in (1, 2):
        arrays, truth = arguments(name, w, gradients[0]), arguments(name, w, gradients[0], np.float64)
        program = Program(4, threads)
        LOWERINGS[name](program, *arrays)
        program.finish()
        for g in gradients:
            for each in (arrays, truth):
                each[1][:] = g
            program.run()
            PREPARED[name](*truth)
            for each in (arrays, truth):
                each[-2] += 1
        changed = [0, *range(2, 2 + STATES[name])]
        assert_near([arrays[i] for i in changed], [truth[i] for i in changed], dtype)
        bits.append([arrays[i].tobytes() for i in changed])
    assert bits[0] == bits[1]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("inputs", [5, 33, 700])
@pytest.mark.parametrize("name", LOWERINGS)
def test_follows_the_shares_of_the_gradient(rng, name, inputs, threads):
    """A dense layer's weights are shared out by inputs, its bias by runs: every number moves exactly once."""
    x, grad_y = rng.normal(size=(6, inputs)).astype(np.float32), rng.normal(size=(6, 7)).astype(np.float32)
    w, b = rng.normal(size=inputs * 7).astype(np.float32), rng.normal(size=7).astype(np.float32)
    grad_w, grad_b = np.empty(inputs * 7, np.float32), np.empty(7, np.float32)
    program = Program(6, threads)
    dense_grad_weights(program, program.external(grad_y), program.external(x), grad_w.reshape(7, inputs).T)
    bias_grad(program, program.external(grad_y), grad_b)
    weights, bias = arguments(name, w, grad_w), arguments(name, b, grad_b)
    weights[1], bias[1] = grad_w, grad_b
    LOWERINGS[name](program, *weights)
    LOWERINGS[name](program, *bias)
    assert program.rows[-2].layout.lines == 7
    program.finish().run()
    for arrays, before, gradient in [(weights, w, grad_y.T @ x), (bias, b, grad_y.sum(axis=0))]:
        truth = arguments(name, before, gradient.ravel(), np.float64)
        PREPARED[name](*truth)
        assert_near([arrays[0]], [truth[0]], np.float32)


@pytest.mark.parametrize("name", LOWERINGS)
def test_nan_stays_in_its_parameter(name):
    w, g = np.ones(50, np.float32), np.ones(50, np.float32)
    g[20] = np.nan
    arrays = arguments(name, w, g)
    program = Program(1, 1)
    LOWERINGS[name](program, *arrays)
    program.finish().run()
    np.testing.assert_array_equal(np.isnan(arrays[0]), np.arange(50) == 20)


def test_adam_without_gradient_and_with_a_huge_one():
    """As PyTorch without weight decay: nothing moves without a gradient, nor where the mean of the squares is infinite."""
    w, g = np.ones(40, np.float32), np.zeros(40, np.float32)
    g[::2] = 1e25
    arrays = arguments("adam", w, g)
    arrays[4][:, 4] = 0
    program = Program(1, 1)
    LOWERINGS["adam"](program, *arrays)
    program.finish().run()
    np.testing.assert_array_equal(arrays[0], w)
    assert np.isinf(arrays[3][::2]).all()
