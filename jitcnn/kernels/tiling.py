"""Which tile a pass uses: rows, vectors and lanes chosen from sizes, in one place."""

import math
from typing import NamedTuple

from jitcnn.kernels.vectors import full_lanes, processor

MOST_ROWS = 14  # more rows of a stride known only at run time run out of address registers


class Columns(NamedTuple):
    """How the columns of C are cut: blocks of vectors * lanes, the last one masked where they do not divide."""

    vectors: int
    lanes: int
    masked: bool

    @property
    def wide(self) -> int:
        """Columns in a block."""
        return self.vectors * self.lanes


def worth(real: type, choice: Columns, columns: int) -> float:
    """The share of the processor's speed that is left for sums that count.

    Where vectors have 512 bits, shorter ones run at seven eighths of their share's double, since two units of 256 bits make one of
    512; elsewhere half a vector is half the speed.
    """
    full = full_lanes(real)
    used = columns / (math.ceil(columns / choice.wide) * choice.wide)
    speed = choice.lanes / full * (1.75 if choice.lanes < full and processor().vector_bytes == 64 else 1.0)
    return used * speed * (0.97 if choice.masked else 1.0) * (1.0 + 0.02 * (choice.vectors == 2))


def choose_columns(real: type, columns: int) -> Columns:
    """The blocks that waste least."""
    full = full_lanes(real)
    lanes = [full >> shift for shift in range(4) if full >> shift >= min(4, full)]
    choices = [Columns(v, n, columns % (v * n) != 0) for n in lanes for v in (1, 2, 3)]
    return max(choices, key=lambda choice: worth(real, choice, columns))


def choose_group(real: type, filters: int, width: int, kernel_w: int, stride_w: int) -> int:
    """How many neighbouring outputs of a line are computed together where filters alone do not fill a vector.

    The wider kernel has (group - 1) * stride_w more columns.
    """

    def gain(group: int) -> float:
        columns = group * filters
        return worth(real, choose_columns(real, columns), columns) * kernel_w / (kernel_w + (group - 1) * stride_w)

    return max((group for group in (1, 2, 4) if width % group == 0), key=lambda group: (gain(group) * (1 if group > 1 else 1.1), -group))


def most_rows(vectors: int) -> int:
    """Rows whose sums fit into the vector registers beside a row of B and a broadcast number."""
    return max(1, min(MOST_ROWS, (processor().registers - 1 - vectors) // vectors - (processor().registers == 16)))


class Rows(NamedTuple):
    """A tile's rows: groups of per_group."""

    groups: int
    per_group: int


def choose_pixels(height: int, width: int, vectors: int) -> Rows:
    """Rows for outputs in `height` lines of `width`: parts of a line, or several whole lines where they are short.

    The last tile of a line overlaps its neighbour rather than being smaller.
    """
    most = most_rows(vectors)
    if width > most:
        return Rows(1, math.ceil(width / math.ceil(width / most)))
    return Rows(math.ceil(height / math.ceil(height / (most // width))), width)


def choose_taps(lines: int, width: int, vectors: int) -> tuple[Rows, int]:
    """Rows for `lines` lines of `width` sums that are added to and so must not overlap, and the rows left over in each line."""
    most = most_rows(vectors)
    if width <= most:
        groups = max(g for g in range(1, lines + 1) if lines % g == 0 and g * width <= most)
        return Rows(groups, width), 0
    rows = max((r for r in range(most // 2 + 1, most + 1) if width % r == 0), default=most)
    return Rows(1, rows), width % rows
