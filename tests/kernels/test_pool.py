"""Pooling against the loops in float64: overlapping and padded windows, ties, NaN."""

import numpy as np
import pytest

from jitcnn import kernels
from tests.kernels.oracle import agree

KINDS = ["max", "min", "average"]
# images, rows, columns, channels, kernel, stride, padding
QUICK = {
    "one pixel": (5, 1, 1, 1, (1, 1), (1, 1), 0),
    "halves": (33, 8, 6, 4, (2, 2), (2, 2), 0),
    "rows left over": (3, 9, 7, 8, (2, 2), (2, 2), 0),
    "overlapping, padded, odd channels": (2, 7, 6, 5, (3, 3), (1, 2), 1),
    "one channel, many windows": (2, 4, 75, 1, (2, 2), (2, 2), 0),
    "two channels, overlapping rows": (2, 6, 41, 2, (3, 2), (1, 2), 1),
    "four channels, padded": (2, 7, 23, 4, (2, 2), (2, 2), 1),
    "eight channels, one row": (2, 2, 15, 8, (1, 2), (2, 2), 0),
    "gaps": (2, 8, 9, 3, (2, 1), (3, 2), ((0, 0), (0, 0))),
}
MORE = {
    "large windows": (2, 15, 14, 2, (7, 7), (3, 3), 3),
    "windows of the image's size": (3, 5, 4, 17, (5, 4), (5, 4), 0),
    "padding on one side": (2, 6, 6, 16, (3, 2), (2, 2), ((0, 2), (1, 0))),
    "one row": (4, 1, 9, 24, (1, 5), (1, 2), ((0, 0), (2, 2))),
    "one column": (1, 9, 1, 33, (4, 1), (2, 1), ((3, 1), (0, 0))),
    "apart but padded": (2, 6, 8, 10, (2, 2), (2, 2), 1),
    "apart but padded behind": (2, 5, 7, 32, (2, 2), (2, 2), ((0, 1), (0, 1))),
    "windows partly in every border": (2, 2, 2, 40, (4, 4), (1, 1), 2),
    "64 channels": (2, 6, 6, 64, (2, 3), (2, 3), 0),
}
CASES = [
    *(pytest.param(case, np.float32, id=name) for name, case in QUICK.items()),
    pytest.param(QUICK["overlapping, padded, odd channels"], np.float64, id="overlapping, padded, odd channels, float64"),
    *(pytest.param(case, np.float32, id=name, marks=pytest.mark.slow) for name, case in MORE.items()),
    *(pytest.param(case, np.float64, id=f"{name}, float64", marks=pytest.mark.slow) for name, case in (QUICK | MORE).items()),
]


def both(rng, x, kernel, stride, padding, kind):
    """(y, grad_x), checked."""
    y, state = agree("pool2d", x, kernel, stride=stride, padding=padding, kind=kind)
    grad_y = rng.normal(size=y.shape).astype(x.dtype)
    return y, agree("pool2d_grad_input", grad_y, state)


@pytest.mark.parametrize(("case", "dtype"), CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_values_with_many_ties(rng, kind, case, dtype):
    *shape, kernel, stride, padding = case
    both(rng, rng.integers(-2, 3, shape).astype(dtype), kernel, stride, padding, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_of_equals_takes_the_gradient(kind):
    _, state = kernels.pool2d(np.ones((1, 4, 4, 4), np.float32), 2, kind=kind)
    grad_x = kernels.pool2d_grad_input(np.ones((1, 2, 2, 4), np.float32), state)[0, :, :, 3]
    first = np.tile([[1.0, 0], [0, 0]], (2, 2))
    np.testing.assert_array_equal(grad_x, np.full((4, 4), 0.25) if kind == "average" else first)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [0, 1])
def test_nan_wins(rng, kind, padding):
    x = rng.normal(size=(3, 5, 5, 5)).astype(np.float32)
    x[1, 1, 1, 2] = x[1, 1, 2, 2] = x[2, 4, 4, 4] = np.nan
    x[0, 0, 0, 0] = -np.inf if kind == "max" else np.inf
    y, grad_x = both(rng, x, 3, 2, padding, kind)
    assert np.isnan(y[1]).any() and not np.isnan(y[0]).any()
    assert not np.isnan(grad_x).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "padding"), [(4, 0), (1, 1)])
def test_nan_wins_where_windows_share_a_vector(rng, kind, channels, padding):
    x = rng.normal(size=(3, 4, 70, channels)).astype(np.float32)
    x[1, 1, 1, -1] = x[1, 1, 2, -1] = x[2, 3, 69, -1] = np.nan
    y, grad_x = both(rng, x, 2, 2, padding, kind)
    assert np.isnan(y[1]).any() and np.isnan(y[2]).any() and not np.isnan(y[0]).any()
    assert not np.isnan(grad_x).any()


def test_zeros_of_both_signs_are_equal():
    x = np.array([0.0, -0.0, -0.0, 0.0], np.float32).reshape(1, 2, 2, 1)
    for kind in ("max", "min"):
        _, state = kernels.pool2d(x, 2, kind=kind)
        assert kernels.pool2d_grad_input(np.ones((1, 1, 1, 1), np.float32), state).ravel().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_has_the_same_bits_at_any_place(rng, kind):
    x = rng.normal(size=(33, 7, 6, 5)).astype(np.float32)
    settings = {"stride": (1, 2), "padding": 1, "kind": kind}
    y, state = kernels.pool2d(x, 3, **settings)
    grad_x = kernels.pool2d_grad_input(y, state)
    for images in (slice(0, 1), slice(30, 33)):
        part, state = kernels.pool2d(x[images], 3, **settings)
        assert part.tobytes() == y[images].tobytes()
        assert kernels.pool2d_grad_input(part, state).tobytes() == grad_x[images].tobytes()
