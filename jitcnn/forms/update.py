"""Public forms of the optimizers' updates. They change the weights, and what they remember, in place."""

import numpy as np

from jitcnn.forms.arrays import Array, ArrayLike, apart, floating, in_place, output, same_dtype
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import integer, number


def sgd(call: Call, w: ArrayLike, g: ArrayLike, lr: float = 1e-3, weight_decay: float = 0.0, *, out: ArrayLike | None = None) -> Array:
    """Stochastic gradient descent: ``w -= lr * g``.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    lr : float
        The learning rate.
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
        If shapes or dtypes differ, an array that is changed cannot be, or two of them overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import sgd
    >>> sgd(np.array([1.0, 2.0]), np.array([10.0, 10.0]), 0.1).tolist()
    [0.0, 1.0]
    """
    hyper = [number("lr", lr, 0), number("weight_decay", weight_decay, 0)]
    new, gradient = state(w, g, out)
    call("sgd", new.reshape(-1), gradient.reshape(-1), *turn(hyper))
    return new


def momentum(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    v: ArrayLike,
    lr: float = 1e-3,
    beta: float = 0.9,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Gradient descent with momentum: ``v = beta * v + g``, then ``w -= lr * v`` (as PyTorch's ``SGD`` with ``momentum``).

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    v : C-contiguous array like `w`
        The velocity, zeros at first. Changed in place.
    lr : float
        The learning rate.
    beta : float
        How much of the velocity stays; 0 <= beta < 1.
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
        If shapes or dtypes differ, an array that is changed cannot be, or two of them overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import momentum
    >>> momentum(np.array([1.0]), np.array([1.0]), np.array([10.0]), 0.1, 0.9).tolist()
    [0.0]
    """
    hyper = [number("lr", lr, 0), number("beta", beta, 0, 1), number("weight_decay", weight_decay, 0)]
    new, gradient, velocity = state(w, g, out, v=v)
    call("momentum", new.reshape(-1), gradient.reshape(-1), velocity.reshape(-1), *turn(hyper))
    return new


def adam(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Adam (Kingma and Ba, 2015, algorithm 1; the formulas in PyTorch's order).

    ``m = beta1 * m + (1 - beta1) * g``, ``v = beta2 * v + (1 - beta2) * g**2``, then
    ``w -= lr / (1 - beta1**step) * m / (sqrt(v) / sqrt(1 - beta2**step) + eps)``.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    m, v : C-contiguous arrays like `w`
        The running means of the gradient and of its square, zeros at first. Changed in place.
    step : int
        The number of this update, 1 for the first.
    lr : float
        The learning rate.
    betas : (float, float)
        How much of `m` and of `v` stays; each from 0 to less than 1.
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
    >>> from jitcnn.kernels import adam
    >>> adam(np.array([1.0]), np.array([5.0]), np.zeros(1), np.zeros(1), 1, 0.1).round(6).tolist()
    [0.9]
    """
    hyper = [number("lr", lr, 0), *pair(betas), number("eps", eps, 0), number("weight_decay", weight_decay, 0)]
    new, gradient, mean, square = state(w, g, out, m=m, v=v)
    call(
        "adam", new.reshape(-1), gradient.reshape(-1), mean.reshape(-1), square.reshape(-1), *turn(hyper, integer("step", step, at_least=1))
    )
    return new


def nesterov(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    v: ArrayLike,
    lr: float = 1e-3,
    beta: float = 0.9,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Nesterov's momentum: ``v = beta * v + g``, then ``w -= lr * (g + beta * v)`` (as PyTorch's ``SGD`` with ``nesterov``).

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    v : C-contiguous array like `w`
        The velocity, zeros at first. Changed in place.
    lr : float
        The learning rate.
    beta : float
        How much of the velocity stays; 0 <= beta < 1.
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
    >>> from jitcnn.kernels import nesterov
    >>> nesterov(np.array([1.0]), np.array([5.0]), np.zeros(1), lr=0.5, weight_decay=0).round(4).tolist()
    [-3.75]
    """
    hyper = [number("lr", lr, 0), number("beta", beta, 0, 1), number("weight_decay", weight_decay, 0)]
    new, gradient, v_ = state(w, g, out, v=v)
    call("nesterov", new.reshape(-1), gradient.reshape(-1), v_.reshape(-1), *turn(hyper))
    return new


def adamw(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    step: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): ``w -= lr * weight_decay * w``, then Adam's step.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    m, v : C-contiguous arrays like `w`
        The running means of the gradient and of its square, zeros at first. Changed in place.
    step : int
        The number of this update, 1 for the first.
    lr : float
        The learning rate.
    betas : (float, float)
        How much of `m` and of `v` stays; each from 0 to less than 1.
    eps : float
        Keeps the division finite.
    weight_decay : float
        The share of the weights, times `lr`, that is taken off them first.
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
    >>> from jitcnn.kernels import adamw
    >>> adamw(np.array([1.0]), np.array([5.0]), np.zeros(1), np.zeros(1), 1, lr=0.5, weight_decay=0).round(4).tolist()
    [0.5]
    """
    hyper = [number("lr", lr, 0), *pair(betas), number("eps", eps, 0), number("weight_decay", weight_decay, 0)]
    new, gradient, m_, v_ = state(w, g, out, m=m, v=v)
    call("adamw", new.reshape(-1), gradient.reshape(-1), m_.reshape(-1), v_.reshape(-1), *turn(hyper, integer("step", step, at_least=1)))
    return new


def pair(betas: tuple[float, float]) -> tuple[float, float]:
    """Two numbers from 0 to less than 1."""
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise ValueError(f"betas is {betas!r}, expected two numbers, as (0.9, 0.999)") from None
    return number("betas[0]", beta1, 0, 1), number("betas[1]", beta2, 0, 1)


def turn(hyper: list[float], step: int = 1) -> tuple[Array, Array, Array]:
    """The settings of one step as the prepared forms take them: a table of one row, the step's number, and the row's."""
    return np.array([hyper]), np.array([step], np.int64), np.array([step], np.int64)


def state(w: ArrayLike, g: ArrayLike, out: ArrayLike | None, **remembered: ArrayLike) -> list[Array]:
    """The arrays of an update, checked: the new weights (still with the old numbers), the gradient, and what is remembered."""
    old = floating("w", w) if out is not None else _floating_in_place("w", w)
    gradient = floating("g", g)
    kept = {name: _floating_in_place(name, value) for name, value in remembered.items()}
    same_dtype(w=old, g=gradient, **kept)
    for name, array in {"g": gradient, **kept}.items():
        if array.shape != old.shape:
            raise ValueError(f"{name} is {array.shape}, expected {old.shape}, the shape of w")
    new = old if out is None else output(out, old.shape, old.dtype, gradient, *kept.values())
    written = {"w" if out is None else "out": new, **kept}
    for name, array in written.items():
        apart(array, [gradient, *(other for key, other in written.items() if key != name)], name)
    if new is not old:
        new[...] = old
    return [new, gradient, *kept.values()]


def _floating_in_place(name: str, value: ArrayLike) -> Array:
    in_place(name, value)
    return floating(name, value)
