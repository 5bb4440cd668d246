"""What is done to the numbers of a picture, (rows, columns, channels): white beneath it, grey, another size."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jitcnn.decoding import import_pillow

STRIP = 2**20  # numbers that are computed with at once, in wider integers


def white_of(pixels: np.ndarray) -> Any:
    """The number that is white: 255, or 1 for floats that do not go beyond."""
    return np.uint8(255) if pixels.dtype == np.uint8 else np.float32(1 if pixels.max() <= 1 else 255)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """The picture without its last channel, how opaque it is, as it looks on white paper."""
    colours, alpha = pixels[..., :-1], pixels[..., -1:]
    white = white_of(alpha)
    if pixels.dtype != np.uint8:
        return colours * (alpha / white) + (white - alpha)
    return by_strips(mixed_with_white, pixels, colours.shape[2])


def grey_of(pixels: np.ndarray) -> np.ndarray:
    """Red, green and blue bytes in grey, by the weights of ITU-R BT.601."""
    red, green, blue = (pixels[..., c].astype(np.uint32) for c in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)[..., None]


def mixed_with_white(pixels: np.ndarray) -> np.ndarray:
    """Bytes of colours, the last of which says how opaque they are, on white."""
    alpha = pixels[..., -1].astype(np.uint32)
    white = 255 * (255 - alpha) + 127
    return np.stack([(pixels[..., c] * alpha + white) // 255 for c in range(pixels.shape[2] - 1)], axis=2).astype(np.uint8)


def by_strips(function: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray, channels: int) -> np.ndarray:
    """function(pixels), some rows at a time: what it computes with is wider than bytes."""
    rows = max(1, STRIP // pixels[0].size)
    result = np.empty((*pixels.shape[:2], channels), np.uint8)
    for first in range(0, len(pixels), rows):
        result[first : first + rows] = function(pixels[first : first + rows])
    return result


def resample(pixels: np.ndarray, rows: int, columns: int, part: tuple[float, float] | None = None) -> np.ndarray:
    """The picture in another size; of `part`, (rows, columns), only that much around its middle."""
    Image = import_pillow("a picture of another size")
    height, width = pixels.shape[:2]
    part_rows, part_columns = part or (height, width)
    top, left = max(0.0, (height - part_rows) / 2), max(0.0, (width - part_columns) / 2)
    box = (left, top, min(width, left + part_columns), min(height, top + part_rows))
    planes = [Image.fromarray(np.ascontiguousarray(pixels[..., c])) for c in range(pixels.shape[2])]
    return np.stack([np.asarray(plane.resize((columns, rows), Image.Resampling.BILINEAR, box)) for plane in planes], axis=2)
