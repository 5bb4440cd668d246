import numpy as np
import pytest

from jitcnn.reference.codes import AVERAGE, MAX, MIN

NUMPY = {MAX: np.nanmax, MIN: np.nanmin, AVERAGE: np.nanmean}
kinds = pytest.mark.parametrize("kind", NUMPY, ids=["max", "min", "average"])

TEXT = np.array([[1.0, 2, 3, 1], [11, 12, 4, 10], [101, 11, 88, 10], [10, 11, 11, 5]]).reshape(1, 4, 4, 1)


def pool(windows, x, kind):
    """Padding is NaN here, which nanmax, nanmin and nanmean leave out."""
    return NUMPY[kind](windows.of(x, np.nan), axis=(4, 5))


@pytest.mark.parametrize(
    ("kind", "expected"), [(MAX, [[12, 10], [101, 88]]), (MIN, [[1, 1], [10, 5]]), (AVERAGE, [[6.5, 4.5], [33.25, 28.5]])]
)
def test_worked_example(run, kind, expected):
    y = np.empty((1, 2, 2, 1))
    run("pool2d", TEXT, y, 2, 2, 2, 2, 0, 0, kind)
    np.testing.assert_array_equal(y[0, :, :, 0], expected)


@kinds
def test_forward_equals_numpy(run, rng, windows, kind):
    x = rng.normal(size=windows.x_shape)
    y = np.full(windows.pooled_shape, np.nan)
    run("pool2d", x, y, *windows.kernel, *windows.integers, kind)
    np.testing.assert_allclose(y, pool(windows, x, kind), rtol=1e-12)


@kinds
def test_gradient_is_central_differences(run, rng, windows, kind, central_differences):
    # Whole numbers, all different: moving one by 1e-5 never changes the winner.
    x = rng.permutation(np.prod(windows.x_shape)).reshape(windows.x_shape).astype(float)
    y = pool(windows, x, kind)
    grad_y, grad_x = rng.normal(size=y.shape), np.full(x.shape, np.nan)
    run("pool2d_grad_input", grad_y, x, y, grad_x, *windows.kernel, *windows.integers, kind)
    expected = central_differences(lambda x: np.sum(grad_y * pool(windows, x, kind)), x)
    np.testing.assert_allclose(grad_x, expected, rtol=1e-6, atol=1e-6)


@kinds
def test_gradient_loses_nothing(run, rng, kind):
    """Windows without padding cover every gradient: the sum of what comes in goes out."""
    x, y, grad_y = np.round(rng.normal(size=(2, 7, 7, 3))), np.empty((2, 3, 3, 3)), rng.normal(size=(2, 3, 3, 3))
    grad_x = np.full(x.shape, np.nan)
    run("pool2d", x, y, 3, 3, 2, 2, 0, 0, kind)
    run("pool2d_grad_input", grad_y, x, y, grad_x, 3, 3, 2, 2, 0, 0, kind)
    np.testing.assert_allclose(grad_x.sum(axis=(1, 2)), grad_y.sum(axis=(1, 2)))


@pytest.mark.parametrize("kind", [MAX, MIN])
def test_the_first_of_equals_takes_the_gradient(run, kind):
    x, y, grad_x = np.zeros((1, 4, 4, 1)), np.empty((1, 2, 2, 1)), np.empty((1, 4, 4, 1))
    run("pool2d", x, y, 2, 2, 2, 2, 0, 0, kind)
    run("pool2d_grad_input", np.ones_like(y), x, y, grad_x, 2, 2, 2, 2, 0, 0, kind)
    np.testing.assert_array_equal(grad_x[0, :, :, 0], [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(("kind", "value"), [(MAX, -5.0), (MIN, 5.0), (AVERAGE, 5.0)])
def test_padding_never_counts(run, kind, value):
    x, y = np.full((1, 2, 2, 1), value), np.empty((1, 2, 2, 1))
    run("pool2d", x, y, 2, 2, 2, 2, 1, 1, kind)
    np.testing.assert_array_equal(y, x)


@kinds
def test_nan_wins_and_takes_the_gradient(run, kind):
    x = np.array([5.0, np.nan, 7.0, np.nan, 1.0, 2.0]).reshape(1, 1, 6, 1)
    y, grad_x = np.empty((1, 1, 2, 1)), np.empty_like(x)
    run("pool2d", x, y, 1, 4, 1, 2, 0, 0, kind)
    assert np.isnan(y).all()
    if kind != AVERAGE:
        run("pool2d_grad_input", np.array([1.0, 10.0]).reshape(y.shape), x, y, grad_x, 1, 4, 1, 2, 0, 0, kind)
        np.testing.assert_array_equal(grad_x.ravel(), [0, 1, 0, 10, 0, 0])
    run("pool2d_grad_input", np.full(y.shape, np.nan), x, y, grad_x, 1, 4, 1, 2, 0, 0, kind)
    assert np.isnan(grad_x).any()
