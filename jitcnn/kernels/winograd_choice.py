"""Which way a convolution is computed: directly, or Winograd's way in patches of 2x2 or 4x4 outputs."""

from typing import NamedTuple

import numpy as np

from jitcnn.kernels.vectors import full_lanes, processor
from jitcnn.kernels.winograd_patches import multiple

LEAST_GAIN = 1.4
REGISTERS, MOST_CHANNELS = 32, 16  # for small patches: with fewer registers, few are computed at a time; with more channels, 4x4 is better


class Way(NamedTuple):
    """What a patch of outputs takes, in products of a channel and a filter.

    The transforms of a channel and of a filter take as long as so many products, for each unit that multiplies.
    """

    patch: int
    products: int
    channel: int
    filter: int
    whole_vectors: bool  # of filters, whatever their number

    def gain(self, w_shape: tuple[int, ...], size: tuple[int, ...]) -> float:
        """How many times as fast as the direct sum, for outputs of that many rows and columns."""
        (*_, channels, filters), (rows, columns) = w_shape, size
        used = rows * columns / (multiple(rows, self.patch) * multiple(columns, self.patch))
        taken = multiple(filters, full_lanes(np.float32)) if self.whole_vectors else filters
        transforms = processor().products * (self.channel * channels + self.filter * taken)
        return self.direct * channels * filters * used / (self.products * channels * taken + transforms)

    @property
    def direct(self) -> int:
        """Products of the direct sum."""
        return 9 * self.patch**2


SMALL, LARGE = Way(2, 16, 54, 10, True), Way(4, 36, 270, 270, False)


def choose(w_shape: tuple[int, ...], strides: tuple[int, int], size: tuple[int, ...], grad_input: bool = False) -> tuple[int, str]:
    """Rows and columns of the patches in which Winograd's way is worth it, 0 where it is not, and why, in words.

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
        return 0, "Winograd's way is for kernels of 3 x 3 at stride 1"
    way, (rows, columns) = best(w_shape, size, grad_input), size
    gain, covered = way.gain(w_shape, size), multiple(rows, way.patch) * multiple(columns, way.patch)
    reason = (
        f"{way.products} products instead of {way.direct} for a patch of {way.patch} x {way.patch} outputs, with the transforms of "
        f"{w_shape[2]} + {w_shape[3]} channels, in patches for {covered / (rows * columns):.1f} times the {rows} x {columns} outputs, are "
        f"expected to be {gain:.1f} times as fast as the direct sum; from {LEAST_GAIN} on that is worth it"
    )
    return way.patch if gain >= LEAST_GAIN else 0, reason


def best(w_shape: tuple[int, ...], size: tuple[int, ...], grad_input: bool = False) -> Way:
    """The way that is expected to be the faster one of Winograd's."""
    small_fits = min(size) >= SMALL.patch and w_shape[2] <= MOST_CHANNELS and processor().registers >= REGISTERS
    ways = [SMALL, LARGE] if small_fits and not grad_input else [LARGE]
    return max(ways, key=lambda way: way.gain(w_shape, size))
