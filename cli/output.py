"""What commands print: tables and JSON on stdout, everything about the work itself on stderr."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import click

BAR_WIDTH = 20
CLEAR_LINE = "\r\033[K"
WIDEST = 120
LONGEST_CELL = 80


def note(text: str, end: str = "\n") -> None:
    """Say something about the work; stderr may be closed."""
    if sys.stderr is not None:
        click.echo(text, err=True, nl=False)
        click.echo(end, err=True, nl=False)


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object; what JSON cannot spell (nan, infinities) becomes null."""
    click.echo(json.dumps(finite(content), allow_nan=False))


def finite(value: Any) -> Any:
    """Return the value with None in place of every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(rows: Sequence[Sequence[str]]) -> str:
    """Set rows in columns: the first to the left, the others to the right; long cells are cut."""
    rows = [[cell if len(cell) <= LONGEST_CELL else f"{cell[: LONGEST_CELL - 1]}…" for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def columns() -> int:
    """How wide text on stdout may be: as the terminal is, but not wider than a page is pleasant to read."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def wide(text: str, label: str = "", margin: str = "") -> str:
    """Set a paragraph as wide as the terminal, behind a label or a margin if there is one."""
    first = f"  {label}  " if label else margin
    return textwrap.fill(text, columns(), initial_indent=first, subsequent_indent=margin or " " * len(first))


def percent(share: float | None) -> str:
    """0.9912 as "99.12 %", "-" for what there is not."""
    return "-" if share is None else f"{share:.2%}".replace("%", " %")


def megabytes(count: int) -> str:
    """30878645 as "30.9 MB", "-" for nothing."""
    return f"{count / 1e6:.1f} MB" if count else "-"


def decimals(number: float | None) -> str:
    """A loss, or "-" for what there is not."""
    return "-" if number is None else f"{number:.4f}"


class CompilingLine:
    """A bar on a terminal that says which kernel is being compiled, or loaded from the cache, while it is; use it in a `with` statement.

    The cursor stays at its start, so that bars and later lines are written over it.
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled and sys.stderr is not None and sys.stderr.isatty()
        self.done = 0

    def __enter__(self) -> CompilingLine:
        if self.enabled:
            from jitcnn.kernels import compiling

            compiling.listeners.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.enabled:
            from jitcnn.kernels import compiling

            compiling.listeners.remove(self)
            note(CLEAR_LINE, end="")

    def __call__(self, kernel: str, coming: int) -> None:
        """Take the name of the kernel that comes next, and how many come after it."""
        self.done += 1
        total, width = self.done + coming, shutil.get_terminal_size().columns - 1
        filled = BAR_WIDTH * (self.done - 1) // total
        text = f"compiling {'█' * filled}{'░' * (BAR_WIDTH - filled)} {self.done} of {total}: {kernel}"
        note(f"{CLEAR_LINE}{text[:width]}\r", end="")
