"""The public kernels inside somebody's own @njit code give what they give outside, and touch nothing where shapes do not fit."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import TypingError

from jitcnn import kernels, reference
from jitcnn.forms import NAMES
from tests.kernels.inside_numba import (
    FLOAT32,
    FLOAT64,
    activation_gradients,
    assert_same,
    binary,
    cases,
    categorical,
    compare,
    convolution,
    convolution_grad_input,
    convolution_grad_weights,
    dense_layer,
    pool,
    pools,
    rare_cases,
    some,
    squares,
    updates,
)


@pytest.mark.parametrize("name", cases(FLOAT32))
def test_same_as_outside(name):
    compare(*cases(FLOAT32)[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", cases(FLOAT64))
def test_same_as_outside_in_float64(name):
    compare(*cases(FLOAT64)[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", rare_cases())
def test_rare_types(name):
    compare(*rare_cases()[name])


@pytest.mark.parametrize("kind", ["max", "min"])
def test_words_at_run_time(kind):
    compare(pools, some(FLOAT32, 3, 8, 9, 3), some(FLOAT32, 3, 7, 9, 3), kind)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "stride", "padding"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), ((0, 0), (0, 0))),
        ((2, 3, 4, 1), (3, 3, 1, 17), (1, 1), ((1, 1), (1, 1))),  # lines of four; one filter over a vector
        ((1, 9, 3, 2), (2, 1, 2, 16), (2, 3), ((0, 0), (0, 0))),  # pixels behind the last window
        ((2, 7, 11, 3), (3, 2, 3, 9), (1, 1), ((0, 2), (3, 0))),
        ((1, 2, 9, 1), (2, 3, 1, 33), (3, 2), ((4, 5), (3, 4))),  # windows that lie in the padding alone
    ],
)
def test_shapes_that_hurt(x_shape, w_shape, stride, padding):
    x, w = some(FLOAT32, *x_shape), some(FLOAT32, *w_shape)
    options = {"stride": stride, "padding": padding}
    y = reference.conv2d(x, w, **options)
    assert_same(convolution(x, w, stride, padding), y)
    grad_x = reference.conv2d_grad_input(y, w, x_shape, **options)
    assert_same(convolution_grad_input(y, w, x_shape, stride, padding), grad_x)
    grad_w = reference.conv2d_grad_weights(y, x, w_shape, **options)
    assert_same(convolution_grad_weights(y, x, w_shape, stride, padding), grad_w)


@pytest.mark.parametrize(("images", "inputs", "units"), [(1, 1, 1), (7, 3, 17), (9, 1, 16), (8, 19, 33)])
def test_dense_shapes_that_hurt(images, inputs, units):
    compare(dense_layer, some(FLOAT32, images, inputs), some(FLOAT32, inputs, units), some(FLOAT32, units), some(FLOAT32, images, units))


def test_nan_stays():
    x = np.full((1, 4, 4, 1), np.nan, FLOAT32)
    assert np.isnan(convolution(x, np.ones((3, 3, 1, 5), FLOAT32), (1, 1), ((0, 0), (0, 0)))).all()
    assert np.isnan(pool(x)[0]).all()


@njit(parallel=True)
def networks(x, w, b, v, labels, parameters, m, u, images, pooled, scores, losses, gradients):
    """A network of its own for every image; every kernel writes where the caller says."""
    for n in prange(len(x)):
        kernels.conv2d(x[n : n + 1], w, b, padding=1, activation="relu", out=images[n : n + 1])
        y, _ = kernels.pool2d(images[n : n + 1], 2, out=pooled[n : n + 1])
        kernels.dense(y.reshape((1, y.size)), v, out=scores[n : n + 1])
        loss, grad = kernels.cross_entropy(kernels.relu(scores[n : n + 1]), labels[n : n + 1], out=gradients[n : n + 1])
        losses[n] = loss
        kernels.adam(parameters[n], grad[0], m[n], u[n], n + 1)


def network_arguments():
    n = 5
    inputs = [some(FLOAT32, n, 8, 6, 2), some(FLOAT32, 3, 3, 2, 4), some(FLOAT32, 4), some(FLOAT32, 48, 7), np.arange(n)]
    state = [some(FLOAT32, n, 7), some(FLOAT32, n, 7) * 0, some(FLOAT32, n, 7) ** 2]
    outputs = [np.full(shape, 7, FLOAT32) for shape in ((n, 8, 6, 4), (n, 4, 3, 4), (n, 7), (n,), (n, 7))]
    return [*inputs, *state, *outputs]


def test_inside_prange():
    ours, expected = network_arguments(), network_arguments()
    networks(*ours)
    networks.py_func(*expected)
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6 * np.abs(other).max())  # through several kernels


@pytest.mark.parametrize("number", [1, 2, 8])
def test_a_misfit_inside_prange_writes_nothing(number):
    """An exception in a thread may vanish; what does not fit is not written, nor what comes after it."""
    arguments = network_arguments()
    wrong = arguments[number]
    arguments[number] = np.full((*wrong.shape[:-2], 9, wrong.shape[-1]) if wrong.ndim > 1 else (9,), 7, FLOAT32)
    with contextlib.suppress(ValueError, SystemError):
        networks(*arguments)
    for output in arguments[8:]:
        assert (output == 7).all()


NONE, PLAIN = ((0, 0), (0, 0)), (1, 1)


@pytest.mark.parametrize(
    ("function", "shapes", "settings", "message"),
    [
        (convolution, [(1, 5, 5, 2), (3, 3, 3, 4)], (PLAIN, NONE), "channels"),
        (convolution, [(1, 5, 5, 3), (6, 3, 3, 4)], (PLAIN, NONE), "kernel is larger"),
        (convolution, [(1, 5, 5, 3), (3, 3, 3, 4)], ((0, 1), NONE), "below 1"),
        (convolution, [(1, 5, 5, 3), (3, 3, 3, 4)], (PLAIN, ((0, -1), (0, 0))), "negative"),
        (convolution, [(0, 5, 5, 3), (3, 3, 3, 4)], (PLAIN, NONE), "at least one entry"),
        (convolution_grad_input, [(1, 3, 4, 4), (3, 3, 3, 4)], ((1, 5, 5, 3), PLAIN, NONE), "grad_y has not"),
        (convolution_grad_weights, [(1, 3, 4, 4), (1, 5, 5, 3)], ((3, 3, 3, 4), PLAIN, NONE), "grad_y has not"),
        (dense_layer, [(2, 3), (4, 5), (5,), (2, 5)], (), "inputs"),
        (dense_layer, [(2, 3), (3, 5), (4,), (2, 5)], (), "b and w"),
        (squares, [(1, 2, 2, 1), (1, 2, 3, 1)], (), "y and target"),
        (updates, [(2, 3), (2, 4), (2, 3), (2, 3), (2, 3)], (), "differ in shape"),
        (activation_gradients, [(2, 3), (2, 4)], (), "differ in shape"),
    ],
)
def test_misfits_are_errors(function, shapes, settings, message):
    with pytest.raises(ValueError, match=message):
        function(*(np.ones(shape, FLOAT32) for shape in shapes), *settings)


def test_labels_and_words_are_checked():
    logits = some(FLOAT32, 3, 5)
    with pytest.raises(ValueError, match="class number"):
        categorical(logits, np.array([0, 1, 5]))
    with pytest.raises(ValueError, match="between 0 and 1"):
        binary(logits, np.full((3, 5), 2.0))
    with pytest.raises(ValueError, match="max, min and average"):
        pools(some(FLOAT32, 3, 8, 9, 3), some(FLOAT32, 3, 7, 9, 3), "middle")


@pytest.mark.parametrize(
    ("x", "w", "message"),
    [
        (np.ones((5, 5, 3), FLOAT32), np.ones((3, 3, 3, 4), FLOAT32), "4 axes"),
        (np.ones((1, 5, 5, 3), FLOAT32), np.ones((3, 3, 3, 4)), "one dtype"),
        (np.ones((1, 5, 5, 3), np.int64), np.ones((3, 3, 3, 4), np.int64), "float32 or float64"),
    ],
)
def test_types_are_checked_when_compiling(x, w, message):
    with pytest.raises(TypingError, match=message):
        convolution(x, w, (1, 1), ((0, 0), (0, 0)))


def test_every_kernel_is_there():
    from jitcnn.kernels.overloads.bodies import BODIES

    batches = {"take_images", "take_labels", "augment_images", "mix_labels", "score", "score_binary"}
    assert set(NAMES) - set(BODIES) == batches | {"smooth_labels", "scale_rows", "standardize", "clip_norm"}


def test_nothing_is_imported_before_it_is_called():
    code = "import sys, jitcnn.kernels; print([name for name in sys.modules if name.startswith('jitcnn.kernels.overloads.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['jitcnn.kernels.overloads.compiled']"
