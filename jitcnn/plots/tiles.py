"""Many small pictures side by side as one array."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (8, 16, 32, 64)  # what one counts easily


def columns_for(count: int) -> int:
    """How many of `count` tiles stand in a row: all up to 8, else so many that the grid is about twice as wide as high.

    >>> [columns_for(count) for count in (1, 5, 8, 10, 32, 64, 512)]
    [1, 5, 8, 8, 8, 16, 32]
    """
    if count <= COLUMNS[0]:
        return count
    return next((columns for columns in COLUMNS if columns**2 >= 2 * count), COLUMNS[-1])


def gap_of(shape: Sequence[int]) -> int:
    """Pixels between tiles of (rows, columns); single pixels touch."""
    longer = max(shape)
    return 0 if longer == 1 else max(1, longer // 14)


def mosaic(tiles: np.ndarray, columns: int) -> np.ndarray:
    """Tiles in a grid, row by row.

    Parameters
    ----------
    tiles
        (n, rows, columns), or (n, rows, columns, 3) of colours from 0 to 1.
    columns
        Tiles in a row.

    Returns
    -------
    array
        2-D with NaN between tiles, or of colours with an opacity, which is 0 between them.
    """
    count, rows, width = tiles.shape[:3]
    gap = gap_of((rows, width))
    lines = math.ceil(count / columns)
    size = (lines * (rows + gap) - gap, columns * (width + gap) - gap)
    colours = tiles.ndim == 4
    sheet = np.zeros((*size, 4)) if colours else np.full(size, np.nan)
    for number, tile in enumerate(tiles):
        top, left = (number // columns) * (rows + gap), (number % columns) * (width + gap)
        sheet[top : top + rows, left : left + width] = np.dstack([tile, np.ones((rows, width))]) if colours else tile
    return sheet


def centres(count: int, shape: Sequence[int], axis: int) -> np.ndarray:
    """Where the middles of tiles of (rows, columns) are, from above (axis 0) or from the left (axis 1)."""
    return np.arange(count) * (shape[axis] + gap_of(shape[:2])) + (shape[axis] - 1) / 2


def number_tiles(axes: "Axes", shape: Sequence[int], count: int, columns: int) -> None:
    """Write numbers beside a mosaic of tiles of a shape: at the left those that rows begin with, on top what is added to them."""
    lines = math.ceil(count / columns)
    across = np.arange(0, min(columns, count), 1 if columns <= 16 else 4)
    axes.set_xticks(centres(columns, shape, 1)[across], [f"+{k}" if lines > 1 and k else str(k) for k in across])
    down = np.arange(0, lines, 1 if lines <= 16 else 2)
    axes.set_yticks(centres(lines, shape, 0)[down], [str(columns * k) for k in down])
    if lines == 1:
        axes.set_yticks([])
    axes.tick_params(length=0, labelsize=8.5)
    axes.xaxis.tick_top()


def as_shown(image: np.ndarray) -> np.ndarray:
    """An image (rows, columns, channels) as `imshow` takes it: grey as 2-D, colours from 0 to 1; others as the mean over channels."""
    pixels = np.asarray(image, np.float64)
    low, high = pixels.min(), pixels.max()
    if pixels.shape[2] == 1 and low == high:
        pixels = pixels.repeat(3, axis=2)  # `imshow` would stretch the one grey to black
    if pixels.shape[2] != 3:
        return pixels[..., 0] if pixels.shape[2] == 1 else pixels.mean(axis=2)
    if low >= 0 and high <= 255 and (high > 1 or image.dtype == np.uint8):
        return pixels / 255
    return pixels if low >= 0 and high <= 1 else (pixels - low) / ((high - low) or 1)
