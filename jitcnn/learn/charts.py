"""Charts made of letters, for a terminal of any width."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

BLOCKS = " ▏▎▍▌▋▊▉█"  # a cell filled by so many eighths
MARKS = "ox"
BOTH = "*"


def bar(length: float) -> str:
    """A bar of so many cells, to an eighth of a cell.

    >>> bar(2.5)
    '██▌'
    """
    eighths = max(0, round(8 * length))
    return BLOCKS[8] * (eighths // 8) + BLOCKS[eighths % 8].strip()


def logarithmic(values: Sequence[float], width: int) -> list[float]:
    """Lengths of bars on a logarithmic scale, the largest `width`; the scale begins a factor of ten below the smallest, whose bar is seen.

    >>> [round(length) for length in logarithmic([1, 10, 1000], 20)]
    [5, 10, 20]
    """
    low, high = math.log(min(values) / 10), math.log(max(values))
    return [width * (math.log(value) - low) / (high - low) for value in values]


def curves(series: Mapping[str, Sequence[float]], width: int, height: int = 10) -> str:
    """Two curves over the same steps, the first drawn with o, the second with x, and * where both are.

    Parameters
    ----------
    series
        Name -> values; what is not finite is left out.
    width, height
        Columns of the whole chart, rows of its inside.
    """
    columns = max(8, width - 8)
    finite = [value for values in series.values() for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    cells = [[" "] * columns for _ in range(height)]
    for mark, values in zip(MARKS, series.values(), strict=True):
        for column, value in enumerate(np.interp(np.linspace(0, len(values) - 1, columns), range(len(values)), values)):
            if math.isfinite(value):
                row = round((high - value) / max(high - low, 1e-12) * (height - 1))
                cells[row][column] = mark if cells[row][column] in (" ", mark) else BOTH
    scale = {0: f"{high:.2f}", height - 1: f"{low:.2f}"}
    lines = [f"{scale.get(row, ''):>6} |{''.join(line).rstrip()}" for row, line in enumerate(cells)]
    return "\n".join([*lines, f"{'':>6} +{'-' * columns}"])
