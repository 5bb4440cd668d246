"""What users pass as images and labels: checked, each fault a sentence that says what to do. Nothing is converted as a whole."""

import math
from typing import Any

import numpy as np

from jitcnn.forms.arrays import take
from jitcnn.mapped import give_back

PIXELS = (np.dtype(np.uint8), np.dtype(np.float32), np.dtype(np.float64))
CHUNK = 1 << 20  # numbers looked at in one go for NaN: stays in the cache
FEW_CHANNELS = (1, 2, 3, 4)


def as_images(x: Any, input_shape: tuple[int, ...] | None = None, name: str = "x") -> np.ndarray:
    """Images (n, rows, columns, channels), or rows of features (n, features): a C-contiguous array that shares memory where it can.

    Parameters
    ----------
    x
        An array, a tensor on the CPU, or nested lists of floats.
    input_shape
        The shape of one image that the model takes, if known.
    name
        The argument's name, for messages.

    Raises
    ------
    ValueError
        If the dtype is not uint8, float32 or float64, the shape does not fit, or there is NaN or infinity.
    """
    images = take(name, x)
    check_pixels(name, images)
    check_shape(name, images, input_shape)
    if not (images.flags.c_contiguous and images.flags.aligned):
        images = np.require(images, requirements=["C", "A"])
    check_finite(name, images)
    return images


def check_pixels(name: str, images: np.ndarray) -> None:
    """Raise a ValueError unless the dtype is one that images have."""
    if images.dtype not in PIXELS:
        advice = f"{name}.astype(np.uint8)" if np.issubdtype(images.dtype, np.integer) else f"{name}.astype(np.float32)"
        raise ValueError(f"{name} is {images.dtype}, expected uint8, float32 or float64: give {advice}")


def check_shape(name: str, images: np.ndarray, input_shape: tuple[int, ...] | None) -> None:
    """Raise a ValueError unless these are images, or rows of features, of the shape that the model takes."""
    shape = images.shape
    if input_shape is None:
        if len(shape) == 3:
            raise ValueError(f"{name} is {shape}: add the channel axis, {name}[..., None], or for one image the image axis, {name}[None]")
        if len(shape) not in (2, 4):
            raise ValueError(f"{name} is {shape}, expected (images, rows, columns, channels), or (rows, features)")
        if len(shape) == 4 and shape[1] in (1, 3) and shape[2] == shape[3] and shape[3] > max(FEW_CHANNELS):
            raise ValueError(
                f"{name} is {shape}, which looks like channels before rows and columns: give {name}.transpose(0, 2, 3, 1), "
                f"or input_shape={shape[1:]} to the first layer if it is meant so"
            )
    elif shape[1:] != input_shape or len(shape) != len(input_shape) + 1:
        raise ValueError(misfit(name, shape, input_shape))
    if 0 in shape:
        raise ValueError(f"{name} is {shape}: it holds no images")


def misfit(name: str, shape: tuple[int, ...], input_shape: tuple[int, ...]) -> str:
    """Why a shape is not that of the model's images, and what to do."""
    expected = f"the model takes images of {input_shape}"
    if len(input_shape) == 1:
        expected = f"the model takes rows of {input_shape[0]} features"
        if shape == input_shape:
            return f"{name} is {shape}, one row: {expected}: give {name}[None]"
        if len(shape) > 2 and np.prod(shape[1:]) == input_shape[0]:
            return f"{name} is {shape}: {expected}: give {name}.reshape(len({name}), -1), or start the model with Flatten"
        return f"{name} is {shape}: {expected}, so (n, {input_shape[0]}) is expected"
    rows, columns, channels = input_shape
    if channels == 1 and shape[-2:] == (rows, columns) and len(shape) in (2, 3):
        return f"{name} is {shape}: add the channel axis, {name}[..., None], since {expected}"
    if shape == input_shape:
        return f"{name} is {shape}, one image: add the image axis, {name}[None]"
    if len(shape) == 4 and shape[1:] == (channels, rows, columns):
        return f"{name} is {shape}, channels before rows and columns: give {name}.transpose(0, 2, 3, 1), since {expected}"
    if shape == (channels, rows, columns):
        return f"{name} is {shape}, channels before rows and columns: give {name}.transpose(1, 2, 0), since {expected}"
    if len(shape) == 2 and shape[1] == rows * columns * channels:
        return f"{name} is {shape}: {expected}: give {name}.reshape(-1, {rows}, {columns}, {channels})"
    if len(shape) == 4 and shape[1:3] == (rows, columns):
        return f"{name} is {shape}, with {shape[3]} channels: {expected}, with {channels}"
    return f"{name} is {shape}: {expected}, so (n, {rows}, {columns}, {channels}) is expected"


def check_finite(name: str, array: np.ndarray, what: str = "image") -> None:
    """Raise a ValueError that names the first row with NaN or infinity; looks at a part at a time, and makes no copy."""
    if array.dtype.kind != "f" or (array.size < CHUNK and math.isfinite(np.vdot(array, array))):
        return
    row_size = max(1, array.size // max(1, len(array)))
    rows = max(1, CHUNK // row_size)
    for first in range(0, len(array), rows):
        part = array[first : first + rows]
        if not np.isfinite(part).all():
            bad = int(np.argmin(np.isfinite(part.reshape(len(part), -1)).all(axis=1)))
            kind = "NaN" if np.isnan(part[bad]).any() else "infinity"
            raise ValueError(f"{name} contains {kind} in {what} {first + bad}: remove or repair it, for example np.nan_to_num({name})")
        give_back(array)
