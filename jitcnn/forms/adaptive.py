"""Public forms of the updates that divide by the usual size of each weight's gradient; see `jitcnn.forms.update`."""

from jitcnn.checks import amount, share
from jitcnn.forms.arrays import Array, ArrayLike
from jitcnn.forms.binding import Call
from jitcnn.forms.update import change


def rmsprop(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    v: ArrayLike,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """RMSprop (Hinton, 2012): ``v = alpha * v + (1 - alpha) * g**2``, then ``w -= lr * g / (sqrt(v) + eps)``.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    v : C-contiguous array like `w`
        The running mean of the squared gradients, zeros at first. Changed in place.
    lr : float
        The learning rate.
    alpha : float
        How much of `v` stays; 0 <= alpha < 1.
    eps : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    out : array like `w`, optional
        Where the new weights go instead.

    Returns
    -------
    array like `w`
        `w`, or `out`.

    Raises
    ------
    ValueError
        If shapes or dtypes differ, an array that is changed cannot be, two of them overlap, or a setting is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import rmsprop
    >>> rmsprop(np.array([1.0]), np.array([5.0]), np.zeros(1), lr=0.5, weight_decay=0).round(4).tolist()
    [-4.0]
    """
    hyper = [amount("lr", lr), share("alpha", alpha), amount("eps", eps), amount("weight_decay", weight_decay)]
    return change(call, "rmsprop", w, g, out, hyper, v=v)


def adagrad(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    v: ArrayLike,
    lr: float = 1e-2,
    eps: float = 1e-10,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Adagrad (Duchi, Hazan and Singer, 2011): ``v += g**2``, then ``w -= lr * g / (sqrt(v) + eps)``.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    v : C-contiguous array like `w`
        The sum of the squared gradients, zeros at first. Changed in place.
    lr : float
        The learning rate.
    eps : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    out : array like `w`, optional
        Where the new weights go instead.

    Returns
    -------
    array like `w`
        `w`, or `out`.

    Raises
    ------
    ValueError
        If shapes or dtypes differ, an array that is changed cannot be, two of them overlap, or a setting is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import adagrad
    >>> adagrad(np.array([1.0]), np.array([5.0]), np.zeros(1), lr=0.5, weight_decay=0).round(4).tolist()
    [0.5]
    """
    hyper = [amount("lr", lr), amount("eps", eps), amount("weight_decay", weight_decay)]
    return change(call, "adagrad", w, g, out, hyper, v=v)


def adadelta(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    v: ArrayLike,
    u: ArrayLike,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Adadelta (Zeiler, 2012), which steps in units of the usual step.

    ``v = rho * v + (1 - rho) * g**2``, ``move = sqrt(u + eps) / sqrt(v + eps) * g``, ``u = rho * u + (1 - rho) * move**2``, then
    ``w -= lr * move``.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    v, u : C-contiguous arrays like `w`
        The running means of the squared gradients and of the squared moves, zeros at first. Changed in place.
    lr : float
        The learning rate.
    rho : float
        How much of `v` and `u` stays; 0 <= rho < 1.
    eps : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    out : array like `w`, optional
        Where the new weights go instead.

    Returns
    -------
    array like `w`
        `w`, or `out`.

    Raises
    ------
    ValueError
        If shapes or dtypes differ, an array that is changed cannot be, two of them overlap, or a setting is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import adadelta
    >>> adadelta(np.array([1.0]), np.array([5.0]), np.zeros(1), np.zeros(1), lr=0.5, weight_decay=0).round(4).tolist()
    [0.9984]
    """
    hyper = [amount("lr", lr), share("rho", rho), amount("eps", eps), amount("weight_decay", weight_decay)]
    return change(call, "adadelta", w, g, out, hyper, v=v, u=u)
