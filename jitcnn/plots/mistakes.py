"""What a model is most wrong about."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jitcnn.plots.confusion import matrix_of
from jitcnn.plots.style import GREY, Sheet, class_names, picture, plural
from jitcnn.plots.tiles import as_shown
from jitcnn.scores import decide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH, ACROSS, APART = 12.0, 8, 0.2


class Mistake(NamedTuple):
    """An image, by its number, of the class `true` and taken for another, with the output that the model gave that one."""

    number: int
    true: int
    taken_for: int
    output: float


def mistakes(model: "CNN", x: Any, y: Any, count: int = 24) -> "Figure":
    """Draw the images that a model is most sure about and wrong, the surest first.

    Parameters
    ----------
    model : CNN
    x, y : arrays
        Images and class numbers, as for `model.evaluate`.
    count : int
        How many at most.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the model is no classifier of images, labels do not fit, or there is no matplotlib.
    """
    return draw(x, y, model.predict(x), class_names_of(model), count, shares=model.layers[-1].activation in ("softmax", "sigmoid"))


def class_names_of(model: "CNN") -> list[str]:
    """The names of all classes, two of a single output."""
    return class_names(model, max(2, (model.output_shape or (0,))[-1]))


def most_confident(outputs: np.ndarray, y: np.ndarray, count: int) -> list[Mistake]:
    """The mistakes with the largest output for the wrong class."""
    decisions = decide(outputs)
    sure = np.where(decisions == 1, outputs[:, 0], 1 - outputs[:, 0]) if outputs.shape[1] == 1 else outputs.max(axis=1)
    wrong = np.flatnonzero(decisions != y)
    chosen = wrong[np.argsort(-sure[wrong], kind="stable")[:count]]
    return [Mistake(int(n), int(y[n]), int(decisions[n]), float(sure[n])) for n in chosen]


@picture
def draw(x: Any, y: Any, outputs: np.ndarray, names: Sequence[str], count: int, shares: bool = True) -> "Figure":
    """The picture for outputs that are there already; `shares` if they are probabilities."""
    matrix = matrix_of(outputs, y)
    if np.ndim(x) != 4:
        raise ValueError(f"x is {np.shape(x)}: mistakes are drawn of images, (images, rows, columns, channels)")
    wrong = int(matrix.sum() - matrix.trace())
    found = most_confident(outputs, np.asarray(y), count)
    about = f"{plural(wrong, 'mistake')} in {plural(int(matrix.sum()), 'image')}; those that the model was surest of come first."
    sheet = Sheet(WIDTH, "Most confident mistakes", about if wrong else f"No mistakes in {plural(int(matrix.sum()), 'image')}.")
    wide = (WIDTH - 2 * Sheet.MARGIN - (ACROSS - 1) * APART) / ACROSS
    high = wide * min(2.0, x.shape[1] / x.shape[2])
    first = sheet.top + 0.55
    for place, mistake in enumerate(found):
        left = Sheet.MARGIN + (place % ACROSS) * (wide + APART)
        top = first + (place // ACROSS) * (high + 0.75)
        sheet.small(as_shown(x[mistake.number]), left, top, wide, high, cmap=GREY)
        said = f"{100 * mistake.output:.1f} %" if shares else f"{mistake.output:.3g}"
        lines = f"image {mistake.number}, {said}\nis {names[mistake.true]}\nsaid {names[mistake.taken_for]}"
        sheet.text(lines, left, top - 0.06, va="bottom", size=8.5)
    return sheet.finish()
