"""The table of a model's layers, as text and as HTML."""

import html
from collections.abc import Sequence
from typing import Any

from jitcnn.graph import Graph

COLUMNS = ("layer", "input shape", "output shape", "activation", "bias", "parameters", "multiply-adds")
NUMBERS = (5, 6)  # columns that are set right


class Summary(str):
    """The table as text; a notebook shows it as HTML.

    Attributes
    ----------
    rows : list of tuple of str
        A row a layer, in the order of `COLUMNS`, and a last row of totals.
    """

    rows: list[tuple[str, ...]]

    def __new__(cls, rows: Sequence[tuple[str, ...]]) -> "Summary":
        """Set the table."""
        self = super().__new__(cls, text_table(rows))
        self.rows = list(rows)
        return self

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html_table(self.rows)


def summarize(graph: Graph) -> Summary:
    """The table of a graph; shapes and counts are "?" as long as the shape of an image is not known."""
    known = graph.input_shape is not None
    rows = []
    for name, layer in zip(graph.names, graph.layers, strict=True):
        parameters = layer.parameter_list
        counts = (f"{sum(p.size for p in parameters):,}", f"{layer.multiply_adds():,}") if known else ("?", "?")
        shapes = (shape_text(layer.input_shape), shape_text(layer.output_shape)) if known else ("?", "?")
        has_bias = getattr(layer, "use_bias", None)
        bias = "-" if has_bias is None else "yes" if has_bias else "no"
        rows.append((f"{name} ({type(layer).__name__})", *shapes, layer.activation or "-", bias, *counts))
    total_parameters = f"{sum(p.size for p in graph.parameters.values()):,}" if known else "?"
    total_multiply_adds = f"{sum(layer.multiply_adds() for layer in graph.layers):,}" if known else "?"
    rows.append(("total", "", "", "", "", total_parameters, total_multiply_adds))
    return Summary(rows)


def shape_text(shape: Any) -> str:
    """(28, 28, 1) as "28 x 28 x 1"."""
    return " x ".join(map(str, shape))


def text_table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns set with spaces, a line under the head and above the last row."""
    table = [COLUMNS, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.rjust(width) if i in NUMBERS else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in table
    ]
    rule = "-" * len(lines[0])
    return "\n".join(line.rstrip() for line in (lines[0], rule, *lines[1:-1], rule, lines[-1]))


def html_table(rows: Sequence[tuple[str, ...]]) -> str:
    """The same as an HTML table."""

    def cells(row: Sequence[str], tag: str) -> str:
        style = ' style="text-align: right"'
        return "".join(f"<{tag}{style if i in NUMBERS else ''}>{html.escape(cell)}</{tag}>" for i, cell in enumerate(row))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows[:-1])
    return (
        f"<table><thead><tr>{cells(COLUMNS, 'th')}</tr></thead><tbody>{body}</tbody><tfoot><tr>{cells(rows[-1], 'th')}</tr></tfoot></table>"
    )
