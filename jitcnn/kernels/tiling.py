"""Which tile a pass uses: rows, vectors and lanes chosen from sizes, in one place."""

import math
from typing import NamedTuple

from jitcnn.kernels.vectors import full_lanes, processor

MOST_ROWS = 14  # more rows of a stride known only at run time run out of address registers, and need not be: loads are what takes time
MOST_SUMS = 26  # rows that lie side by side, or at known distances
MOST_TAPS = 7  # kernel columns that are written out
MOST_UNROLLED = 4


class Columns(NamedTuple):
    """How the columns of C are cut: blocks of vectors * lanes, and where they do not divide a last one of `last` vectors, else 0."""

    vectors: int
    lanes: int
    last: int
    last_lanes: int  # fewer where they hold all that is left
    masked: bool  # whether they do not fill the last vector

    @property
    def wide(self) -> int:
        """Columns in a block."""
        return self.vectors * self.lanes


def lane_counts(real: type) -> list[int]:
    """Lanes of the vectors that there are, the widest first."""
    full = full_lanes(real)
    return [full >> shift for shift in range(4) if full >> shift >= min(4, full)]


def cut(real: type, columns: int, vectors: int, lanes: int) -> Columns:
    """The columns in blocks of vectors * lanes."""
    left = columns % (vectors * lanes)
    last_lanes = min(n for n in lane_counts(real) if n >= left or n == lanes) if 0 < left <= lanes else lanes
    return Columns(vectors, lanes, -(-left // last_lanes), last_lanes, left % last_lanes != 0)


def worth(real: type, choice: Columns, columns: int) -> float:
    """The share of the processor's speed that is left for sums that count."""
    full = full_lanes(real)

    def steps(lanes: int) -> float:
        """What a vector of so many lanes takes, in full vectors: a quarter takes as long as a half."""
        return 1.0 if lanes == full else 0.5 / processor().half_vectors

    taken = columns // choice.wide * choice.vectors * steps(choice.lanes) + choice.last * steps(choice.last_lanes)
    gain = (1.0, 1.02, 1.01 if processor().registers == 32 else 0.99)[choice.vectors - 1]
    return columns / full / taken * (0.97 if choice.masked else 1.0) * gain


def choose_columns(real: type, columns: int) -> Columns:
    """The blocks that waste least."""
    fewest = min((n for n in lane_counts(real) if n >= columns), default=full_lanes(real))
    sizes = [(v, n) for n in lane_counts(real) for v in (1, 2, 3) if n <= fewest and (v == 1 or (v - 1) * n < columns)]
    return max((cut(real, columns, *size) for size in sizes), key=lambda choice: worth(real, choice, columns))


def choose_group(real: type, filters: int, width: int, kernel_w: int, stride_w: int) -> int:
    """How many neighbouring outputs of a line are computed together where filters alone do not fill a vector.

    The wider kernel has (group - 1) * stride_w more columns.
    """

    def gain(group: int) -> float:
        columns = group * filters
        return worth(real, choose_columns(real, columns), columns) * kernel_w / (kernel_w + (group - 1) * stride_w)

    return max((group for group in (1, 2, 4) if width % group == 0), key=lambda group: (gain(group) * (1 if group > 1 else 1.1), -group))


def most_rows(vectors: int, taps: int = 1, limit: int = MOST_ROWS) -> int:
    """Rows whose sums fit into the vector registers beside rows of B, one a tap, and a broadcast number."""
    if taps > 1 and processor().registers == 32 and processor().vector_bytes < 64:
        limit = min(limit, CHAINS)  # numbers of A, which are read far ahead, lie in registers too
    spare = 3 if taps > 1 and processor().registers == 16 else 1  # without an instruction that multiplies and adds, products take one
    return max(1, min(limit, (processor().registers - spare - vectors * taps) // vectors))


class Rows(NamedTuple):
    """A tile's rows: groups of per_group."""

    groups: int
    per_group: int


class Outputs(NamedTuple):
    """How a correlation's outputs are computed: `group_h` lines of `group_w` neighbours as filters of one wider kernel, and the tile."""

    group_h: int
    group_w: int
    filters: int  # of the whole group
    columns: Columns
    rows: Rows
    taps: int  # kernel columns that are written out, or 1

    @property
    def together(self) -> int:
        """Outputs in a group."""
        return self.group_h * self.group_w

    @property
    def panel(self) -> int:
        """Filters in a panel of arranged weights."""
        return min(self.columns.wide, self.filters)

    @property
    def panels(self) -> int:
        """How many panels there are."""
        return math.ceil(self.filters / self.panel)

    def kernel(self, kernel_size: tuple[int, int], strides: tuple[int, int]) -> tuple[int, int]:
        """The size of the wider kernel."""
        return kernel_size[0] + (self.group_h - 1) * strides[0], kernel_size[1] + (self.group_w - 1) * strides[1]


def choose_outputs(
    real: type, filters: int, size: tuple[int, ...], kernel_size: tuple[int, int], strides: tuple[int, int], may_group: bool
) -> Outputs:
    """What makes most of the processor, for outputs in `size[0]` lines of `size[1]`.

    A group takes products with zeros, which must not meet infinities: hence `may_group`.
    """
    found: list[tuple[float, int, Outputs]] = []
    for group_h, group_w in GROUPS if may_group else GROUPS[:1]:
        together = group_h * group_w * filters
        columns = choose_columns(real, together)
        if group_h > size[0] or group_w > size[1] or (group_h > 1 and columns[:3] != (1, together, 0)):
            continue
        wide = kernel_size[1] + (group_w - 1) * strides[1]
        several = columns.vectors == 1 and group_w * strides[1] < wide <= MOST_TAPS and most_rows(1, wide) >= CHAINS
        taps = wide if several else 1
        rows, used = choose_pixels(size, (group_h, group_w), columns.vectors, taps)
        outputs = Outputs(group_h, group_w, together, columns, rows, taps)
        counting = math.prod(kernel_size) / max(1, math.prod(outputs.kernel(kernel_size, strides)))
        found.append((worth(real, columns, together) * used * (counting if together > filters else UNGROUPED), -len(found), outputs))
    return max(found)[2]


GROUPS = ((1, 1), (1, 2), (1, 4), (1, 5), (1, 8), (2, 1), (2, 2), (2, 4), (2, 8))
UNGROUPED = 1.02  # weights need not be arranged


def choose_pixels(size: tuple[int, ...], group: tuple[int, int], vectors: int, taps: int) -> tuple[Rows, float]:
    """A tile's rows, and the share of its products that count; the last tile of a line, and of the lines, overlaps its neighbour."""
    most = most_rows(vectors, taps, MOST_ROWS if taps == 1 else MOST_SUMS)
    lines, pixels = (n // g for n, g in zip(size, group, strict=True))

    def gain(rows: Rows) -> tuple[float, int]:
        covered = [math.ceil(n / (r * g)) * r * g for n, r, g in zip(size, rows, group, strict=True)]
        count = rows.groups * rows.per_group * vectors
        # Each step of a tile costs about as much again as two products; few sums wait for one another.
        used = math.prod(size) / math.prod(covered)
        return used * count / (count + 2) * min(1.0, count / CHAINS), -rows.groups

    rows = max((Rows(g, n) for n in range(1, min(most, pixels) + 1) for g in range(1, min(most // n, lines) + 1)), key=gain)
    return rows, gain(rows)[0]


CHAINS = 8  # sums that keep the units busy: they take 4 steps to finish and start two at a time


def choose_taps(lines: int, width: int, vectors: int) -> tuple[Rows, int]:
    """Rows for `lines` lines of `width` sums that are added to and so must not overlap, and the rows left over in each line."""
    most = most_rows(vectors, limit=MOST_SUMS)
    if width <= most:
        groups = max(g for g in range(1, lines + 1) if lines % g == 0 and g * width <= max(width, most_rows(vectors)))
        return Rows(groups, width), 0
    rows = max((r for r in range(most // 2 + 1, most + 1) if width % r == 0), default=most)
    return Rows(1, rows), width % rows


def choose_unrolled(length: int, rows: int) -> int:
    """How many steps of a loop of this length are written out, so that they can share what they read, beside a tile's rows."""
    return max(n for n in range(1, MOST_UNROLLED + 1) if n == 1 or (length % n == 0 and most_rows(1, n, rows) == rows))
