import numpy as np
import pytest

from jitcnn.reference.codes import EDGE, ZERO
from jitcnn.reference.padding import nearest

BORDERS = [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 0), (0, 3)), ((0, 5), (4, 1))]
MODES = [(ZERO, "constant"), (EDGE, "edge")]


def pad(x, border, numpy_mode):
    return np.pad(x, ((0, 0), *border, (0, 0)), mode=numpy_mode)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("mode", "numpy_mode"), MODES)
@pytest.mark.parametrize("shape", [(2, 3, 4, 2), (1, 1, 1, 1)])
def test_equals_numpy(run, rng, border, mode, numpy_mode, shape):
    x = rng.normal(size=shape)
    expected = pad(x, border, numpy_mode)
    y = np.full(expected.shape, np.nan)
    run("pad2d", x, y, border[0][0], border[1][0], mode)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("mode", "numpy_mode"), MODES)
@pytest.mark.parametrize("shape", [(2, 3, 4, 2), (1, 1, 1, 1)])
def test_gradient_is_central_differences(run, rng, central_differences, border, mode, numpy_mode, shape):
    x = rng.normal(size=shape)
    grad_y = rng.normal(size=pad(x, border, numpy_mode).shape)
    grad_x = np.full(shape, np.nan)
    run("pad2d_grad_input", grad_y, grad_x, border[0][0], border[1][0], mode)
    expected = central_differences(lambda x: np.sum(grad_y * pad(x, border, numpy_mode)), x)
    np.testing.assert_allclose(grad_x, expected, rtol=1e-7, atol=1e-8)


def test_nan_stays(run):
    x, y = np.full((1, 1, 1, 1), np.nan), np.empty((1, 3, 3, 1))
    run("pad2d", x, y, 1, 1, EDGE)
    assert np.isnan(y).all()
    run("pad2d", x, y, 1, 1, ZERO)
    assert np.isnan(y).sum() == 1
    grad_y, grad_x = np.zeros((1, 3, 3, 1)), np.empty((1, 1, 1, 1))
    grad_y[0, 0, 0, 0] = np.nan
    run("pad2d_grad_input", grad_y, grad_x, 1, 1, EDGE)
    assert np.isnan(grad_x).all()


def test_nearest_stays_inside():
    assert [nearest(index, 1) for index in (-9, 0, 9)] == [0, 0, 0]
