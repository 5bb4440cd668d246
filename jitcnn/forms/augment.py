"""Public forms of augmentation: images that come a little different each epoch, and labels that are mixed as they are."""

import math

import numpy as np

from jitcnn.forms.arrays import Array, ArrayLike, output
from jitcnn.forms.binding import Call
from jitcnn.forms.geometry import integer
from jitcnn.forms.image import checked_images, checked_labels, checked_order, normalize_code, result_dtype

#: The largest value of each setting, in the order of the prepared form.
LIMITS = {
    "shift": 1.0, "rotate": 180.0, "scale": 0.9, "shear": 60.0, "flip": 1.0,
    "brightness": 10.0, "contrast": 1.0, "erase": 1.0, "noise": 10.0, "mixup": 0.5,
}  # fmt: skip
DEGREES = ("rotate", "shear")


def setting(name: str, value: float) -> float:
    """The value as a float, or a ValueError unless it is from 0 to its limit."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= LIMITS[name]:
        unit = " degrees" if name in DEGREES else ""
        raise ValueError(f"{name} is {value!r}, expected a number from 0 to {LIMITS[name]:g}{unit}")
    return float(value)


def settings(**values: float) -> Array:
    """The settings as the prepared form takes them, float64 (10,): angles in radians, what is not named 0."""
    checked = [setting(name, values.pop(name, 0.0)) for name in LIMITS]
    return np.array([math.radians(value) if name in DEGREES else value for name, value in zip(LIMITS, checked, strict=True)])


def augment_images(
    call: Call,
    images: ArrayLike,
    order: ArrayLike,
    *,
    seed: int,
    epoch: int,
    shift: float = 0.0,
    rotate: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    flip: float = 0.0,
    brightness: float = 0.0,
    contrast: float = 0.0,
    erase: float = 0.0,
    noise: float = 0.0,
    mixup: float = 0.0,
    normalize: str | None = None,
    dtype: str = "float32",
    out: ArrayLike | None = None,
) -> Array:
    """A batch of images as floats, each changed at random within the limits given, then standardised if asked for.

    What is drawn is a hash of (seed, epoch, the image's number), so an image comes out the same in any batch, on any number of threads.
    Moves are one affine map about the middle, interpolated between pixels; what comes from outside of the image is the nearest pixel of
    its edge. Light is measured in the image's range, its largest number minus its smallest, so that bytes and floats are alike; nothing
    is cut off at 0 or 255.

    Parameters
    ----------
    images : array (count, rows, columns, channels)
        uint8, float32 or float64; only the images in `order`, and those mixed in, are read.
    order : array (n,) of integers
        Which images, each from 0 to count - 1.
    seed : int
        Which sequence of changes; its lowest 32 bits count.
    epoch : int
        Which changes of that sequence.
    shift : float
        At most this share of rows and of columns in each direction, from 0 to 1.
    rotate, shear : float
        At most so many degrees to either side, up to 180 and 60.
    scale : float
        Larger or smaller by at most this share, up to 0.9.
    flip : float
        The chance to be mirrored left to right, from 0 to 1.
    brightness : float
        Lighter or darker by at most this share of the image's range, up to 10.
    contrast : float
        Differences from the mean grow or shrink by at most this share, up to 1.
    erase : float
        A rectangle of at most this share of rows and of columns becomes the image's mean, from 0 to 1.
    noise : float
        Added to every number, about normal, with at most this standard deviation, as a share of the range, up to 10.
    mixup : float
        Another image of `order`, augmented too, is mixed in with at most this weight, up to 0.5; `mix_labels` does the same to labels.
    normalize : None or "per-image"
        As for `take_images`, afterwards.
    dtype : "float32" or "float64"
        Of the result; `out` decides if it is given.
    out : array (n, rows, columns, channels), optional

    Returns
    -------
    array (n, rows, columns, channels)

    Raises
    ------
    ValueError
        If shapes, dtypes or settings are none of the above, an index is out of range, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import augment_images
    >>> image = np.array([1, 2, 3], np.uint8).reshape(1, 1, 3, 1)
    >>> augment_images(image, [0], seed=1, epoch=0, flip=1.0).ravel().tolist()
    [3.0, 2.0, 1.0]
    """
    pixels = checked_images(images)
    places = checked_order(order, len(pixels))
    amounts = settings(
        shift=shift, rotate=rotate, scale=scale, shear=shear, flip=flip,
        brightness=brightness, contrast=contrast, erase=erase, noise=noise, mixup=mixup,
    )  # fmt: skip
    code = normalize_code(normalize)
    result = result_dtype(dtype, out)
    y = output(out, (places.size, *pixels.shape[1:]), result, pixels, places)
    start, turn = np.zeros(1, np.int64), np.array([integer("epoch", epoch, at_least=0), places.size])
    call("augment_images", pixels, places, start, turn, amounts, y, code, integer("seed", seed))
    return y


def mix_labels(
    call: Call,
    labels: ArrayLike,
    order: ArrayLike,
    *,
    seed: int,
    epoch: int,
    mixup: float,
    classes: int | None = None,
    dtype: str = "float32",
    out: ArrayLike | None = None,
) -> Array:
    """The labels of a batch, mixed as `augment_images` with the same `order`, `seed`, `epoch` and `mixup` mixes its images.

    Parameters
    ----------
    labels : array (count,) of int64, or (count, classes) of float32 or float64
        Class numbers, or targets.
    order : array (n,) of integers
        Which labels, each from 0 to count - 1.
    seed, epoch : int
    mixup : float
        The largest weight of the other image, from 0 to 0.5.
    classes : int, optional
        How many there are; the largest class number plus 1 if not given.
    dtype : "float32" or "float64"
        Of the result; `out` decides if it is given.
    out : array (n, classes), optional

    Returns
    -------
    array (n, classes)
        Of class numbers, the share of each class; a row's sum is 1.

    Raises
    ------
    ValueError
        If shapes, dtypes or settings are none of the above, an index is out of range, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import mix_labels
    >>> mix_labels([0, 2], [0, 1], seed=1, epoch=0, mixup=0.5, dtype="float64").round(2).tolist()
    [[0.92, 0.0, 0.08], [0.0, 0.0, 1.0]]
    """
    array = checked_labels(labels)
    places = checked_order(order, len(array))
    if array.ndim == 1 and array.dtype.kind == "i":
        width = int(array.max()) + 1 if classes is None else integer("classes", classes, at_least=1)
        if array.min() < 0 or array.max() >= width:
            raise ValueError(f"labels reach from {array.min()} to {array.max()}, expected 0 to {width - 1}, the last of {width} classes")
    else:
        width = array.shape[-1]
    amounts, turn = settings(mixup=mixup), np.array([integer("epoch", epoch, at_least=0), places.size])
    result = result_dtype(dtype, out)
    y = output(out, (places.size, width), result, array, places)
    call("mix_labels", array, places, np.zeros(1, np.int64), turn, amounts, y, integer("seed", seed))
    return y
