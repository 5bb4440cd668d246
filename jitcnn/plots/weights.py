"""What a dense layer weighs: one picture for each of its outputs."""

import math
from typing import TYPE_CHECKING

import numpy as np

from jitcnn.layers import Dense
from jitcnn.plots.structure import image_behind, layers_of
from jitcnn.plots.style import DIVERGING, Sheet, class_names, largest, picture, plural
from jitcnn.plots.tiles import mosaic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH = 12.0
MOST_OUTPUTS = 64


@picture
def weights(model: "CNN", layer: str | None = None) -> "Figure":
    """Draw a dense layer's weights as one picture for each of its outputs, the classes if it is the last layer.

    A weight stands where the pixel is that it weighs. If the layer's input has several channels, each picture is a grid of as many parts,
    channel after channel, row by row.

    Parameters
    ----------
    model : CNN
    layer : str, optional
        A dense layer's name; the last one if missing. Of more than 64 outputs those with the largest weights are drawn.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is no dense layer, none of that name, or no matplotlib.
    """
    shown = layers_of(model, Dense, layer)[-1]
    values = np.asarray(shown.weights.value, np.float64)
    outputs = values.shape[1]
    rows, columns, channels = image_behind(model, shown)
    names = class_names(model, outputs) if shown is model.layers[-1] else [f"unit {number}" for number in range(outputs)]
    chosen = np.sort(np.argsort(-np.sum(np.nan_to_num(values) ** 2, axis=0), kind="stable")[:MOST_OUTPUTS])
    across = math.ceil(math.sqrt(channels))
    pictures = [mosaic(values[:, k].reshape(rows, columns, channels).transpose(2, 0, 1), across) for k in chosen]
    sheet = Sheet(WIDTH, f"Weights of {shown.name}: one picture for each output", _about(rows * columns, channels, len(chosen), outputs))
    _panels(sheet, pictures, [names[k] for k in chosen], largest(values))
    return sheet.finish()


def _about(pixels: int, channels: int, shown: int, outputs: int) -> str:
    parts = f"Each is a grid of the {plural(channels, 'input channel')}, row by row. " if channels > 1 else ""
    if pixels == 1:
        parts = f"Each is its weights for {plural(channels, 'input')}, in their order row by row. "
    left_out = f" Shown are {shown} of {outputs:,}: those with the largest sum of squared weights." if shown < outputs else ""
    return f"{parts}Where it is red, a large input speaks for the output, where it is blue, against it; white does not matter.{left_out}"


def _panels(sheet: Sheet, pictures: list[np.ndarray], names: list[str], limit: float) -> None:
    proportions = pictures[0].shape[0] / pictures[0].shape[1]
    across = min(len(pictures), 5 if len(pictures) <= 10 else 8)
    gap, bar = 0.25, 1.1
    wide = min(3.0, (WIDTH - 2 * Sheet.MARGIN - bar - (across - 1) * gap) / across)
    high = wide * proportions
    top = first = sheet.top + 0.3
    for number, (array, name) in enumerate(zip(pictures, names, strict=True)):
        left = Sheet.MARGIN + (number % across) * (wide + gap)
        top = first + (number // across) * (high + 0.45)
        image = sheet.image(array, left, top, wide, high, cmap=DIVERGING, vmin=-limit, vmax=limit)
        image.axes.set_title(name)
        image.axes.spines[:].set_visible(True)
    sheet.bar(image, Sheet.MARGIN + across * (wide + gap) - gap + 0.2, first, max(0.8, min(high, 3.0)), "weight")
