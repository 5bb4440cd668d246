"""The architecture: what follows on what, how large it is, and where parameters and work are."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.plots.style import BLUE, RED, Sheet, colour, percent, picture, plural
from jitcnn.summary import shape_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from jitcnn.layers.base import Layer, Shape
    from jitcnn.model import CNN

WIDTH, ROW = 12.0, 0.66
MIDDLE, NAMES, PARAMETERS, WORK = 0.78, 1.35, 6.3, 9.2  # inches from the left: of icons, and where columns begin
BARS = 1.45
LETTERS = 76  # of a line before the column of parameters
MOST_SHEETS = 8
NORMALIZED = {None: "as it comes", "per-image": "standardised one by one", "dataset": "standardised by the training images"}
GREEN = "#2e9e48"
KINDS = {"Conv2d": BLUE, "Dense": RED, "Pool2d": GREEN, "Upsample": GREEN}


@picture
def graph(model: "CNN") -> "Figure":
    """Draw a model's architecture: each layer with its settings and output, its parameters and its work.

    Images are drawn to scale, with a sheet for each channel, up to 8; rows of features as lines.

    Parameters
    ----------
    model : CNN

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the model has no layers, the shape of its images is not known, or there is no matplotlib.
    """
    if not model.layers or model.input_shape is None:
        raise ValueError("there is no architecture to draw: the model needs layers and the shape of its images, input_shape=…")
    parameters = [sum(parameter.size for parameter in layer.parameter_list) for layer in model.layers]
    work = [layer.multiply_adds() for layer in model.layers]
    about = (
        f"{plural(len(model.layers), 'layer')}, {plural(sum(parameters), 'parameter')}, "
        f"{plural(sum(work), 'multiplication')} with an addition for an image. Images are drawn to scale."
    )
    sheet = Sheet(WIDTH, "Architecture", about)
    sheet.top += 0.1
    for left, name in ((NAMES, "layer"), (PARAMETERS, "parameters"), (WORK, "multiply-adds")):
        sheet.text(name, left, sheet.top, weight="bold")
    first = sheet.top = sheet.top + 0.3
    scale = max((max(shape[:2]) for shape in _shapes(model) if len(shape) == 3), default=1)
    normalized = {None: "as it comes", "per-image": "standardised one by one", "dataset": "standardised by channel"}[model.normalize]
    _row(sheet, "input", f"{shape_text(model.input_shape)}, {normalized}", model.input_shape, scale, "ink", (0.5, 1))
    for layer in model.layers:
        assert layer.output_shape is not None
        line = (0, 0.5 if layer is model.layers[-1] else 1)
        _row(sheet, layer.name, settings_of(layer), layer.output_shape, scale, KINDS.get(type(layer).__name__, "muted"), line)
    _bars(sheet.axes(PARAMETERS, first, BARS, ROW * (len(work) + 1)), parameters, BLUE)
    _bars(sheet.axes(WORK, first, BARS, ROW * (len(work) + 1)), work, RED)
    return sheet.finish()


def _shapes(model: "CNN") -> "list[Shape]":
    return list(model.graph.buffer_shapes().values())


def settings_of(layer: "Layer") -> str:
    """What a layer is, in words, and the shape of what it makes."""
    assert layer.output_shape is not None
    made = shape_text(layer.output_shape)
    kind = type(layer).__name__
    words = WORDS.get(kind, lambda layer: kind)(layer)
    activation = f", {layer.activation}" if layer.activation and kind != "Activation" else ""
    return f"{words}{activation} → {made}"


def _window(layer: Any) -> str:
    rows, columns = layer.kernel_size
    usual = layer.kernel_size if hasattr(layer, "kind") else (1, 1)
    stride = "" if layer.stride == usual else f", stride {' x '.join(map(str, layer.stride))}"
    padding = "" if layer.padding in (None, "valid") else f", padding {layer.padding}"
    return f"{rows} x {columns}{stride}{padding}"


WORDS = {
    "Conv2d": lambda layer: f"convolution, {plural(layer.filters, 'filter')} of {_window(layer)}",
    "Pool2d": lambda layer: f"{layer.kind} of {_window(layer)}",
    "Dense": lambda layer: f"dense, {plural(layer.units, 'unit')}",
    "Dropout": lambda layer: f"dropout of {layer.rate:.0%} while training".replace("%", " %"),
    "Flatten": lambda layer: "one row of numbers",
    "Activation": lambda layer: layer.activation or "linear",
    "Upsample": lambda layer: f"each pixel {layer.factor[0]} x {layer.factor[1]} times",
}


def _row(sheet: Sheet, name: str, about: str, shape: "Shape", scale: int, kind: str, line: tuple[float, float]) -> None:
    """A layer's line: its output as an icon, its name, its settings, and the part of the way through the network that is drawn in it."""
    top = sheet.top
    sheet.canvas.plot([MIDDLE, MIDDLE], [top + ROW * end for end in line], color=colour("line"), linewidth=1.5, zorder=0)
    edge = kind if kind.startswith("#") else colour(kind)
    _icon(sheet.canvas, top + ROW / 2, shape, scale, edge)
    sheet.text(name, NAMES, top + 0.1, weight="bold", color=edge if kind.startswith("#") else colour("ink"))
    sheet.text(about, NAMES, top + 0.31, size=9 * min(1, LETTERS / len(about)), color=colour("muted"))
    sheet.top = top + ROW


def _icon(canvas: "Axes", middle: float, shape: "Shape", scale: int, edge: str) -> None:
    """Channels as sheets one behind the other, to scale; features as a line."""
    from matplotlib.patches import Rectangle

    if len(shape) != 3:
        canvas.add_patch(Rectangle((MIDDLE - 0.28, middle - 0.03), 0.56, 0.06, facecolor=edge, edgecolor=edge))
        return
    sheets = min(shape[2], MOST_SHEETS)
    high, wide = (max(0.03, side * 0.4 / scale) for side in shape[:2])
    shift = 0.025
    left, top = MIDDLE - (wide + shift * (sheets - 1)) / 2, middle - (high + shift * (sheets - 1)) / 2
    for number in range(sheets):
        corner = (left + shift * (sheets - 1 - number), top + shift * number)
        canvas.add_patch(Rectangle(corner, wide, high, facecolor=colour("paper"), edgecolor=edge, linewidth=0.9))


def _bars(axes: "Axes", counts: list[int], fill: str) -> None:
    """A bar a layer, at its line; the first line is the input's."""
    lines = np.arange(1, len(counts) + 1)
    bars = axes.barh(lines, counts, height=0.36, color=fill)
    total = max(1, sum(counts))
    axes.bar_label(bars, [f"{n:,} ({percent(n / total)})" if n else "" for n in counts], padding=4, size=9)
    axes.set(ylim=(len(counts) + 0.5, -0.5), xlim=(0, max([1, *counts])), xticks=[], yticks=[])
    axes.spines[["bottom", "top", "right"]].set_visible(False)
