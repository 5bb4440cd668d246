"""Public forms of upsampling."""

from jitcnn.forms.arrays import IMAGES, Array, ArrayLike, floating, output
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import Pair, pair


def upsample2d(call: Call, x: ArrayLike, factor: Pair, *, out: ArrayLike | None = None) -> Array:
    """Larger images, every pixel repeated (nearest neighbour): ``y[n, i, j, c] = x[n, i // factor, j // factor, c]``.

    Parameters
    ----------
    x : array (images, rows, columns, channels)
        float32 or float64.
    factor : int or (rows, columns)
    out : array (images, rows * factor, columns * factor, channels), optional

    Returns
    -------
    array (images, rows * factor, columns * factor, channels)

    Raises
    ------
    ValueError
        If shape, dtype or factor are none of the above, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import upsample2d
    >>> upsample2d(np.array([[12.0, 10.0]])[None, :, :, None], 2)[0, :, :, 0].tolist()
    [[12.0, 12.0, 10.0, 10.0], [12.0, 12.0, 10.0, 10.0]]
    """
    x = floating("x", x, IMAGES)
    rows, columns = pair("factor", factor)
    y = output(out, (x.shape[0], x.shape[1] * rows, x.shape[2] * columns, x.shape[3]), x.dtype, x)
    call("upsample2d", x, y, rows, columns)
    return y


def upsample2d_grad_input(call: Call, grad_y: ArrayLike, factor: Pair, *, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to the input of `upsample2d`: the sum over each pixel's copies.

    Parameters
    ----------
    grad_y : array (images, rows * factor, columns * factor, channels)
        float32 or float64.
    factor : int or (rows, columns)
        As given to `upsample2d`.
    out : array (images, rows, columns, channels), optional

    Returns
    -------
    array (images, rows, columns, channels)

    Raises
    ------
    ValueError
        If `grad_y` has not a multiple of the factor's rows and columns, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import upsample2d_grad_input
    >>> upsample2d_grad_input(np.ones((1, 2, 4, 1)), 2)[0, :, :, 0].tolist()
    [[4.0, 4.0]]
    """
    grad_y = floating("grad_y", grad_y, IMAGES)
    rows, columns = pair("factor", factor)
    if grad_y.shape[1] % rows or grad_y.shape[2] % columns:
        raise ValueError(f"grad_y is {grad_y.shape}, expected rows and columns that are multiples of {rows} and {columns}, the factor")
    grad_x = output(out, (grad_y.shape[0], grad_y.shape[1] // rows, grad_y.shape[2] // columns, grad_y.shape[3]), grad_y.dtype, grad_y)
    call("upsample2d_grad_input", grad_y, grad_x, rows, columns)
    return grad_x
