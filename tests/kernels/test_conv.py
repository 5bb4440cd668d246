"""Convolutions and the gradient of a bias against the loops in float64."""

import numba
import numpy as np
import pytest

from jitcnn import kernels
from tests.kernels.oracle import agree

# images, rows, columns, channels, filters, kernel, stride, (top, bottom), (left, right)
QUICK = {
    "one pixel": (5, 1, 1, 1, 1, (1, 1), (1, 1), (0, 0), (0, 0)),
    "digits": (3, 28, 28, 1, 8, (3, 3), (1, 1), (0, 0), (0, 0)),
    "padded all round": (2, 9, 7, 3, 5, (3, 3), (1, 1), (1, 1), (1, 1)),
    "odd kernel, strides and sides": (33, 5, 5, 2, 10, (5, 4), (2, 3), (2, 1), (0, 2)),
    "windows that do not fit": (3, 8, 11, 4, 3, (3, 2), (2, 4), (0, 0), (0, 0)),
    "stride larger than the kernel": (1, 8, 9, 4, 6, (2, 2), (3, 4), (0, 0), (0, 0)),
    "kernel of one pixel, strides": (2, 6, 5, 5, 4, (1, 1), (2, 3), (0, 0), (0, 0)),
    "padding larger than the kernel": (2, 4, 4, 3, 2, (3, 3), (1, 1), (3, 5), (4, 3)),
    "many channels": (2, 7, 6, 17, 33, (2, 3), (1, 1), (0, 1), (1, 0)),
    "many filters": (1, 12, 12, 24, 40, (3, 3), (1, 1), (0, 0), (0, 0)),
    "strips of many filters": (2, 19, 17, 2, 72, (3, 3), (1, 1), (1, 1), (1, 1)),
    "strips of neighbours together": (1, 28, 28, 1, 24, (5, 5), (1, 1), (0, 0), (0, 0)),
    "few pixels of many filters": (9, 5, 4, 5, 200, (3, 3), (2, 1), (1, 0), (0, 1)),
    "one row": (4, 1, 9, 2, 16, (1, 5), (1, 2), (0, 0), (2, 2)),
}
MORE = {
    "one column": (4, 9, 1, 10, 1, (5, 1), (2, 1), (2, 2), (0, 0)),
    "large kernel": (1, 30, 30, 3, 64, (7, 7), (2, 2), (3, 3), (3, 3)),
    "32 to 32": (4, 10, 10, 32, 32, (3, 3), (1, 1), (1, 1), (1, 1)),
    "64 to 64": (3, 6, 6, 64, 64, (3, 3), (1, 1), (0, 0), (0, 0)),
    "40 to 17": (2, 8, 8, 40, 17, (1, 1), (1, 1), (0, 0), (0, 0)),
    "33 to 24": (7, 6, 6, 33, 24, (3, 3), (1, 2), (1, 0), (1, 2)),
    "16 to 10": (2, 11, 13, 16, 10, (5, 5), (2, 2), (2, 2), (2, 2)),
    "8 to 16": (33, 26, 26, 8, 16, (3, 3), (1, 1), (0, 0), (0, 0)),
    "5 to 2": (2, 8, 8, 5, 2, (4, 4), (3, 1), (3, 0), (0, 3)),
    "6 x 2": (2, 9, 8, 2, 3, (6, 2), (1, 3), (0, 0), (1, 1)),
    "kernel as large as the image": (3, 6, 5, 4, 8, (6, 5), (1, 1), (0, 0), (0, 0)),
    "kernel larger than the image": (3, 2, 3, 3, 4, (7, 6), (1, 1), (3, 3), (3, 2)),
}
CASES = [
    *(pytest.param(case, np.float32, id=name) for name, case in QUICK.items()),
    *(pytest.param(QUICK[name], np.float64, id=f"{name}, float64") for name in ["odd kernel, strides and sides"]),
    *(pytest.param(case, np.float32, id=name, marks=pytest.mark.slow) for name, case in MORE.items()),
    *(pytest.param(case, np.float64, id=f"{name}, float64", marks=pytest.mark.slow) for name, case in (QUICK | MORE).items()),
]


def passes(rng, case, dtype, check=agree):
    """All passes of one convolution."""
    images, rows, columns, channels, filters, kernel, stride, vertical, horizontal = case
    settings = {"stride": stride, "padding": (vertical, horizontal)}
    x = rng.normal(size=(images, rows, columns, channels)).astype(dtype)
    w, b = rng.normal(size=(*kernel, channels, filters)).astype(dtype), rng.normal(size=filters).astype(dtype)
    y = check("conv2d", x, w, b, **settings)
    grad_y = rng.normal(size=y.shape).astype(dtype)
    return [
        y,
        check("conv2d", x, w, **settings),
        check("conv2d_grad_input", grad_y, w, x.shape, **settings),
        check("conv2d_grad_weights", grad_y, x, w.shape, **settings),
        check("bias_grad", grad_y),
    ]


@pytest.mark.parametrize(("case", "dtype"), CASES)
def test_all_passes(rng, case, dtype):
    passes(rng, case, dtype)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh", "softmax"])
def test_activations(rng, activation):
    x, w = rng.normal(size=(3, 5, 5, 2)).astype(np.float32), rng.normal(size=(3, 3, 2, 4)).astype(np.float32)
    agree("conv2d", x, w, activation=activation)


@pytest.mark.parametrize("shape", [(7, 3), (1, 1), (3, 5, 4), (33, 2, 3, 2, 17)], ids=str)
def test_bias_gradients_of_other_shapes(rng, shape):
    agree("bias_grad", rng.normal(size=shape).astype(np.float32))


def test_nan_is_in_every_window_that_sees_it(rng):
    x, w = rng.normal(size=(3, 7, 7, 2)).astype(np.float32), rng.normal(size=(3, 3, 2, 5)).astype(np.float32)
    x[1, 3, 2, 0] = np.nan
    y = agree("conv2d", x, w, padding=1)
    assert np.isnan(y).sum() == 9 * 5
    grad_y = rng.normal(size=y.shape).astype(np.float32)
    assert np.isnan(agree("conv2d_grad_weights", grad_y, x, w.shape, padding=1)[:, :, 0]).all()
    grad_y[2, 0, 0, 3] = np.nan
    assert np.isnan(agree("conv2d_grad_input", grad_y, w, x.shape, padding=1)).sum() == 4 * 2
    assert np.isnan(agree("bias_grad", grad_y)).tolist() == [False, False, False, True, False]


def test_same_bits_wherever_an_image_stands_and_on_any_number_of_threads(rng):
    case = QUICK["odd kernel, strides and sides"]
    _, rows, columns, channels, filters, kernel, stride, *padding = case
    x, w = (
        rng.normal(size=(33, rows, columns, channels)).astype(np.float32),
        rng.normal(size=(*kernel, channels, filters)).astype(np.float32),
    )
    settings = {"stride": stride, "padding": tuple(padding)}
    y = kernels.conv2d(x, w, **settings)
    grad_x = kernels.conv2d_grad_input(y, w, x.shape, **settings)
    for images in (slice(0, 1), slice(7, 8), slice(30, 33)):
        assert kernels.conv2d(x[images], w, **settings).tobytes() == y[images].tobytes()
        assert kernels.conv2d_grad_input(y[images], w, x[images].shape, **settings).tobytes() == grad_x[images].tobytes()
    threads = numba.get_num_threads()
    results = []
    try:
        for number in {1, threads}:
            numba.set_num_threads(number)
            results.append(passes(np.random.default_rng(1), case, np.float32, lambda name, *a, **s: getattr(kernels, name)(*a, **s)))
    finally:
        numba.set_num_threads(threads)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(results[0], results[-1], strict=True))
