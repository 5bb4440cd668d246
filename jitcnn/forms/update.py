"""Public forms of the updates along the gradient, and what all updates share.

They change the weights, and what they remember, in place.
"""

import numpy as np

from jitcnn.checks import amount, share
from jitcnn.forms.arrays import Array, ArrayLike, apart, floating, in_place, output, same_dtype
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import integer


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
    hyper = [amount("lr", lr), amount("weight_decay", weight_decay)]
    return change(call, "sgd", w, g, out, hyper)


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
    hyper = [amount("lr", lr), share("beta", beta), amount("weight_decay", weight_decay)]
    return change(call, "momentum", w, g, out, hyper, v=v)


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
    hyper = [amount("lr", lr), share("beta", beta), amount("weight_decay", weight_decay)]
    return change(call, "nesterov", w, g, out, hyper, v=v)


def change(
    call: Call, name: str, w: ArrayLike, g: ArrayLike, out: ArrayLike | None, hyper: list[float], step: int = 1, **remembered: ArrayLike
) -> Array:
    """Run the update `name` on arrays of any shape, with the settings of step number `step`, and return the new weights."""
    arrays = state(w, g, out, **remembered)
    number_of_step = integer("step", step, at_least=1)
    turn = (np.array([number_of_step], np.int64) for _ in range(2))  # the step, and the step whose settings are the table's row 0
    call(name, *(array.reshape(-1) for array in arrays), np.array([hyper]), *turn)
    return arrays[0]


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
