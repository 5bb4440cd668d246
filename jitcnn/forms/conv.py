"""Public forms of the convolution: forward, gradients, and the gradient of a bias."""

from collections.abc import Sequence

import numpy as np

from jitcnn.forms.activation import activate
from jitcnn.forms.arrays import IMAGES, KERNEL, Array, ArrayLike, floating, output, same_dtype
from jitcnn.forms.binding import Call
from jitcnn.forms.codes import ACTIVATIONS, ALGORITHMS
from jitcnn.forms.geometry import Padding, Pair, Sides, choice, pair, shape, sides, window_counts


def conv2d(
    call: Call,
    x: ArrayLike,
    w: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    activation: str | None = None,
    algorithm: str = "auto",
    out: ArrayLike | None = None,
) -> Array:
    """Convolution of images with a bank of kernels (a cross-correlation, as in every deep-learning library).

    ``y[n, i, j, o] = activation(b[o] + sum over p, q, c of x[n, i * stride + p - top, j * stride + q - left, c] * w[p, q, c, o])``,
    where pixels outside the image count as 0 (Goodfellow, Bengio, Courville, *Deep Learning*, 2016, section 9.1).

    Parameters
    ----------
    x : array (images, rows, columns, channels)
        float32 or float64, as all arrays of the call.
    w : array (kernel rows, kernel columns, channels, filters)
    b : array (filters,), optional
    stride : int or (rows, columns)
    padding : int, (rows, columns) or ((top, bottom), (left, right))
        Zeros around the image.
    activation : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
        Softmax runs over the filters.
    algorithm : "auto", "direct" or "winograd"
        How the fast kernel computes it. Winograd's way (3 x 3 kernels at stride 1) takes a quarter of the products and is several times as
        fast for many channels, with errors in float32 of up to 2e-5 of the largest result (direct: 1e-6). "auto" chooses by the sizes.
    out : array (images, y rows, y columns, filters), optional
        Where the result goes.

    Returns
    -------
    array (images, y rows, y columns, filters)
        ``y rows = (rows + top + bottom - kernel rows) // stride + 1``, columns alike.

    Raises
    ------
    ValueError
        If shapes, dtypes or settings do not fit together, the output would be empty, or `out` overlaps an input.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import conv2d
    >>> conv2d(np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1)))[0, :, :, 0].tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    x, w = floating("x", x, IMAGES), floating("w", w, KERNEL)
    b = np.empty(0, x.dtype) if b is None else floating("b", b, ("filters",))
    same_dtype(x=x, w=w, b=b)
    strides, around = pair("stride", stride), sides(padding)
    choice("activation", activation, ACTIVATIONS)
    rows, columns = window_counts(x.shape[1:3], w.shape[:2], strides, around)
    y = output(out, (x.shape[0], rows, columns, w.shape[3]), x.dtype, x, w, b)
    call("conv2d", x, w, b, y, *strides, around[0][0], around[1][0], ALGORITHMS[choice("algorithm", algorithm, ALGORITHMS)])
    activate(call, activation, y)
    return y


def conv2d_grad_input(
    call: Call,
    grad_y: ArrayLike,
    w: ArrayLike,
    x_shape: Sequence[int],
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    algorithm: str = "auto",
    out: ArrayLike | None = None,
) -> Array:
    """Gradient of a loss with respect to the input of `conv2d` (without activation).

    ``grad_x[n, r, s, c] = sum over all i, j, p, q with i * stride + p - top = r and j * stride + q - left = s, and over o, of
    grad_y[n, i, j, o] * w[p, q, c, o]``: every output pixel hands its gradient back to the pixels that it saw.

    Parameters
    ----------
    grad_y : array (images, y rows, y columns, filters)
        float32 or float64, as all arrays of the call. The gradient behind an activation goes through its `..._grad` first.
    w : array (kernel rows, kernel columns, channels, filters)
    x_shape : (images, rows, columns, channels)
        The shape of the input, which `grad_y` alone does not tell.
    stride, padding, algorithm
        As for `conv2d`.
    out : array of `x_shape`, optional

    Returns
    -------
    array of `x_shape`

    Raises
    ------
    ValueError
        If shapes, dtypes or settings do not fit together, or `out` overlaps an input.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import conv2d_grad_input
    >>> conv2d_grad_input(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)), (1, 3, 3, 1))[0, :, :, 0].tolist()
    [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]
    """
    grad_y, w = floating("grad_y", grad_y, ("images", "y rows", "y columns", "filters")), floating("w", w, KERNEL)
    same_dtype(grad_y=grad_y, w=w)
    x_shape = shape("x_shape", x_shape, IMAGES)
    strides, around = pair("stride", stride), sides(padding)
    _fits(grad_y, x_shape, w.shape, strides, around)
    grad_x = output(out, x_shape, grad_y.dtype, grad_y, w)
    call(
        "conv2d_grad_input", grad_y, w, grad_x, *strides, around[0][0], around[1][0], ALGORITHMS[choice("algorithm", algorithm, ALGORITHMS)]
    )
    return grad_x


def conv2d_grad_weights(
    call: Call,
    grad_y: ArrayLike,
    x: ArrayLike,
    w_shape: Sequence[int],
    *,
    stride: Pair = 1,
    padding: Padding = 0,
    algorithm: str = "auto",
    out: ArrayLike | None = None,
) -> Array:
    """Gradient of a loss with respect to the weights of `conv2d` (without activation), summed over the images.

    ``grad_w[p, q, c, o] = sum over n, i, j of x[n, i * stride + p - top, j * stride + q - left, c] * grad_y[n, i, j, o]``.

    Parameters
    ----------
    grad_y : array (images, y rows, y columns, filters)
        float32 or float64, as all arrays of the call.
    x : array (images, rows, columns, channels)
        The input of `conv2d`.
    w_shape : (kernel rows, kernel columns, channels, filters)
        The shape of the weights, which `x` and `grad_y` alone do not tell.
    stride, padding, algorithm
        As for `conv2d`.
    out : array of `w_shape`, optional

    Returns
    -------
    array of `w_shape`

    Raises
    ------
    ValueError
        If shapes, dtypes or settings do not fit together, or `out` overlaps an input.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import conv2d_grad_weights
    >>> conv2d_grad_weights(np.ones((1, 2, 2, 1)), np.arange(9.0).reshape(1, 3, 3, 1), (2, 2, 1, 1))[:, :, 0, 0].tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    grad_y, x = floating("grad_y", grad_y, ("images", "y rows", "y columns", "filters")), floating("x", x, IMAGES)
    same_dtype(grad_y=grad_y, x=x)
    w_shape = shape("w_shape", w_shape, KERNEL)
    strides, around = pair("stride", stride), sides(padding)
    _fits(grad_y, x.shape, w_shape, strides, around)
    grad_w = output(out, w_shape, grad_y.dtype, grad_y, x)
    call(
        "conv2d_grad_weights",
        grad_y,
        x,
        grad_w,
        *strides,
        around[0][0],
        around[1][0],
        ALGORITHMS[choice("algorithm", algorithm, ALGORITHMS)],
    )
    return grad_w


def bias_grad(call: Call, grad_y: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to a bias, of `conv2d` and `dense` alike: the sum over everything but the last axis.

    Parameters
    ----------
    grad_y : array (images, ..., filters)
        float32 or float64.
    out : array (filters,), optional

    Returns
    -------
    array (filters,)

    Raises
    ------
    ValueError
        If `grad_y` has fewer than two axes, its dtype is another, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import bias_grad
    >>> bias_grad(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [4.0, 6.0]
    """
    grad_y = floating("grad_y", grad_y)
    if grad_y.ndim < 2:
        raise ValueError(f"grad_y is {grad_y.shape}, expected (images, ..., filters): give one image as grad_y[None]")
    grad_b = output(out, grad_y.shape[-1:], grad_y.dtype, grad_y)
    call("bias_grad", grad_y, grad_b)
    return grad_b


def _fits(grad_y: Array, x_shape: Sequence[int], w_shape: Sequence[int], stride: tuple[int, int], padding: Sides) -> None:
    """Raise a ValueError unless `grad_y` has the shape that `conv2d` gives its output."""
    expected = (x_shape[0], *window_counts(x_shape[1:3], (w_shape[0], w_shape[1]), stride, padding), w_shape[3])
    if grad_y.shape != expected:
        raise ValueError(
            f"grad_y is {grad_y.shape}, expected {expected}, the shape of y for x {tuple(x_shape)}, w {tuple(w_shape)}, "
            f"stride {stride} and padding {padding}: give what was given to conv2d"
        )
