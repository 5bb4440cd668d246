"""Public forms of dropout."""

import math

import numpy as np

from jitcnn.checks import share
from jitcnn.forms.arrays import Array, ArrayLike, floating, output
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import integer


def dropout_threshold(rate: float) -> int:
    """`rate` in units of 2**-32: an element is dropped where its 32-bit hash is smaller. A ValueError unless 0 <= rate < 1."""
    return math.floor(share("rate", rate) * 2**32)


def dropout(call: Call, x: ArrayLike, rate: float, *, seed: int, step: int, out: ArrayLike | None = None) -> Array:
    """Zeros at random places, the rest scaled so that the expectation stays: ``y = x * kept / (1 - rate)``.

    Each element is dropped with probability `rate`, independently (Srivastava et al., *Dropout*, JMLR 15, 2014, in its "inverted"
    form). The places are a hash of (seed, step, image, element), so the same arguments give the same places, on any number of threads.

    Parameters
    ----------
    x : array (images, ...)
        float32 or float64.
    rate : float
        0 <= rate < 1; effective in steps of 2**-32.
    seed : int
        Which sequence of places; its lowest 32 bits count.
    step : int
        Which places of that sequence; from training step to training step another.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`

    Raises
    ------
    ValueError
        If shape, dtype, `rate`, `seed` or `step` are none of the above, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import dropout
    >>> sorted(set(dropout(np.ones((2, 100)), 0.5, seed=0, step=1).ravel().tolist()))
    [0.0, 2.0]
    """
    return _dropout(call, "x", x, rate, seed, step, out)


def dropout_grad(call: Call, grad_y: ArrayLike, rate: float, *, seed: int, step: int, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to the input of `dropout`: the same elements dropped, the same scale for the rest.

    Parameters
    ----------
    grad_y : array (images, ...)
        float32 or float64.
    rate, seed, step
        As given to `dropout`.
    out : array like `grad_y`, optional
        May be `grad_y` itself.

    Returns
    -------
    array like `grad_y`

    Raises
    ------
    ValueError
        If shape, dtype, `rate`, `seed` or `step` are none of the above, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import dropout, dropout_grad
    >>> y = dropout(np.ones((2, 5)), 0.5, seed=0, step=1)
    >>> bool(np.all(dropout_grad(np.ones((2, 5)), 0.5, seed=0, step=1) == y))
    True
    """
    return _dropout(call, "grad_y", grad_y, rate, seed, step, out)


def _dropout(call: Call, name: str, x: ArrayLike, rate: float, seed: int, step: int, out: ArrayLike | None) -> Array:
    x = floating(name, x)
    threshold = dropout_threshold(rate)
    seed, step = integer("seed", seed), integer("step", step, at_least=0)
    y = output(out, x.shape, x.dtype, x, instead_of=x)
    call("dropout", x, y, threshold, seed, np.array([step], np.int64))
    return y
