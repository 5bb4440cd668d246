import numpy as np
import pytest

from jitcnn.forms.codes import EDGE, ZERO
from jitcnn.kernels.buffers import Border
from jitcnn.kernels.padding import LOWERINGS
from jitcnn.reference import padding

SIZES = {  # rows, columns, channels; padding: top, left, bottom, right
    "one pixel": (1, 1, 1, 1, 1, 1, 1),
    "one pixel, wide": (1, 1, 3, 4, 3, 2, 5),
    "one channel": (5, 7, 1, 1, 2, 3, 0),
    "one row": (1, 6, 3, 0, 1, 2, 1),
    "one column": (6, 1, 2, 2, 3, 0, 2),
    "many channels": (3, 4, 33, 1, 1, 1, 1),
    "none": (4, 3, 2, 0, 0, 0, 0),
}
pytestmark = [
    pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys()),
    pytest.mark.parametrize("dtype", [np.float32, np.float64]),
    pytest.mark.parametrize("border", [Border(), Border(1, 2, 0, 3)], ids=["plain", "border"]),
    pytest.mark.parametrize("mode", [ZERO, EDGE], ids=["zero", "edge"]),
]


def shapes(size, images=6):
    height, width, channels, top, left, bottom, right = size
    return (images, height, width, channels), (images, height + top + bottom, width + left + right, channels), (top, left)


def test_pad2d(apply, rng, size, dtype, border, mode):
    small, large, before = shapes(size)
    x = rng.normal(size=small).astype(dtype)
    x[0, 0, 0, 0] = np.nan
    expected = np.empty(large, dtype)
    padding.pad2d(x, expected, *before, mode)
    np.testing.assert_array_equal(apply(LOWERINGS["pad2d"], x, large, *before, mode, border=border), expected)


def test_pad2d_grad_input(apply, rng, size, dtype, border, mode):
    small, large, before = shapes(size)
    grad_y = rng.normal(size=large).astype(dtype)
    grad_y[1, 0, 0, 0] = np.nan
    expected = np.empty(small, dtype)
    padding.pad2d_grad_input(grad_y, expected, *before, mode)
    grad_x = apply(LOWERINGS["pad2d_grad_input"], grad_y, small, *before, mode, border=border)
    np.testing.assert_allclose(grad_x, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=np.finfo(dtype).eps * 50)
    two = apply(LOWERINGS["pad2d_grad_input"], grad_y, small, *before, mode, border=border, threads=2)
    assert grad_x.tobytes() == two.tobytes()
    last = apply(LOWERINGS["pad2d_grad_input"], grad_y, small, *before, mode, border=border, batch=1)
    assert last[:1].tobytes() == grad_x[:1].tobytes()
    assert (last[1:] == 77).all()
