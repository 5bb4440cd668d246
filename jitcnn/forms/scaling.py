"""Public forms of what makes numbers larger or smaller by image or by channel."""

import numpy as np

from jitcnn.forms.arrays import IMAGES, Array, ArrayLike, floating, output, same_dtype, take
from jitcnn.forms.binding import Call


def scale_rows(call: Call, x: ArrayLike, scales: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """All numbers of each image times a factor of the image: ``y[n] = x[n] * scales[n]``.

    Parameters
    ----------
    x : array (images, ...)
        float32 or float64.
    scales : array (images,)
        Of the same dtype.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`

    Raises
    ------
    ValueError
        If shapes or dtypes are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import scale_rows
    >>> scale_rows([[1.0, 2.0], [3.0, 4.0]], [1.0, 0.5]).tolist()
    [[1.0, 2.0], [1.5, 2.0]]
    """
    x, scales = floating("x", x), floating("scales", scales, ("images",))
    same_dtype(x=x, scales=scales)
    if scales.shape != x.shape[:1]:
        raise ValueError(f"scales are {scales.shape}, expected {x.shape[:1]}, one for each image of x")
    y = output(out, x.shape, x.dtype, x, scales, instead_of=x)
    call("scale_rows", x, scales, y)
    return y


def standardize(call: Call, x: ArrayLike, mean: ArrayLike, deviation: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Images whose channels have their mean subtracted and are divided by their deviation, both in float64.

    Parameters
    ----------
    x : array (images, rows, columns, channels)
        float32 or float64.
    mean, deviation : sequence of float, (channels,)
        Every deviation is above 0.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`

    Raises
    ------
    ValueError
        If shapes, dtypes or deviations are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import standardize
    >>> standardize([[[[5.0, 1.0]]]], [3, 0], [2, 4]).ravel().tolist()
    [1.0, 0.25]
    """
    x = floating("x", x, IMAGES)
    means, deviations = _by_channel("mean", mean, x.shape[3]), _by_channel("deviation", deviation, x.shape[3])
    if (deviations <= 0).any():
        raise ValueError(f"deviation is {deviations.tolist()}, expected numbers above 0")
    y = output(out, x.shape, x.dtype, x, means, deviations, instead_of=x)
    call("standardize", x, means, deviations, y)
    return y


def _by_channel(name: str, values: ArrayLike, channels: int) -> Array:
    array = take(name, values)
    if array.dtype.kind not in "iuf" or array.shape != (channels,):
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, expected ({channels},) numbers, one a channel")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is {array.tolist()}, expected finite numbers")
    return np.require(array, np.float64, ["C", "A"])
