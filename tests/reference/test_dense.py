import numpy as np
import pytest

sizes = pytest.mark.parametrize(("images", "inputs", "units"), [(3, 5, 4), (1, 1, 1), (1, 7, 2), (4, 1, 3)])
orders = pytest.mark.parametrize("order", ["C", "F"])


@sizes
@orders
def test_products(run, rng, images, inputs, units, order):
    x, grad_y = rng.normal(size=(images, inputs)), rng.normal(size=(images, units))
    w, b = np.asarray(rng.normal(size=(inputs, units)), order=order), rng.normal(size=units)
    y, grad_x, grad_w = np.full_like(grad_y, np.nan), np.full_like(x, np.nan), np.full_like(w, np.nan)
    run("dense", x, w, b, y)
    run("dense_grad_input", grad_y, w, grad_x)
    run("dense_grad_weights", grad_y, x, grad_w)
    np.testing.assert_allclose(y, x @ w + b, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(grad_x, grad_y @ w.T, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(grad_w, x.T @ grad_y, rtol=1e-12, atol=1e-12)
    run("dense", x, w, np.empty(0), y)
    np.testing.assert_allclose(y, x @ w, rtol=1e-12, atol=1e-12)


def test_nan_reaches_its_row_and_column(run):
    x, w = np.array([[1.0, np.nan], [0.0, 0.0]]), np.zeros((2, 3))
    y, grad_x, grad_w = np.empty((2, 3)), np.empty((2, 2)), np.empty((2, 3))
    run("dense", x, w, np.zeros(3), y)
    np.testing.assert_array_equal(np.isnan(y), [[True] * 3, [False] * 3])
    run("dense_grad_input", y, w, grad_x)
    np.testing.assert_array_equal(np.isnan(grad_x), [[True] * 2, [False] * 2])
    run("dense_grad_weights", np.zeros((2, 3)), x, grad_w)
    np.testing.assert_array_equal(np.isnan(grad_w), [[False] * 3, [True] * 3])
