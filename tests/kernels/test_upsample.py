import numpy as np
import pytest

from jitcnn.kernels.buffers import Border
from jitcnn.kernels.upsample import LOWERINGS
from jitcnn.reference import upsample

SIZES = {  # rows, columns, channels, factors
    "one pixel": (1, 1, 1, 2, 2),
    "one channel": (5, 7, 1, 2, 3),
    "one row": (1, 6, 3, 3, 1),
    "one column": (6, 1, 2, 1, 5),
    "many channels": (3, 4, 33, 2, 2),
    "no change": (4, 3, 2, 1, 1),
    "large factor": (2, 3, 5, 4, 17),
}
pytestmark = [
    pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys()),
    pytest.mark.parametrize("dtype", [np.float32, np.float64]),
    pytest.mark.parametrize("border", [Border(), Border(1, 2, 0, 3)], ids=["plain", "border"]),
]


def shapes(size, images=6):
    height, width, channels, factor_h, factor_w = size
    return (images, height, width, channels), (images, height * factor_h, width * factor_w, channels), (factor_h, factor_w)


def test_upsample2d(apply, rng, size, dtype, border):
    small, large, factors = shapes(size)
    x = rng.normal(size=small).astype(dtype)
    x[0, 0, 0, 0] = np.nan
    expected = np.empty(large, dtype)
    upsample.upsample2d(x, expected, *factors)
    np.testing.assert_array_equal(apply(LOWERINGS["upsample2d"], x, large, *factors, border=border), expected)


def test_upsample2d_grad_input(apply, rng, size, dtype, border):
    small, large, factors = shapes(size)
    grad_y = rng.normal(size=large).astype(dtype)
    grad_y[1, 0, 0, 0] = np.nan
    expected = np.empty(small, dtype)
    upsample.upsample2d_grad_input(grad_y, expected, *factors)
    grad_x = apply(LOWERINGS["upsample2d_grad_input"], grad_y, small, *factors, border=border)
    np.testing.assert_allclose(grad_x, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=np.finfo(dtype).eps * 50)
    assert np.isnan(grad_x).sum() == 1
    two = apply(LOWERINGS["upsample2d_grad_input"], grad_y, small, *factors, border=border, threads=2)
    assert grad_x.tobytes() == two.tobytes()
    last = apply(LOWERINGS["upsample2d_grad_input"], grad_y, small, *factors, border=border, batch=1)
    assert last[:1].tobytes() == grad_x[:1].tobytes()
    assert (last[1:] == 77).all()
