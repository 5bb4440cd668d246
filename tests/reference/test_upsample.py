import numpy as np
import pytest

sizes = pytest.mark.parametrize(
    ("shape", "factor"), [((2, 3, 4, 2), (2, 2)), ((1, 1, 1, 1), (3, 1)), ((2, 2, 3, 1), (1, 4)), ((1, 2, 2, 3), (1, 1))]
)


def test_worked_example(run):
    x, y = np.array([[12.0, 10.0], [101.0, 88.0]]).reshape(1, 2, 2, 1), np.empty((1, 4, 4, 1))
    run("upsample2d", x, y, 2, 2)
    np.testing.assert_array_equal(y[0, :, :, 0], [[12, 12, 10, 10], [12, 12, 10, 10], [101, 101, 88, 88], [101, 101, 88, 88]])


@sizes
def test_forward_is_a_kronecker_product(run, rng, shape, factor):
    x = rng.normal(size=shape)
    expected = np.kron(x, np.ones((1, *factor, 1)))
    y = np.full(expected.shape, np.nan)
    run("upsample2d", x, y, *factor)
    np.testing.assert_array_equal(y, expected)


@sizes
def test_gradient_sums_blocks(run, rng, shape, factor):
    n, h, w, c = shape
    blocks, grad_x = rng.normal(size=(n, h, factor[0], w, factor[1], c)), np.full(shape, np.nan)
    run("upsample2d_grad_input", blocks.reshape(n, h * factor[0], w * factor[1], c), grad_x, *factor)
    np.testing.assert_allclose(grad_x, blocks.sum(axis=(2, 4)), rtol=1e-12, atol=1e-12)


def test_nan_stays(run):
    x, y, grad_x = np.array([np.nan, 1.0]).reshape(1, 1, 2, 1), np.empty((1, 1, 4, 1)), np.empty((1, 1, 2, 1))
    run("upsample2d", x, y, 1, 2)
    np.testing.assert_array_equal(np.isnan(y.ravel()), [True, True, False, False])
    run("upsample2d_grad_input", y, grad_x, 1, 2)
    np.testing.assert_array_equal(np.isnan(grad_x.ravel()), [True, False])
