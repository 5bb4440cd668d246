"""Public forms of pooling."""

from typing import NamedTuple

from jitcnn.forms.arrays import IMAGES, Array, ArrayLike, floating, output, same_dtype
from jitcnn.forms.binding import Call
from jitcnn.forms.codes import POOLS
from jitcnn.forms.geometry import Padding, Pair, Sides, choice, pair, sides, window_counts


class PoolState(NamedTuple):
    """What `pool2d_grad_input` needs of a call of `pool2d`. The arrays are not copies: leave them as they are until then.

    Attributes
    ----------
    x : array (images, rows, columns, channels)
    y : array (images, y rows, y columns, channels)
    kernel_size, stride : (rows, columns)
    padding : ((top, bottom), (left, right))
    kind : "max", "min" or "average"
    """

    x: Array
    y: Array
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: Sides
    kind: str


def pool2d(
    call: Call,
    x: ArrayLike,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    kind: str = "max",
    out: ArrayLike | None = None,
) -> tuple[Array, PoolState]:
    """The largest, the smallest, or the average pixel of each window, channel by channel.

    Padding only moves the windows: it never wins a maximum or minimum, and the average divides by the number of pixels that are in
    the image, not by the window's size. A NaN in a window makes its result NaN.

    Parameters
    ----------
    x : array (images, rows, columns, channels)
        float32 or float64.
    kernel_size : int or (rows, columns)
        The window's size.
    stride : int or (rows, columns), optional
        From window to window; `kernel_size` if None. Windows may overlap, or leave pixels out.
    padding : int, (rows, columns) or ((top, bottom), (left, right))
        Less than the window's size on each side.
    kind : "max", "min" or "average"
    out : array (images, y rows, y columns, channels), optional
        Where `y` goes.

    Returns
    -------
    y : array (images, y rows, y columns, channels)
        ``y rows = (rows + top + bottom - kernel rows) // stride + 1``, columns alike.
    state : PoolState
        For `pool2d_grad_input`.

    Raises
    ------
    ValueError
        If shapes, dtypes or settings do not fit together, the output would be empty, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import pool2d
    >>> pool2d(np.arange(16.0).reshape(1, 4, 4, 1), 2)[0][0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    x = floating("x", x, IMAGES)
    kernel = pair("kernel_size", kernel_size)
    strides = kernel if stride is None else pair("stride", stride)
    around = sides(padding)
    choice("kind", kind, POOLS)
    for size, side, word in zip(kernel, around, ("rows", "columns"), strict=True):
        if max(side) >= size:
            raise ValueError(f"padding {side} of the {word} makes windows of {size} without a pixel: give at most {size - 1} on each side")
    rows, columns = window_counts(x.shape[1:3], kernel, strides, around)
    y = output(out, (x.shape[0], rows, columns, x.shape[3]), x.dtype, x)
    call("pool2d", x, y, *kernel, *strides, around[0][0], around[1][0], POOLS[kind])
    return y, PoolState(x, y, kernel, strides, around, kind)


def pool2d_grad_input(call: Call, grad_y: ArrayLike, state: PoolState, *, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to the input of `pool2d`.

    The gradient of a window goes to its winner (the first of equals, row by row; the first NaN if there is one), or in equal shares to
    all of its pixels in the image ("average"). A pixel in several windows gets the sum.

    Parameters
    ----------
    grad_y : array (images, y rows, y columns, channels)
        float32 or float64, as given to `pool2d`.
    state : PoolState
        What `pool2d` returned.
    out : array (images, rows, columns, channels), optional

    Returns
    -------
    array (images, rows, columns, channels)

    Raises
    ------
    ValueError
        If `grad_y` has not the shape and dtype of y, `state` is not a `PoolState`, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import pool2d, pool2d_grad_input
    >>> y, state = pool2d(np.array([[1.0, 2.0], [2.0, 0.0]])[None, :, :, None], 2)
    >>> pool2d_grad_input(np.full((1, 1, 1, 1), 3.0), state)[0, :, :, 0].tolist()
    [[0.0, 3.0], [0.0, 0.0]]
    """
    if not isinstance(state, PoolState):
        raise ValueError(f"state is a {type(state).__name__}, expected the PoolState that pool2d returned")
    grad_y = floating("grad_y", grad_y, ("images", "y rows", "y columns", "channels"))
    x, y = floating("state.x", state.x, IMAGES), floating("state.y", state.y, IMAGES)
    same_dtype(y=y, x=x, grad_y=grad_y)
    if grad_y.shape != y.shape:
        raise ValueError(f"grad_y is {grad_y.shape}, expected {y.shape}, the shape of pool2d's output: give the state of the same call")
    grad_x = output(out, x.shape, x.dtype, grad_y, x, y)
    (top, _), (left, _) = sides(state.padding)
    kernel, strides = pair("state.kernel_size", state.kernel_size), pair("state.stride", state.stride)
    call("pool2d_grad_input", grad_y, x, y, grad_x, *kernel, *strides, top, left, POOLS[choice("state.kind", state.kind, POOLS)])
    return grad_x
