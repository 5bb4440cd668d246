"""What the tests of the loops share."""

import numpy as np
import pytest

from jitcnn.forms.prepared import check, without_hints
from jitcnn.reference.compiled import compiled
from jitcnn.reference.prepared import PREPARED


@pytest.fixture(params=["python", "loops"])
def run(request):
    """`run(name, *arguments)` calls a prepared form as plain Python or compiled, after the check that every engine makes."""

    def call(name, *arguments):
        check(name, *arguments)
        (PREPARED[name] if request.param == "python" else compiled(name))(*without_hints(name, arguments))

    return call


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture
def central_differences():
    """`central_differences(function, x)`: gradient of a number with respect to a float64 array, by moving one element at a time."""

    def gradient(function, x, size=1e-5):
        result = np.empty_like(x)
        for index in np.ndindex(x.shape):
            moved = x.copy()
            moved[index] = x[index] + size
            above = function(moved)
            moved[index] = x[index] - size
            result[index] = (above - function(moved)) / (2 * size)
        return result

    return gradient


def pytest_generate_tests(metafunc):
    if "windows" in metafunc.fixturenames:
        metafunc.parametrize("windows", WINDOWS.values(), ids=WINDOWS.keys())


class Windows:
    """An image size, a window, its step and the padding around."""

    def __init__(self, image, kernel, stride, padding=((0, 0), (0, 0)), images=2, channels=3, filters=4):
        self.x_shape = (images, *image, channels)
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.w_shape = (*kernel, channels, filters)
        out = [(size + sum(pad) - k) // s + 1 for size, pad, k, s in zip(image, padding, kernel, stride, strict=True)]
        self.y_shape = (images, *out, filters)
        self.pooled_shape = (images, *out, channels)
        self.integers = (*stride, padding[0][0], padding[1][0])

    def of(self, x, fill=0.0):
        """All windows of `x`, an array (n, out_h, out_w, c, kernel_h, kernel_w), by NumPy."""
        padded = np.pad(x, ((0, 0), *self.padding, (0, 0)), constant_values=fill)
        every = np.lib.stride_tricks.sliding_window_view(padded, self.kernel, axis=(1, 2))
        return every[:, :: self.stride[0], :: self.stride[1]]


WINDOWS = {
    "usual": Windows((6, 5), (3, 3), (1, 1)),
    "one pixel": Windows((1, 1), (1, 1), (1, 1), images=1, channels=1, filters=1),
    "one pixel, all padding around": Windows((1, 1), (3, 3), (1, 1), ((1, 1), (1, 1))),
    "one image, one channel": Windows((5, 4), (2, 3), (1, 1), images=1, channels=1, filters=1),
    "as large as the image": Windows((4, 3), (4, 3), (1, 1)),
    "larger than the image": Windows((2, 3), (4, 5), (1, 1), ((1, 2), (2, 1))),
    "overlapping, odd stride": Windows((9, 8), (4, 5), (3, 2)),
    "gaps between windows": Windows((9, 7), (2, 1), (3, 4)),
    "last rows do not fit": Windows((8, 9), (3, 2), (3, 4)),
    "padding on one side": Windows((5, 4), (3, 2), (1, 2), ((2, 0), (0, 1))),
    "stride larger than the image": Windows((3, 2), (2, 2), (5, 7), ((1, 0), (1, 1))),
}
