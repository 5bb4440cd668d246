"""Public forms of what surrounds a network: taking images and labels of a batch, and counting hits."""

import numpy as np

from jitcnn.forms.arrays import IMAGES, Array, ArrayLike, check_axes, floating, output, same_dtype, take
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import choice, integer
from jitcnn.forms.loss import class_numbers

PIXELS = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))


def take_images(
    call: Call,
    images: ArrayLike,
    order: ArrayLike,
    *,
    normalize: str | None = None,
    dtype: str = "float32",
    out: ArrayLike | None = None,
) -> Array:
    """A batch of images as floats: ``y[n] = images[order[n]]``, standardised one by one if asked for.

    Parameters
    ----------
    images : array (count, rows, columns, channels)
        uint8, float32 or float64; only the images in `order` are converted.
    order : array (n,) of integers
        Which images, each from 0 to count - 1.
    normalize : None or "per-image"
        "per-image" subtracts an image's mean and divides by its standard deviation, ``sqrt(mean((x - mean)**2))``; an image without
        deviation becomes zeros.
    dtype : "float32" or "float64"
        Of the result; `out` decides if it is given.
    out : array (n, rows, columns, channels), optional

    Returns
    -------
    array (n, rows, columns, channels)

    Raises
    ------
    ValueError
        If shapes or dtypes are none of the above, an index is out of range, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import take_images
    >>> take_images(np.array([0, 8], np.uint8).reshape(1, 1, 2, 1), [0], normalize="per-image").ravel().tolist()
    [-1.0, 1.0]
    """
    pixels = checked_images(images)
    places = checked_order(order, len(pixels))
    code = normalize_code(normalize)
    result = result_dtype(dtype, out)
    y = output(out, (places.size, *pixels.shape[1:]), result, pixels, places)
    call("take_images", pixels, places, np.zeros(1, np.int64), y, code)
    return y


def take_labels(call: Call, labels: ArrayLike, order: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """The labels of a batch: ``y[n] = labels[order[n]]``.

    Parameters
    ----------
    labels : array (count,) of int64, or (count, classes) of float32 or float64
    order : array (n,) of integers
        Which labels, each from 0 to count - 1.
    out : array (n,) or (n, classes), of the same dtype, optional

    Returns
    -------
    array (n,) or (n, classes)

    Raises
    ------
    ValueError
        If shapes or dtypes are none of the above, an index is out of range, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import take_labels
    >>> take_labels([7, 8, 9], [2, 0]).tolist()
    [9, 7]
    """
    array = checked_labels(labels)
    places = checked_order(order, len(array))
    y = output(out, (places.size, *array.shape[1:]), array.dtype, array, places)
    call("take_labels", array, places, np.zeros(1, np.int64), y)
    return y


def score(call: Call, outputs: ArrayLike, labels: ArrayLike, *, top: int = 1, out: ArrayLike | None = None) -> Array:
    """1 for every image whose label has the largest output, or one of the `top` largest (the first of equals), else 0.

    Parameters
    ----------
    outputs : array (images, classes)
        float32 or float64.
    labels : array (images,) of integers or booleans, or one-hot rows (images, classes)
    top : int
        How many of the largest outputs count.
    out : array (images,) of int64, optional

    Returns
    -------
    array (images,) of int64
        Its mean is the accuracy, or the top-k accuracy.

    Raises
    ------
    ValueError
        If shapes, dtypes, labels or `top` are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import score
    >>> score([[0.1, 0.9], [0.6, 0.4]], [1, 1]).tolist()
    [1, 0]
    """
    outputs = floating("outputs", outputs, ("images", "classes"))
    classes = class_numbers(labels, outputs.shape)
    hits = output(out, outputs.shape[:1], np.dtype(np.int64), outputs, classes)
    call("score", outputs, classes, hits, integer("top", top, at_least=1))
    return hits


def score_binary(call: Call, outputs: ArrayLike, targets: ArrayLike, *, out: ArrayLike | None = None) -> Array:
    """1 for every image whose outputs all lie on their target's side of 0.5, else 0.

    Parameters
    ----------
    outputs : array (images, classes)
        float32 or float64.
    targets : array like `outputs`
    out : array (images,) of int64, optional

    Returns
    -------
    array (images,) of int64
        1 where ``(output > 0.5) == (target > 0.5)`` for every class. Its mean is the accuracy.

    Raises
    ------
    ValueError
        If shapes or dtypes differ or are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import score_binary
    >>> score_binary([[0.1, 0.9], [0.6, 0.4]], [[0.0, 1.0], [0.0, 0.0]]).tolist()
    [1, 0]
    """
    axes = ("images", "classes")
    outputs, targets = floating("outputs", outputs, axes), floating("targets", targets, axes)
    same_dtype(outputs=outputs, targets=targets)
    hits = output(out, outputs.shape[:1], np.dtype(np.int64), outputs, targets)
    call("score_binary", outputs, targets, hits)
    return hits


def checked_images(images: ArrayLike) -> Array:
    """Images as a C-contiguous array (count, rows, columns, channels) of uint8, float32 or float64, or a ValueError."""
    pixels = take("images", images)
    if pixels.dtype not in PIXELS:
        raise ValueError(f"images are {pixels.dtype}, expected uint8, float32 or float64: give images.astype(np.float32)")
    check_axes("images", pixels, IMAGES)
    return np.require(pixels, requirements=["C", "A"])


def checked_labels(labels: ArrayLike) -> Array:
    """Labels of any dtype as a C-contiguous array of at least one axis, or a ValueError."""
    array = take("labels", labels)
    check_axes("labels", array, None)
    return np.require(array, requirements=["C", "A"])


def normalize_code(normalize: str | None) -> int:
    """How a prepared call says whether images are standardised one by one."""
    return int(choice("normalize", normalize, (None, "per-image")) == "per-image")


def result_dtype(dtype: str, out: ArrayLike | None) -> np.dtype:
    """The dtype of the result: that of `out`, or the one asked for."""
    return np.dtype(choice("dtype", dtype, ("float32", "float64"))) if out is None else take("out", out).dtype


def checked_order(order: ArrayLike, count: int) -> Array:
    """`order` as int64 (n,), every entry from 0 to count - 1."""
    array = take("order", order)
    if array.dtype.kind not in "iu" or array.ndim != 1 or array.size == 0:
        raise ValueError(f"order is {array.shape} of {array.dtype}, expected at least one integer, (n,): give np.arange({count}) for all")
    if array.min() < 0 or array.max() >= count:
        raise ValueError(f"order reaches from {array.min()} to {array.max()}, expected 0 to {count - 1}, the last of {count}")
    return np.ascontiguousarray(array, np.int64)
