"""The compiled loops do what the plain ones do, for every kernel; the declarations fit the functions."""

import inspect

import numba
import numpy as np
import pytest

from jitcnn.forms.prepared import ARGUMENTS, check
from jitcnn.reference.codes import AVERAGE, EDGE, MAX, MIN, SERIAL
from jitcnn.reference.compiled import compiled
from jitcnn.reference.prepared import PREPARED

LIBRARY_FUNCTIONS = {
    "sigmoid",
    "tanh",
    "softmax",
    "cross_entropy",
    "binary_cross_entropy",
    "adam",
    "adamax",
    "adamw",
}  # call exp, tanh, log, pow


def calls(dtype):
    """Name -> arguments of prepared calls; outputs hold 7.5 beforehand, so that a store that is left out is seen."""
    rng = np.random.default_rng(3)

    def random(*shape):
        return rng.normal(size=shape).astype(dtype)

    def output(*shape):
        return np.full(shape, 7.5, dtype)

    order, position, step = np.array([4, 0, 3, 3, 1, 2]), np.array([2]), np.array([3])
    labels, hits = rng.integers(0, 5, 4), np.full(4, -1)
    x, y = random(3, 6, 7, 2), output(3, 3, 4, 2)
    PREPARED["pool2d"](x, y, 3, 2, 2, 2, 1, 1, MAX)
    yield "conv2d", (x, random(3, 2, 2, 5), random(5), output(3, 3, 4, 5), 2, 2, 1, 1)
    yield "conv2d_grad_input", (random(3, 3, 4, 5), random(3, 2, 2, 5), output(3, 6, 7, 2), 2, 2, 1, 1)
    yield "conv2d_grad_weights", (random(3, 3, 4, 5), x, output(3, 2, 2, 5), 2, 2, 1, 1)
    yield "bias_grad", (random(3, 3, 4, 5), output(5))
    yield "pad2d", (x, output(3, 9, 9, 2), 1, 2, EDGE)
    yield "pad2d_grad_input", (random(3, 9, 9, 2), output(3, 6, 7, 2), 1, 2, EDGE)
    for kind in (MAX, MIN, AVERAGE):
        yield "pool2d", (x, output(3, 3, 4, 2), 3, 2, 2, 2, 1, 1, kind)
    for kind in (MAX, AVERAGE):
        yield "pool2d_grad_input", (random(3, 3, 4, 2), x, y, output(3, 6, 7, 2), 3, 2, 2, 2, 1, 1, kind)
    for order_in_memory in "CF":
        w = np.asarray(random(5, 4), order=order_in_memory)
        yield "dense", (random(3, 5), w, random(4), output(3, 4))
        yield "dense_grad_input", (random(3, 4), w, output(3, 5))
        yield "dense_grad_weights", (random(3, 4), random(3, 5), np.full_like(w, 7.5))
    yield "upsample2d", (random(3, 2, 3, 2), output(3, 4, 9, 2), 2, 3)
    yield "upsample2d_grad_input", (random(3, 4, 9, 2), output(3, 2, 3, 2), 2, 3)
    for name in ("relu", "sigmoid", "tanh", "softmax"):
        yield name, (random(3, 5), output(3, 5))
        yield f"{name}_grad", (random(3, 5), random(3, 5), output(3, 5))
    yield "dropout", (x, output(*x.shape), 2**31, -12345678901, step)
    yield "cross_entropy", (random(4, 5), labels, output(4), output(4, 5))
    yield "soft_cross_entropy", (random(4, 5), random(4, 5), output(4), output(4, 5))
    yield "binary_cross_entropy", (random(4, 5), random(4, 5), output(4), output(4, 5))
    yield "mse", (random(4, 5), random(4, 5), output(4), output(4, 5))
    yield "smooth_labels", (random(4, 5), np.array([0.1]), output(4, 5))
    yield "scale_rows", (random(4, 5, 2), random(4), output(4, 5, 2))
    yield "standardize", (x, random(2).astype(float), np.abs(random(2)).astype(float), output(*x.shape))
    yield "sgd", (random(50), random(50), np.array([[0.1, 0.01]]), step, step)
    yield "momentum", (random(50), random(50), random(50), np.array([[0.1, 0.9, 0.01]]), step, step)
    hyper = np.array([[0.1, 0.9, 0.99, 1e-3, 0.01]])
    yield "nesterov", (random(50), random(50), random(50), hyper[:, [0, 1, 4]], step, step)
    yield "rmsprop", (random(50), random(50), np.abs(random(50)), hyper[:, [0, 1, 3, 4]], step, step)
    yield "adagrad", (random(50), random(50), np.abs(random(50)), hyper[:, [0, 3, 4]], step, step)
    yield "adadelta", (random(50), random(50), np.abs(random(50)), np.abs(random(50)), hyper[:, [0, 1, 3, 4]], step, step)
    yield "adamax", (random(50), random(50), random(50), np.abs(random(50)), hyper, step, step)
    yield "adamw", (random(50), random(50), random(50), np.abs(random(50)), hyper, step, step)
    yield "adam", (random(50), random(50), random(50), np.abs(random(50)), np.array([[0.1, 0.9, 0.999, 1e-8, 0.01]]), step, step)
    yield "clip_norm", (random(50), np.array([2.0]), output(50))
    yield "take_images", (rng.integers(0, 256, (5, 3, 4, 2), np.uint8), order, position, output(4, 3, 4, 2), 1)
    yield "take_labels", (np.arange(5), order, position, np.full(4, -1))
    turn, settings = np.array([3, 6]), np.array([0.1, 0.3, 0.2, 0.2, 0.5, 0.2, 0.3, 0.5, 0.1, 0.4])
    images = rng.integers(0, 256, (5, 3, 4, 2), np.uint8)
    yield "augment_images", (images, order, position, turn, settings, output(4, 3, 4, 2), 1, -12345678901)
    yield "mix_labels", (np.arange(5), order, position, turn, settings, output(4, 5), -12345678901)
    yield "mix_labels", (random(5, 3), order, position, turn, settings, output(4, 3), 9)
    for top in (1, 3):
        yield "score", (random(4, 5), labels, hits, top)
    yield "score_binary", (random(4, 5), random(4, 5), hits)


def copies(arguments):
    return [argument.copy(order="K") if isinstance(argument, np.ndarray) else argument for argument in arguments]


def named(dtype):
    return [pytest.param(name, arguments, id=f"{name}-{index}") for index, (name, arguments) in enumerate(calls(dtype))]


@pytest.mark.parametrize(("name", "arguments"), named("float64"))
def test_float64_has_the_same_bits(name, arguments):
    check(name, *arguments)
    plain, fast = copies(arguments), copies(arguments)
    PREPARED[name](*plain)
    compiled(name)(*fast)
    tolerance = 1e-14 if name in LIBRARY_FUNCTIONS else 0
    for expected, array in zip(plain, fast, strict=True):
        np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arguments"), named("float32"))
def test_float32_agrees(name, arguments):
    check(name, *arguments)
    plain, fast = copies(arguments), copies(arguments)
    PREPARED[name](*plain)
    compiled(name)(*fast)
    for expected, array in zip(plain, fast, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-5)


def test_every_kernel_is_compared():
    assert {name for name, _ in calls("float64")} == set(PREPARED)


def test_functions_take_what_the_forms_declare():
    assert set(PREPARED) == set(ARGUMENTS)
    for name, loops in PREPARED.items():
        assert list(inspect.signature(loops).parameters) == [argument.name for argument in ARGUMENTS[name] if not argument.hint], name
    assert set(PREPARED) >= SERIAL


def test_read_only_inputs(rng):
    images, y = rng.normal(size=(5, 3, 4, 2)), np.empty((2, 3, 4, 2))
    images.flags.writeable = False
    compiled("take_images")(images, np.array([4, 1]), np.array([0]), y, 0)
    np.testing.assert_array_equal(y, images[[4, 1]])


def test_one_function_a_kernel():
    assert compiled("relu") is compiled("relu")
    with pytest.raises(ValueError, match="'rely' is no kernel: expected one of conv2d, "):
        compiled("rely")


def test_number_of_threads_does_not_change_a_bit(rng):
    x, w, grad_y = rng.normal(size=(7, 9, 9, 3)), rng.normal(size=(3, 3, 3, 5)), rng.normal(size=(7, 7, 7, 5))
    before, results = numba.get_num_threads(), []
    try:
        for threads in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
            numba.set_num_threads(threads)
            y, grad_x, grad_w = np.empty_like(grad_y), np.empty_like(x), np.empty_like(w)
            compiled("conv2d")(x, w, np.zeros(5), y, 1, 1, 0, 0)
            compiled("conv2d_grad_input")(grad_y, w, grad_x, 1, 1, 0, 0)
            compiled("conv2d_grad_weights")(grad_y, x, grad_w, 1, 1, 0, 0)
            results.append((y, grad_x, grad_w))
    finally:
        numba.set_num_threads(before)
    for first, second in zip(results[0], results[-1], strict=True):
        np.testing.assert_array_equal(first, second)
