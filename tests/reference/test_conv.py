import numpy as np
import pytest


def convolve(windows, x, w, b):
    return np.einsum("nijcuv,uvco->nijo", windows.of(x), w) + b


def test_forward_is_a_product_of_windows_and_filters(run, rng, windows):
    x, w, b = rng.normal(size=windows.x_shape), rng.normal(size=windows.w_shape), rng.normal(size=windows.w_shape[3])
    y = np.full(windows.y_shape, np.nan)
    run("conv2d", x, w, b, y, *windows.integers)
    np.testing.assert_allclose(y, convolve(windows, x, w, b), rtol=1e-12, atol=1e-12)


def test_without_bias(run, rng, windows):
    x, w = rng.normal(size=windows.x_shape), rng.normal(size=windows.w_shape)
    y = np.full(windows.y_shape, np.nan)
    run("conv2d", x, w, np.empty(0), y, *windows.integers)
    np.testing.assert_allclose(y, convolve(windows, x, w, 0.0), rtol=1e-12, atol=1e-12)


def test_gradients_are_central_differences(run, rng, windows, central_differences):
    x, w, b = rng.normal(size=windows.x_shape), rng.normal(size=windows.w_shape), rng.normal(size=windows.w_shape[3])
    grad_y = rng.normal(size=windows.y_shape)
    grad_x, grad_w, grad_b = (np.full(array.shape, np.nan) for array in (x, w, b))
    run("conv2d_grad_input", grad_y, w, grad_x, *windows.integers)
    run("conv2d_grad_weights", grad_y, x, grad_w, *windows.integers)
    run("bias_grad", grad_y, grad_b)
    for gradient, expected in (
        (grad_x, central_differences(lambda x: np.sum(grad_y * convolve(windows, x, w, b)), x)),
        (grad_w, central_differences(lambda w: np.sum(grad_y * convolve(windows, x, w, b)), w)),
        (grad_b, central_differences(lambda b: np.sum(grad_y * convolve(windows, x, w, b)), b)),
    ):
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 3, 1, 4), (1, 1)])
def test_bias_gradient_sums_all_but_the_last_axis(run, rng, shape):
    grad_y, grad_b = rng.normal(size=shape), np.full(shape[-1], np.nan)
    run("bias_grad", grad_y, grad_b)
    np.testing.assert_allclose(grad_b, grad_y.sum(axis=tuple(range(len(shape) - 1))), rtol=1e-12)


def test_nan_reaches_the_windows_that_saw_it(run):
    x, w, y = np.zeros((1, 4, 4, 1)), np.zeros((2, 2, 1, 1)), np.empty((1, 3, 3, 1))
    x[0, 0, 3, 0] = np.nan
    run("conv2d", x, w, np.zeros(1), y, 1, 1, 0, 0)
    np.testing.assert_array_equal(np.isnan(y[0, :, :, 0]), [[False, False, True], [False] * 3, [False] * 3])
    grad_x, grad_w = np.empty_like(x), np.empty_like(w)
    run("conv2d_grad_input", y, w, grad_x, 1, 1, 0, 0)
    run("conv2d_grad_weights", y, x, grad_w, 1, 1, 0, 0)
    assert np.isnan(grad_x).sum() == 4
    assert np.isnan(grad_w).all()
