"""Images on their way to the page and back: the server keeps none, so that each tab has its own."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jitcnn.inputs import check_finite
from jitcnn.play.security import field

DTYPES = ("uint8", "float32", "float64")
MOST_DRAWN = 2**20  # numbers of a drawing


def encode(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON: shape, dtype and its bytes in base64."""
    return {"shape": list(array.shape), "dtype": str(array.dtype), "data": base64.b64encode(array.tobytes()).decode()}


def decode(payload: Mapping[str, Any], shape: Sequence[int] | None = None) -> np.ndarray:
    """The array that `encode` gave.

    Parameters
    ----------
    payload
        What the page sent.
    shape
        The shape that it must have; without one, a drawing (rows, columns, channels).

    Raises
    ------
    ValueError
        If it is no such array.
    """
    dtype, data, given = field(payload, "dtype", str), field(payload, "data", str), field(payload, "shape", list)
    if dtype not in DTYPES:
        raise ValueError(f"dtype is not one of {', '.join(DTYPES)}")
    if not all(type(size) is int and size > 0 for size in given) or math.prod(given) > MOST_DRAWN:
        raise ValueError("shape is no list of small numbers above 0")
    if (tuple(given) != tuple(shape)) if shape is not None else (len(given) != 3):
        raise ValueError(f"shape is {given}, expected {list(shape) if shape is not None else '[rows, columns, channels]'}")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("data is not base64") from None
    if len(content) != math.prod(given) * np.dtype(dtype).itemsize:
        raise ValueError(f"data holds {len(content)} bytes, and the shape {given} of {dtype} takes another number")
    array = np.frombuffer(content, dtype).reshape(given)
    check_finite("image", array[None])
    return array


def as_colours(image: np.ndarray) -> np.ndarray:
    """An image's numbers as uint8 for the eye: floats from 0 to 1 are stretched to 255."""
    if image.dtype == np.uint8:
        return image
    scale = 255.0 if image.max(initial=0) <= 1 else 1.0
    return np.clip(np.rint(image * scale), 0, 255).astype(np.uint8)


def number(value: Any) -> float | str:
    """A number for JSON, which has no NaN and no infinities: these become words."""
    value = float(value)
    return value if math.isfinite(value) else str(value)
