"""Public forms of the activations. Each gradient takes the activation's output, from which its derivative can be read."""

from jitcnn.forms.arrays import Array, ArrayLike, floating, output, same_dtype
from jitcnn.forms.binding import Call


def activate(call: Call, activation: str | None, y: Array) -> None:
    """Run an activation on `y`, in place."""
    if activation not in (None, "linear"):
        call(activation, y, y)


def relu(call: Call, x: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """The larger of x and 0, elementwise; NaN stays NaN.

    Parameters
    ----------
    x : array of any shape
        float32 or float64.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`

    Raises
    ------
    ValueError
        If `x` is empty or not float32 or float64, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import relu
    >>> relu([-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 2.0]
    """
    return _elementwise(call, "relu", x, out)


def sigmoid(call: Call, x: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """``1 / (1 + exp(-x))``, elementwise, without overflow for large ``|x|``.

    Parameters
    ----------
    x : array of any shape
        float32 or float64.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`

    Raises
    ------
    ValueError
        If `x` is empty or not float32 or float64, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import sigmoid
    >>> sigmoid([0.0]).tolist()
    [0.5]
    """
    return _elementwise(call, "sigmoid", x, out)


def tanh(call: Call, x: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """The hyperbolic tangent, elementwise.

    Parameters
    ----------
    x : array of any shape
        float32 or float64.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`

    Raises
    ------
    ValueError
        If `x` is empty or not float32 or float64, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import tanh
    >>> tanh([0.0]).tolist()
    [0.0]
    """
    return _elementwise(call, "tanh", x, out)


def softmax(call: Call, x: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """``exp(x) / sum(exp(x))`` along the last axis, computed as ``exp(x - max(x))`` so that nothing overflows.

    Parameters
    ----------
    x : array (..., classes)
        float32 or float64.
    out : array like `x`, optional
        May be `x` itself.

    Returns
    -------
    array like `x`
        Sums to 1 along the last axis. A NaN makes its whole line NaN.

    Raises
    ------
    ValueError
        If `x` is empty or not float32 or float64, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import softmax
    >>> softmax([[0.0, 0.0]]).tolist()
    [[0.5, 0.5]]
    """
    x = floating("x", x)
    y = output(out, x.shape, x.dtype, x, instead_of=x)
    call("softmax", _rows(x), _rows(y))
    return y


def relu_grad(call: Call, grad_y: ArrayLike, y: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient through `relu`: ``grad_y`` where y > 0, else 0 (so 0 at x = 0).

    Parameters
    ----------
    grad_y : array of any shape
        float32 or float64.
    y : array like `grad_y`
        What `relu` gave.
    out : array like `grad_y`, optional
        May be `grad_y` itself.

    Returns
    -------
    array like `grad_y`
        NaN where `y` is NaN.

    Raises
    ------
    ValueError
        If shapes or dtypes differ or are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import relu_grad
    >>> relu_grad([5.0, 5.0], [0.0, 2.0]).tolist()
    [0.0, 5.0]
    """
    return _elementwise_grad(call, "relu_grad", grad_y, y, out)


def sigmoid_grad(call: Call, grad_y: ArrayLike, y: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient through `sigmoid`: ``grad_y * y * (1 - y)``.

    Parameters
    ----------
    grad_y : array of any shape
        float32 or float64.
    y : array like `grad_y`
        What `sigmoid` gave.
    out : array like `grad_y`, optional
        May be `grad_y` itself.

    Returns
    -------
    array like `grad_y`

    Raises
    ------
    ValueError
        If shapes or dtypes differ or are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import sigmoid_grad
    >>> sigmoid_grad([4.0], [0.5]).tolist()
    [1.0]
    """
    return _elementwise_grad(call, "sigmoid_grad", grad_y, y, out)


def tanh_grad(call: Call, grad_y: ArrayLike, y: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient through `tanh`: ``grad_y * (1 - y * y)``.

    Parameters
    ----------
    grad_y : array of any shape
        float32 or float64.
    y : array like `grad_y`
        What `tanh` gave.
    out : array like `grad_y`, optional
        May be `grad_y` itself.

    Returns
    -------
    array like `grad_y`

    Raises
    ------
    ValueError
        If shapes or dtypes differ or are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import tanh_grad
    >>> tanh_grad([4.0], [0.5]).tolist()
    [3.0]
    """
    return _elementwise_grad(call, "tanh_grad", grad_y, y, out)


def softmax_grad(call: Call, grad_y: ArrayLike, y: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """Gradient through `softmax`, with its full Jacobian: ``y * (grad_y - sum(grad_y * y))`` along the last axis.

    The Jacobian is ``dy_i / dx_j = y_i * ((i == j) - y_j)``; multiplied from the left by `grad_y` it gives the line above.

    Parameters
    ----------
    grad_y : array (..., classes)
        float32 or float64.
    y : array like `grad_y`
        What `softmax` gave.
    out : array like `grad_y`, optional
        May be `grad_y` itself.

    Returns
    -------
    array like `grad_y`

    Raises
    ------
    ValueError
        If shapes or dtypes differ or are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import softmax_grad
    >>> softmax_grad([[1.0, 0.0]], [[0.5, 0.5]]).tolist()
    [[0.25, -0.25]]
    """
    grad_y, y = _pair(grad_y, y)
    grad_x = output(out, y.shape, y.dtype, grad_y, y, instead_of=grad_y)
    call("softmax_grad", _rows(grad_y), _rows(y), _rows(grad_x))
    return grad_x


def _elementwise(call: Call, name: str, x: ArrayLike, out: ArrayLike | None) -> Array:
    x = floating("x", x)
    y = output(out, x.shape, x.dtype, x, instead_of=x)
    call(name, x, y)
    return y


def _elementwise_grad(call: Call, name: str, grad_y: ArrayLike, y: ArrayLike, out: ArrayLike | None) -> Array:
    grad_y, y = _pair(grad_y, y)
    grad_x = output(out, y.shape, y.dtype, grad_y, y, instead_of=grad_y)
    call(name, grad_y, y, grad_x)
    return grad_x


def _pair(grad_y: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    grad_y, y = floating("grad_y", grad_y), floating("y", y)
    same_dtype(grad_y=grad_y, y=y)
    if grad_y.shape != y.shape:
        raise ValueError(f"grad_y is {grad_y.shape} and y is {y.shape}, expected one shape: give the activation's output as y")
    return grad_y, y


def _rows(x: Array) -> Array:
    """A single line of classes as a batch of one; compiled code runs over the first axis."""
    return x[None] if x.ndim == 1 else x
