"""Public forms of the losses. Each gives the mean loss of a sample and its gradient in one pass."""

import numpy as np

from jitcnn.checks import share
from jitcnn.forms.arrays import Array, ArrayLike, floating, output, same_dtype, take
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import choice

LOGITS = ("images", "classes")


def cross_entropy(
    call: Call, logits: ArrayLike, labels: ArrayLike, *, kind: str = "categorical", out: ArrayLike | None = None
) -> tuple[float, Array]:
    """Cross-entropy of predictions before their softmax or sigmoid, and its gradient.

    "categorical", with p = softmax(logits): ``loss = mean over images of -log(p[label])``, ``grad = (p - onehot) / images``.
    "binary", with p = sigmoid(logits): see `binary_cross_entropy`. Both are computed from the logits, so that large ones do not overflow
    (Goodfellow, Bengio, Courville, *Deep Learning*, 2016, section 6.2.2).

    Parameters
    ----------
    logits : array (images, classes)
        float32 or float64.
    labels : array
        "categorical": integers or booleans (images,), each in 0 ... classes - 1, or one-hot rows (images, classes) of any dtype.
        "binary": numbers from 0 to 1, integers or booleans, (images, classes), or (images,) for one class.
    kind : "categorical" or "binary"
    out : array (images, classes), optional
        Where the gradient goes.

    Returns
    -------
    loss : float
        The mean over the images.
    grad : array (images, classes)
        The gradient of `loss` with respect to `logits`.

    Raises
    ------
    ValueError
        If shapes, dtypes or labels are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import cross_entropy
    >>> loss, grad = cross_entropy([[0.0, 0.0]], [1])
    >>> round(loss, 4), grad.tolist()
    (0.6931, [[0.5, -0.5]])
    """
    if choice("kind", kind, ("categorical", "binary")) == "binary":
        return binary_cross_entropy(call, logits, labels, out=out)
    logits = floating("logits", logits, LOGITS)
    classes = class_numbers(labels, logits.shape)
    grad = output(out, logits.shape, logits.dtype, logits)
    losses = np.empty(logits.shape[0], logits.dtype)
    call("cross_entropy", logits, classes, losses, grad)
    return _mean(losses), grad


def soft_cross_entropy(call: Call, logits: ArrayLike, targets: ArrayLike, *, out: ArrayLike | None = None) -> tuple[float, Array]:
    """Cross-entropy of predictions before their softmax against shares of classes, as mixup makes them, and its gradient.

    With p = softmax(logits), t = targets: ``loss = mean over images of -sum(t * log(p))`` and
    ``grad = (p * sum(t) - t) / images`` (as PyTorch's ``CrossEntropyLoss`` with probabilities).

    Parameters
    ----------
    logits : array (images, classes)
        float32 or float64.
    targets : array (images, classes)
        From 0 to 1, of any dtype; usually the sum of a row is 1.
    out : array (images, classes), optional
        Where the gradient goes.

    Returns
    -------
    loss : float
        The mean over the images.
    grad : array (images, classes)
        The gradient of `loss` with respect to `logits`.

    Raises
    ------
    ValueError
        If shapes, dtypes or targets are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import soft_cross_entropy
    >>> loss, grad = soft_cross_entropy([[0.0, 0.0]], [[0.25, 0.75]])
    >>> round(loss, 4), grad.tolist()
    (0.6931, [[0.25, -0.25]])
    """
    return _against_shares(call, "soft_cross_entropy", logits, targets, out)


def smooth_labels(call: Call, targets: ArrayLike, smoothing: float, *, out: ArrayLike | None = None) -> Array:
    """Shares of classes of which a part goes to all classes alike: ``y = (1 - smoothing) * targets + smoothing / classes``.

    Cross-entropy against them drives no output to infinity (Szegedy et al., *Rethinking the Inception Architecture*, 2016, section 7;
    as PyTorch's ``CrossEntropyLoss(label_smoothing=…)``).

    Parameters
    ----------
    targets : array (images, classes)
        float32 or float64; a row's sum is 1.
    smoothing : float
        0 <= smoothing < 1.
    out : array like `targets`, optional
        May be `targets` itself.

    Returns
    -------
    array like `targets`

    Raises
    ------
    ValueError
        If shape, dtype or `smoothing` are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import smooth_labels
    >>> smooth_labels([[0.0, 1.0, 0.0, 0.0]], 0.2).round(4).tolist()
    [[0.05, 0.85, 0.05, 0.05]]
    """
    targets = floating("targets", targets, ("images", "classes"))
    part = np.array([share("smoothing", smoothing)])
    y = output(out, targets.shape, targets.dtype, targets, instead_of=targets)
    call("smooth_labels", targets, part, y)
    return y


def binary_cross_entropy(call: Call, logits: ArrayLike, targets: ArrayLike, *, out: ArrayLike | None = None) -> tuple[float, Array]:
    """Cross-entropy of independent yes-or-no predictions before their sigmoid, and its gradient.

    With p = sigmoid(logits), t = targets: ``loss = mean over all of -(t * log(p) + (1 - t) * log(1 - p))`` and
    ``grad = (p - t) / (images * classes)`` (as PyTorch's ``BCEWithLogitsLoss``).

    Parameters
    ----------
    logits : array (images, classes)
        float32 or float64.
    targets : array (images, classes), or (images,) for one class
        From 0 to 1, of any dtype.
    out : array (images, classes), optional
        Where the gradient goes.

    Returns
    -------
    loss : float
        The mean over images and classes.
    grad : array (images, classes)
        The gradient of `loss` with respect to `logits`.

    Raises
    ------
    ValueError
        If shapes, dtypes or targets are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import binary_cross_entropy
    >>> loss, grad = binary_cross_entropy([[0.0]], [[1]])
    >>> round(loss, 4), grad.tolist()
    (0.6931, [[-0.5]])
    """
    return _against_shares(call, "binary_cross_entropy", logits, targets, out)


def _against_shares(call: Call, name: str, logits: ArrayLike, targets: ArrayLike, out: ArrayLike | None) -> tuple[float, Array]:
    logits = floating("logits", logits, LOGITS)
    shares = probabilities(targets, logits.shape, logits.dtype)
    grad = output(out, logits.shape, logits.dtype, logits, shares)
    losses = np.empty(logits.shape[0], logits.dtype)
    call(name, logits, shares, losses, grad)
    return _mean(losses), grad


def mse(call: Call, y: ArrayLike, target: ArrayLike, *, out: ArrayLike | None = None) -> tuple[float, Array]:
    """Mean squared error ``mean((y - target)**2)`` over all entries, and its gradient ``2 * (y - target) / number of entries``.

    Parameters
    ----------
    y : array (images, ...)
        float32 or float64.
    target : array like `y`
    out : array like `y`, optional
        Where the gradient goes.

    Returns
    -------
    loss : float
    grad : array like `y`
        The gradient of `loss` with respect to `y`.

    Raises
    ------
    ValueError
        If shapes or dtypes differ or are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import mse
    >>> loss, grad = mse([[1.0, 2.0]], [[1.0, 4.0]])
    >>> loss, grad.tolist()
    (2.0, [[0.0, -2.0]])
    """
    y, target = floating("y", y), floating("target", target)
    same_dtype(y=y, target=target)
    if target.shape != y.shape:
        raise ValueError(f"target is {target.shape}, expected {y.shape}, the shape of y")
    grad = output(out, y.shape, y.dtype, y, target)
    losses = np.empty(y.shape[0], y.dtype)
    rows = (y.shape[0], -1)
    call("mse", y.reshape(rows), target.reshape(rows), losses, grad.reshape(rows))
    return _mean(losses), grad


def class_numbers(labels: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Labels as int64 (images,): from integers, booleans or one-hot rows; `shape` is (images, classes).

    Raises
    ------
    ValueError
        If their number or width is another, one is outside 0 ... classes - 1, or a row is not one-hot.
    """
    array = take("labels", labels)
    images, classes = shape
    if array.shape == shape:
        return _one_hot(array)
    if array.shape != (images,):
        raise ValueError(f"labels are {array.shape}, expected ({images},) class numbers or {shape} one-hot rows, for logits {shape}")
    if array.dtype.kind not in "iub":
        raise ValueError(f"labels are {array.dtype}, expected integers or booleans: give labels.astype(np.int64), or one-hot rows {shape}")
    outside = np.flatnonzero((array < 0) | (array >= classes))
    if outside.size:
        raise ValueError(f"labels[{outside[0]}] is {array[outside[0]]}, expected 0 to {classes - 1}, as logits have {classes} classes")
    return np.ascontiguousarray(array, np.int64)


def _one_hot(array: Array) -> Array:
    if array.dtype.kind not in "iubf":
        raise ValueError(f"labels are {array.dtype}, expected numbers or booleans")
    ones, zeros = (array == 1).sum(axis=1), (array == 0).sum(axis=1)
    wrong = np.flatnonzero((ones != 1) | (zeros != array.shape[1] - 1))
    if wrong.size:
        raise ValueError(f"labels[{wrong[0]}] is {array[wrong[0]].tolist()}, expected a one-hot row: a single 1, the rest 0")
    return array.argmax(axis=1).astype(np.int64, copy=False)


def probabilities(targets: ArrayLike, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Targets as numbers from 0 to 1, of a shape (images, classes) and a float dtype; (images,) is one class.

    Raises
    ------
    ValueError
        If their shape is another, or one is NaN or outside 0 ... 1.
    """
    array = take("targets", targets)
    if array.dtype.kind not in "iubf":
        raise ValueError(f"targets are {array.dtype}, expected numbers or booleans")
    if array.ndim == 1 and shape[1] == 1:
        array = array[:, None]
    if array.shape != shape:
        raise ValueError(f"targets are {array.shape}, expected {shape}, the shape of logits: one number from 0 to 1 for each")
    wrong = np.argwhere(~((array >= 0) & (array <= 1)))
    if wrong.size:
        place = tuple(wrong[0].tolist())
        raise ValueError(f"targets[{place[0]}, {place[1]}] is {array[place]}, expected a number from 0 to 1")
    return np.require(array, dtype, ["C", "A"])


def _mean(losses: Array) -> float:
    return float(losses.mean(dtype=np.float64))
