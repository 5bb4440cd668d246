"""Which way a convolution is computed: directly, or Winograd's way in patches of 4x2 or 4x4 outputs."""

from typing import NamedTuple

import numpy as np

from jitcnn.kernels.vectors import full_lanes, processor
from jitcnn.kernels.winograd_patches import multiple

LEAST_GAIN = 1.4
REGISTERS, MOST_CHANNELS = 32, 16  # for small patches: with fewer registers, few are computed at a time; with more channels, 4x4 is better


class Way(NamedTuple):
    """Rows and columns of outputs in a patch, and what it takes, in products of a channel and a filter.

    The transforms of a channel and of a filter take as long as so many products, for each unit that multiplies.
    """

    rows: int
    columns: int
    products: int
    time: float  # that a product takes, beside one of the direct sum, whose tile reads less
    channel: int
    filter: int
    whole_vectors: bool  # of filters, whatever their number

    @property
    def direct(self) -> int:
        """Products of the direct sum."""
        return 9 * self.rows * self.columns

    def covered(self, size: tuple[int, ...]) -> int:
        """Outputs of the patches that so many rows and columns of outputs take."""
        return multiple(size[0], self.rows) * multiple(size[1], self.columns)

    def gain(self, w_shape: tuple[int, ...], size: tuple[int, ...]) -> float:
        """How many times as fast as the direct sum, for outputs of that many rows and columns."""
        *_, channels, filters = w_shape
        used = size[0] * size[1] / self.covered(size)
        taken = multiple(filters, full_lanes(np.float32)) if self.whole_vectors else filters
        transforms = processor().products * (self.channel * channels + self.filter * taken)
        return self.direct * channels * filters * used / (self.products * self.time * channels * taken + transforms)


SMALL, LARGE = Way(4, 2, 24, 1.2, 128, 14, True), Way(4, 4, 36, 1, 270, 270, False)


def choose(w_shape: tuple[int, ...], strides: tuple[int, int], size: tuple[int, ...], grad_input: bool = False) -> tuple[Way | None, str]:
    """The way of Winograd that is worth it, None where the direct sum is better, and why, in words.

    Parameters
    ----------
    w_shape
        (kernel rows, kernel columns, channels, filters).
    strides
        (rows, columns).
    size
        Rows and columns of the output.
    grad_input
        Whether the gradient of the input is wanted, for which there are no small patches.
    """
    if (*w_shape[:2], *strides) != (3, 3, 1, 1):
        return None, "Winograd's way is for kernels of 3 x 3 at stride 1"
    way, (rows, columns) = best(w_shape, size, grad_input), size
    gain = way.gain(w_shape, size)
    reason = (
        f"{way.products} products instead of {way.direct} for a patch of {way.rows} x {way.columns} outputs, with the transforms of "
        f"{w_shape[2]} + {w_shape[3]} channels, in patches for {way.covered(size) / (rows * columns):.1f} times the {rows} x {columns} "
        f"outputs, are expected to be {gain:.1f} times as fast as the direct sum; from {LEAST_GAIN} on that is worth it"
    )
    return way if gain >= LEAST_GAIN else None, reason


def best(w_shape: tuple[int, ...], size: tuple[int, ...], grad_input: bool = False) -> Way:
    """The way that is expected to be the faster one of Winograd's."""
    fits = size[0] >= SMALL.rows and size[1] >= SMALL.columns and w_shape[2] <= MOST_CHANNELS and processor().registers >= REGISTERS
    ways = [SMALL, LARGE] if fits and not grad_input else [LARGE]
    return max(ways, key=lambda way: way.gain(w_shape, size))
