"""Tables of results, as Markdown; the command line sets the same ones for a terminal."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Table(NamedTuple):
    """What one table of a suite says."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """Set it as a section of a page."""
        return "\n\n".join(part for part in (f"## {self.title}", markdown(self.header, self.rows), self.note) if part)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns aligned so that the source reads as a table too."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    padded.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in padded)


def number(value: float) -> str:
    """Three digits that matter, thousands apart: 23,400, 7.62."""
    if value >= 1000:
        digits = len(str(int(value)))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def times(comparison: dict[str, Any]) -> str:
    """How many times better ours is, in brackets at least and at most in a round; "" where nothing was compared."""
    return "{ratio:.2f} ({ratio_least:.2f} to {ratio_most:.2f})".format(**comparison) if "ratio" in comparison else ""


def wanted(name: str, only: Sequence[str]) -> bool:
    """Whether a name holds one of the words, or there are no words to choose by."""
    return not only or any(word in name for word in only)
