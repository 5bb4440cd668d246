"""Which classes are taken for which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jitcnn.plots.letters import width_of
from jitcnn.plots.style import RED, Sheet, class_names, colour, picture, plural
from jitcnn.scores import confusion_matrix, decide

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH, LEFT, SIDE, PAIRS = 12.0, 1.6, 5.7, 8.4  # inches
MOST_NUMBERS = 25  # classes up to which counts are written down
MOST_NAMES = 50
MOST_PAIRS = 10
ERRORS = "Reds"


class Pair(NamedTuple):
    """A confusion: `mistaken` of the `images` of the true class were taken for the other."""

    true: int
    taken_for: int
    mistaken: int
    images: int


def confusion(model: "CNN", x: Any, y: Any) -> "Figure":
    """Draw which classes a model takes for which: how many images of each true class (row) it took for each class (column).

    Right answers, on the diagonal, are counted but not coloured, so that mistakes are seen at any accuracy. The most confused pairs are
    named beside it.

    Parameters
    ----------
    model : CNN
    x, y : arrays
        Images and class numbers, as for `model.evaluate`.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the model is no classifier, labels do not fit, or there is no matplotlib.
    """
    outputs = model.predict(x)
    return draw(matrix_of(outputs, y), class_names(model, max(2, outputs.shape[1])))


def matrix_of(outputs: np.ndarray, y: Any) -> np.ndarray:
    """Count images by true class (rows) and decision (columns); a ValueError if labels do not fit the outputs."""
    decisions, labels = decide(outputs), np.asarray(y)
    classes = max(2, outputs.shape[1])
    if labels.shape != decisions.shape or labels.dtype.kind not in "biu":
        raise ValueError(f"y is {labels.dtype} of shape {labels.shape}, expected {len(decisions):,} class numbers, one for each image")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"y has labels from {labels.min()} to {labels.max()}, and the model {classes} classes")
    return confusion_matrix(labels.astype(np.int64), decisions, classes)


def most_confused(matrix: np.ndarray, most: int = MOST_PAIRS) -> list[Pair]:
    """The pairs of a true class and another that are confused most often, first by count, then by share of the true class."""
    images = matrix.sum(axis=1)
    pairs = [Pair(int(i), int(j), int(matrix[i, j]), int(images[i])) for i, j in zip(*np.nonzero(matrix), strict=True) if i != j]
    return sorted(pairs, key=lambda pair: (-pair.mistaken, pair.images, pair.true, pair.taken_for))[:most]


@picture
def draw(matrix: np.ndarray, names: Sequence[str]) -> "Figure":
    """The picture of a confusion matrix."""
    right, images = int(matrix.trace()), int(matrix.sum())
    accuracy = f"{right / images:.2%}".replace("%", " %")
    about = f"{right:,} of {plural(images, 'image')} are right, {accuracy}. Colour: how often a class was taken for another; grey: right."
    sheet = Sheet(WIDTH, "Confusion matrix", about)
    longest = max(map(width_of, names))
    upright = longest * min(len(names), MOST_NAMES) > 60  # names beside each other would touch
    top = sheet.top + (0.075 * longest + 0.35 if upright else 0.6)
    _matrix(sheet, matrix, names, top, upright)
    _pairs(sheet.axes(PAIRS, top, WIDTH - PAIRS - Sheet.MARGIN, SIDE), matrix, names)
    return sheet.finish()


def _matrix(sheet: Sheet, matrix: np.ndarray, names: Sequence[str], top: float, upright: bool) -> None:
    count = len(names)
    mistakes = np.where(np.eye(count, dtype=bool), np.nan, matrix)
    limit = max(1.0, float(np.nanmax(mistakes, initial=0)))
    image = sheet.image(mistakes, LEFT, top, SIDE, SIDE, cmap=ERRORS, vmin=0, vmax=limit)
    axes = image.axes
    axes.set_facecolor(colour("plain"))
    shown = np.arange(0, count, -(-count // MOST_NAMES))
    size = 9.5 if count <= MOST_NUMBERS else 7
    labels = [names[int(k)] for k in shown]
    axes.set_xticks(shown, labels, size=size, rotation=90 if upright else 0)
    axes.set_yticks(shown, labels, size=size)
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set(xlabel="taken for", ylabel="true class")
    if count <= MOST_NUMBERS:
        for i, j in np.ndindex(matrix.shape):
            if matrix[i, j]:
                dark = i != j and matrix[i, j] > 0.6 * limit
                ink = colour("ink") if i == j else "white" if dark else "#1f2328"
                axes.text(j, i, f"{matrix[i, j]:,}", ha="center", va="center", size=min(9.5, 110 / count), color=ink)
    sheet.bar(image, LEFT + SIDE + 0.15, top, 2.5, "images", whole=True)


def _pairs(axes: "Axes", matrix: np.ndarray, names: Sequence[str]) -> None:
    pairs = most_confused(matrix)
    axes.set_title("Most confused pairs", loc="left", weight="bold")
    axes.spines[:].set_visible(False)
    if not pairs:
        axes.set(xticks=[], yticks=[])
        axes.text(0, 0.97, "none: every image is right", transform=axes.transAxes, va="top")
        return
    bars = axes.barh(range(len(pairs)), [pair.mistaken for pair in pairs], color=RED, height=0.28)
    axes.bar_label(
        bars, [f"{p.mistaken:,} of {p.images:,} ({p.mistaken / p.images:.1%})".replace("%", " %") for p in pairs], padding=4, size=9
    )
    for line, pair in enumerate(pairs):
        axes.text(0, line - 0.22, f"{names[pair.true]} taken for {names[pair.taken_for]}", va="bottom")
    axes.set(xticks=[], yticks=[], xlim=(0, 1.9 * pairs[0].mistaken), ylim=(MOST_PAIRS - 0.5, -0.7))
