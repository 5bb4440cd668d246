"""What becomes of an image from layer to layer."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.plots.stages import Cell, Stage, Triple, stages
from jitcnn.plots.style import BLUE, GREY, Sheet, class_names, colour, picture, scale_of, shortened, span
from jitcnn.plots.tiles import as_shown
from jitcnn.summary import shape_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH = 12.0
CELL, BETWEEN, APART = 0.98, 0.26, 0.33  # inches: a small picture, the sign behind it, triples from each other
INDENT = 1.2
TRIPLES = 3
MOST_BARS = 12
NORMALIZED = {
    "per-image": "Before the first layer, its mean is taken away from each number, the rest divided by their standard deviation.",
    "dataset": "Before the first layer, the training images' mean is taken away, channel by channel, the rest divided by their deviation.",
}
PROBABILITIES = ("softmax", "sigmoid")


@picture
def outputs(model: "CNN", image: Any) -> "Figure":
    """Draw an image's way through a model: for every layer a few inputs, kernels and outputs side by side.

    Of each layer the three outputs are drawn that are strongest for this image; of a convolution of several channels the input channel
    that weighs most for an output, of a dense layer the one that adds or takes most. Above each small picture stands what it is, below
    it the smallest and the largest number in it.

    Parameters
    ----------
    model : CNN
    image : array or path
        One image as the model takes it, (rows, columns, channels) or (features,), or a picture's file.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If it is no such image, or there is no matplotlib.
    """
    pixels = one_image(model, image)
    answer = model.predict(pixels)
    about = (
        "What each layer makes of the image. In small pictures black is 0 and lighter is more; where numbers may lie on both sides of 0, "
        "red is above it and blue below. Under each stand its smallest and its largest number."
    )
    sheet = Sheet(WIDTH, "An image's way through the network", about)
    _start(sheet, model, pixels, answer)
    for stage in stages(model, pixels, TRIPLES):
        _stage(sheet, stage)
    if answer.ndim == 1:
        _answer(sheet, model, answer)
    return sheet.finish()


def one_image(model: "CNN", image: Any) -> np.ndarray:
    """One image as `model.predict` takes it, that of a file prepared; a ValueError if it is none, or there are several."""
    if not model.layers or model.input_shape is None:
        raise ValueError("the model needs layers, and the shape of its images: give its first layer an input_shape, or train it")
    array = np.asarray(model.prepare(image) if isinstance(image, str | os.PathLike) else image)
    if array.shape != model.input_shape:
        raise ValueError(f"image is {array.shape}, expected one image as the model takes it, {model.input_shape}")
    return array if array.dtype in (np.uint8, np.float32, np.float64) else array.astype(np.float32)


def _start(sheet: Sheet, model: "CNN", pixels: np.ndarray, answer: np.ndarray) -> None:
    """The image itself, what is done to it first, and what the model says in the end."""
    told = [NORMALIZED[model.normalize]] if model.normalize in NORMALIZED else []
    if answer.ndim == 1 and model.layers[-1].activation == "softmax":
        best = int(np.argmax(answer))
        told.append(f"The answer in the end: {class_names(model, len(answer))[best]}, {100 * answer[best]:.1f} %.")
    size, left = 1.7, Sheet.MARGIN
    if pixels.ndim == 3:
        sheet.line(f"image, {shape_text(pixels.shape)}", 0.27, weight="bold")
        wide = size * min(2.0, pixels.shape[1] / pixels.shape[0])
        top = sheet.top + size / 2 - 0.12 * len(told)
        sheet.small(as_shown(pixels), left, sheet.top, wide, size, cmap=GREY)
        left += wide + 0.25
    else:
        sheet.line(f"input: {len(pixels):,} numbers", 0.27, weight="bold")
        top = sheet.top
        sheet.top += 0.22 * len(told)
    for number, line in enumerate(told):
        sheet.text(line, left, top + 0.22 * number, color=colour("muted"))


def _stage(sheet: Sheet, stage: Stage) -> None:
    sheet.top += 0.22
    sheet.text(stage.name, Sheet.MARGIN, sheet.top, weight="bold", size=10.5)
    sheet.text(stage.about, Sheet.MARGIN + INDENT, sheet.top)
    sheet.top += 0.21
    if stage.how:
        sheet.text(stage.how, Sheet.MARGIN + INDENT, sheet.top, size=9, color=colour("muted"))
        sheet.top += 0.2
    if not stage.triples:
        return
    top = sheet.top + 0.24
    for number, triple in enumerate(stage.triples):
        _triple(sheet, triple, Sheet.MARGIN + number * (3 * CELL + 2 * BETWEEN + APART), top)
    sheet.top = top + CELL + 0.2


def _triple(sheet: Sheet, triple: Triple, left: float, top: float) -> None:
    sign: dict[str, Any] = {"va": "center", "ha": "center", "size": 12}
    middle = top + CELL / 2
    steps = [left + number * (CELL + BETWEEN) for number in range(3)]
    _cell(sheet, triple.input, steps[0], top)
    if isinstance(triple.kernel, str):
        sheet.text(triple.kernel, steps[1] + CELL / 2, middle, **{**sign, "size": 9.5})
    else:
        _cell(sheet, triple.kernel, steps[1], top)
    product = triple.output.is_weights
    sheet.text("→" if isinstance(triple.kernel, str) else "×" if product else "*", steps[1] - BETWEEN / 2, middle, **sign)
    sheet.text("=" if product else "→", steps[2] - BETWEEN / 2, middle, **sign)
    _cell(sheet, triple.output, steps[2], top)


def _cell(sheet: Sheet, cell: Cell, left: float, top: float) -> None:
    rows, columns = cell.array.shape
    longer = max(rows, columns)
    width, height = CELL * max(columns / longer, 0.12), CELL * max(rows / longer, 0.12)
    scale = scale_of(cell.array, both_sides=cell.is_weights)
    sheet.small(cell.array, left + (CELL - width) / 2, top + (CELL - height) / 2, width, height, **scale)
    middle = left + CELL / 2
    sheet.text(shortened(cell.title, 24), middle, top - 0.17, ha="center", size=7.5)
    sheet.text(span(cell.array), middle, top + CELL + 0.05, ha="center", size=7.5, color=colour("muted"))


def _answer(sheet: Sheet, model: "CNN", answer: np.ndarray) -> None:
    """The outputs as bars: in the order of the classes, of many the largest."""
    names = class_names(model, len(answer))
    shares = model.layers[-1].activation in PROBABILITIES
    chosen = np.argsort(-answer, kind="stable")[:MOST_BARS] if len(answer) > MOST_BARS else np.arange(len(answer))
    sheet.top += 0.3
    title = "answer" if len(chosen) == len(answer) else f"answer, the {len(chosen)} largest of {len(answer):,} outputs"
    sheet.line(title, 0.3, weight="bold", size=10.5)
    axes = sheet.axes(Sheet.MARGIN + 1.4, sheet.top, 5.0, 0.24 * len(chosen))
    best = int(np.argmax(answer))
    bars = axes.barh(range(len(chosen)), answer[chosen], color=[BLUE if k == best else colour("line") for k in chosen], height=0.65)
    axes.bar_label(bars, [f"{100 * p:.1f} %" if shares else f"{p:.3g}" for p in answer[chosen]], padding=4, size=9)
    axes.set_yticks(range(len(chosen)), [names[k] for k in chosen])
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    if shares:
        axes.set_xlim(0, 1)
