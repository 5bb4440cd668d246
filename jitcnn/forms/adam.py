"""Public forms of Adam and its kin; see `jitcnn.forms.update`."""

from jitcnn.checks import amount, share
from jitcnn.forms.arrays import Array, ArrayLike
from jitcnn.forms.binding import Call
from jitcnn.forms.update import change


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
    return change(call, "adam", w, g, out, settings(lr, betas, eps, weight_decay), step, m=m, v=v)


def adamax(
    call: Call,
    w: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    u: ArrayLike,
    step: int,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    out: ArrayLike | None = None,
) -> Array:
    """Adamax (Kingma and Ba, 2015, section 7.1).

    ``m = beta1 * m + (1 - beta1) * g``, ``u = max(beta2 * u, abs(g) + eps)``, then ``w -= lr / (1 - beta1**step) * m / u``.

    Parameters
    ----------
    w : C-contiguous array of any shape
        float32 or float64, as all arrays of the call. Changed in place, unless `out` is given.
    g : array like `w`
        The gradient.
    m, u : C-contiguous arrays like `w`
        The running mean of the gradients and their largest size, zeros at first. Changed in place.
    step : int
        The number of this update, 1 for the first.
    lr : float
        The learning rate.
    betas : (float, float)
        How much of `m` and of `u` stays; each from 0 to less than 1.
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
    >>> from jitcnn.kernels import adamax
    >>> adamax(np.array([1.0]), np.array([5.0]), np.zeros(1), np.zeros(1), 1, lr=0.5, weight_decay=0).round(4).tolist()
    [0.5]
    """
    return change(call, "adamax", w, g, out, settings(lr, betas, eps, weight_decay), step, m=m, u=u)


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
    return change(call, "adamw", w, g, out, settings(lr, betas, eps, weight_decay), step, m=m, v=v)


def settings(lr: float, betas: tuple[float, float], eps: float, weight_decay: float) -> list[float]:
    """The settings of all of them, checked, in the order of the prepared form; `betas` are two numbers from 0 to less than 1."""
    rate = amount("lr", lr)
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise ValueError(f"betas is {betas!r}, expected two numbers, as (0.9, 0.999)") from None
    kept = [share("betas[0]", beta1), share("betas[1]", beta2)]
    return [rate, *kept, amount("eps", eps), amount("weight_decay", weight_decay)]
