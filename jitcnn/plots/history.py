"""How training went, epoch by epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.metrics import largest
from jitcnn.plots.style import BLUE, RED, Sheet, colour, picture, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH, HEIGHT, ACROSS = 11.0, 3.4, 3
MOST_MARKS = 40  # epochs that have a mark each


@picture
def history(trained: "CNN | Mapping[str, Sequence[Any]]") -> "Figure":
    """Draw loss and accuracy by epoch, on the training images and, where they were measured, on those for validation.

    Parameters
    ----------
    trained : CNN or mapping
        A model, or a history such as `model.train` returns: lists by `loss`, `accuracy`, `val_loss`, `val_accuracy` (fractions),
        `top5` and the like, and `rate`, the learning rate; entries that are None were not measured.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is no epoch in it, or no matplotlib.
    """
    columns = trained if isinstance(trained, Mapping) else trained.history
    epochs = max(map(len, columns.values()), default=0)
    if not epochs or "loss" not in columns:
        raise ValueError("there is no history of training to draw: train the model, or give the folder of the run that made it")
    panels = _panels(columns)
    sheet = Sheet(WIDTH, f"Training: {plural(epochs, 'epoch')}", _best(columns))
    gap, left = 0.85, 0.8
    across = max(2, min(len(panels), ACROSS))
    wide = (WIDTH - left - Sheet.MARGIN - (across - 1) * gap) / across
    first = sheet.top + 0.35
    for number, kind in enumerate(panels):
        top = first + (number // ACROSS) * (HEIGHT + 0.95)
        _panel(sheet.axes(left + (number % ACROSS) * (wide + gap), top, wide, HEIGHT), kind, columns)
    sheet.top += 0.4
    return sheet.finish()


def _panels(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """Loss, accuracy, further metrics and the learning rate, those that were measured."""
    further = [name for name in columns if largest(name)]
    kinds = ["loss", "accuracy", *further, "rate"]
    return [kind for kind in kinds if _measured(columns.get(kind)) or _measured(columns.get(f"val_{kind}"))]


def _measured(column: Sequence[Any] | None) -> bool:
    return column is not None and any(value is not None for value in column)


def numbers(column: Sequence[Any] | None) -> np.ndarray:
    """A column of a history as floats, NaN where there is nothing."""
    return np.array([math.nan if value is None else float(value) for value in column or ()])


def best_epoch(columns: Mapping[str, Sequence[Any]]) -> int | None:
    """The epoch, from 0, with the lowest loss: that of validation where it was measured; None if it never was a finite number."""
    losses = numbers(columns[_decisive(columns)])
    finite = np.isfinite(losses)
    return int(np.argmin(np.where(finite, losses, np.inf))) if finite.any() else None


def _decisive(columns: Mapping[str, Sequence[Any]]) -> str:
    return "val_loss" if _measured(columns.get("val_loss")) else "loss"


def _best(columns: Mapping[str, Sequence[Any]]) -> str:
    name = _decisive(columns)
    losses, best = numbers(columns[name]), best_epoch(columns)
    if best is None:
        return "The loss was never a finite number: training diverged."
    accuracy = numbers(columns.get(name.replace("loss", "accuracy")))
    share = f" and accuracy {accuracy[best]:.2%}".replace("%", " %") if best < len(accuracy) and np.isfinite(accuracy[best]) else ""
    where = "validation" if name == "val_loss" else "training"
    return f"Lowest {where} loss in epoch {best + 1}: {losses[best]:.4f}{share} (dotted line)."


def _panel(axes: "Axes", kind: str, columns: Mapping[str, Sequence[Any]]) -> None:
    from matplotlib.ticker import MaxNLocator

    title, unit, factor = {
        "loss": ("Loss", "mean of an image", 1),
        "rate": ("Learning rate", "at the end of the epoch", 1),
        "accuracy": ("Accuracy", "right answers, %", 100),
    }.get(kind, (f"Among the {largest(kind)} likeliest", "right answers, %", 100))
    drawn = 0
    for name, label, drawn_in, line in ((kind, "training", BLUE, "-"), (f"val_{kind}", "validation", RED, "--")):
        values = factor * numbers(columns.get(name))
        if np.isfinite(values).any():
            mark = "o" if len(values) <= MOST_MARKS else ""
            axes.plot(np.arange(1, len(values) + 1), values, line, marker=mark, markersize=4, color=drawn_in, label=label)
            drawn += 1
    losses = numbers(columns["val_loss" if _measured(columns.get("val_loss")) else "loss"])
    if np.isfinite(losses).any():
        axes.axvline(
            int(np.nanargmin(np.where(np.isfinite(losses), losses, np.nan))) + 1, color=colour("muted"), linestyle=":", linewidth=1
        )
    axes.set(title=title, xlabel="epoch", ylabel=unit)
    if kind == "rate" and axes.dataLim.ymax > 0:
        axes.set_ylim(0, 1.05 * axes.dataLim.ymax)  # or a constant rate would fill the panel with its rounding
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(color=colour("plain"))
    axes.set_axisbelow(True)
    if drawn > 1:
        axes.legend(frameon=False)
