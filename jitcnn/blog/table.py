"""The text's summary of a model: columns as pandas prints them, without pandas."""

from collections.abc import Sequence
from typing import Any

COLUMNS = {
    "Input": "input_shape",
    "Output Shape": "output_shape",
    "Activation": "activation",
    "Bias": "isbias",
    "Parameters": "parameters",
}
WIDER_TITLES = ("Bias", "Parameters")  # pandas sets the titles of numbers and booleans one space further in
INDEX = "Layer Name"


def table(layers: Sequence[Any]) -> str:
    """A line for each layer, its name on the left, everything else on the right of its column.

    Parameters
    ----------
    layers
        With `name` and the attributes of `COLUMNS`.
    """
    width = max(len(INDEX), *(len(layer.name) for layer in layers)) if layers else len(INDEX)
    lines = [" " * width, INDEX.ljust(width), *(layer.name.ljust(width) for layer in layers)]
    for title, attribute in COLUMNS.items():
        heading = f" {title}" if title in WIDER_TITLES else title
        cells = [heading, "", *(f" {getattr(layer, attribute)}" for layer in layers)]
        column = max(map(len, cells)) + 1
        lines = [line + cell.rjust(column) for line, cell in zip(lines, cells, strict=True)]
    return "\n".join(lines)
