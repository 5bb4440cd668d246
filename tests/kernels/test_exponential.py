import numba
import numpy as np
import pytest

from jitcnn.kernels import exponential
from jitcnn.kernels.compiling import OPTIONS

TRUTH = {
    "exp": (np.exp, 1.3),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), 3.0),
    "tanh": (np.tanh, 1.4),
}


def along(function, x):
    @numba.njit(**OPTIONS)  # as in a kernel: its freedom to reorder must not reach into the function
    def run(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    y = np.empty_like(x)
    run(x, y)
    return y


@pytest.mark.parametrize("name", TRUTH)
def test_units_in_the_last_place(rng, name):
    """As many as the module says, wherever the result is a normal float32; infinite where float32 is, and next to nothing below."""
    (function, limit), tiny = TRUTH[name], np.finfo(np.float32).tiny
    x = np.concatenate([np.linspace(-120, 100, 400_001), rng.normal(size=100_000), [1e-30, -1e-10, 1e4, -1e4]]).astype(np.float32)
    y = along(getattr(exponential, name)[np.float32], x)
    with np.errstate(over="ignore", under="ignore"):
        truth = function(x.astype(np.float64))
        rounded = truth.astype(np.float32)
    normal = np.isfinite(rounded) & (np.abs(rounded) > tiny)
    assert (np.abs(y[normal] - truth[normal]) / np.spacing(np.abs(rounded[normal]))).max() < limit
    np.testing.assert_allclose(y[~normal], rounded[~normal], atol=tiny)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRUTH)
def test_ends(name, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1e4, -1e4, 0], dtype)
    ends = {"exp": [np.nan, np.inf, 0, np.inf, 0, 1], "sigmoid": [np.nan, 1, 0, 1, 0, 0.5], "tanh": [np.nan, 1, -1, 1, -1, 0]}
    np.testing.assert_array_equal(along(getattr(exponential, name)[dtype], x), np.array(ends[name], dtype))
