"""Public forms of the dense (fully connected) layer."""

import numpy as np

from jitcnn.forms.activation import activate
from jitcnn.forms.arrays import Array, ArrayLike, floating, matrix, output, same_dtype
from jitcnn.forms.binding import Call
from jitcnn.forms.codes import ACTIVATIONS
from jitcnn.forms.geometry import choice

X, W, Y = ("images", "inputs"), ("inputs", "units"), ("images", "units")


def dense(
    call: Call,
    x: ArrayLike,
    w: ArrayLike,
    b: ArrayLike | None = None,
    *,
    activation: str | None = None,
    out: ArrayLike | None = None,
) -> Array:
    """``y = activation(x @ w + b)``.

    Parameters
    ----------
    x : array (images, inputs)
        float32 or float64, as all arrays of the call.
    w : array (inputs, units)
        In C or Fortran order; neither is copied.
    b : array (units,), optional
    activation : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
    out : array (images, units), optional

    Returns
    -------
    array (images, units)

    Raises
    ------
    ValueError
        If shapes, dtypes or the activation do not fit, or `out` overlaps an input.

    Examples
    --------
    >>> from jitcnn.kernels import dense
    >>> dense([[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], [10.0, 20.0]).tolist()
    [[11.0, 22.0]]
    """
    x, w = floating("x", x, X), matrix("w", w, W)
    b = np.empty(0, x.dtype) if b is None else floating("b", b, ("units",))
    same_dtype(x=x, w=w, b=b)
    choice("activation", activation, ACTIVATIONS)
    y = output(out, (x.shape[0], w.shape[1]), x.dtype, x, w, b)
    call("dense", x, w, b, y)
    activate(call, activation, y)
    return y


def dense_grad_input(call: Call, grad_y: ArrayLike, w: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to the input of `dense` (without activation): ``grad_y @ w.T``.

    Parameters
    ----------
    grad_y : array (images, units)
        float32 or float64, as all arrays of the call.
    w : array (inputs, units)
        In C or Fortran order; neither is copied.
    out : array (images, inputs), optional

    Returns
    -------
    array (images, inputs)

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit together, or `out` overlaps an input.

    Examples
    --------
    >>> from jitcnn.kernels import dense_grad_input
    >>> dense_grad_input([[1.0, 10.0]], [[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[21.0, 43.0]]
    """
    grad_y, w = floating("grad_y", grad_y, Y), matrix("w", w, W)
    same_dtype(grad_y=grad_y, w=w)
    grad_x = output(out, (grad_y.shape[0], w.shape[0]), grad_y.dtype, grad_y, w)
    call("dense_grad_input", grad_y, w, grad_x)
    return grad_x


def dense_grad_weights(call: Call, grad_y: ArrayLike, x: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to the weights of `dense` (without activation), summed over the images: ``x.T @ grad_y``.

    Parameters
    ----------
    grad_y : array (images, units)
        float32 or float64, as all arrays of the call.
    x : array (images, inputs)
        The input of `dense`.
    out : array (inputs, units), optional
        In C or Fortran order.

    Returns
    -------
    array (inputs, units)

    Raises
    ------
    ValueError
        If shapes or dtypes do not fit together, or `out` overlaps an input.

    Examples
    --------
    >>> from jitcnn.kernels import dense_grad_weights
    >>> dense_grad_weights([[1.0, 10.0]], [[2.0, 3.0]]).tolist()
    [[2.0, 20.0], [3.0, 30.0]]
    """
    grad_y, x = floating("grad_y", grad_y, Y), floating("x", x, X)
    same_dtype(grad_y=grad_y, x=x)
    grad_w = output(out, (x.shape[1], grad_y.shape[1]), grad_y.dtype, grad_y, x, any_order=True)
    call("dense_grad_weights", grad_y, x, grad_w)
    return grad_w
