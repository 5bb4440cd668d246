"""A page's pictures: each drawn on light and on dark paper, as a PNG."""

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from jitcnn import plots
from jitcnn.layers import Conv2d, Dense
from jitcnn.plots import style
from jitcnn.plots.confusion import draw as draw_confusion
from jitcnn.plots.mistakes import draw as draw_mistakes
from jitcnn.report.facts import Facts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[], "Figure"]

MISTAKES = 16
PROBABILITIES = ("softmax", "sigmoid")


class Picture(NamedTuple):
    """A picture, and what it shows in words."""

    about: str
    light: bytes
    dark: bytes


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_all(facts: Facts) -> dict[str, Picture]:
    """All pictures that there are of a run, by kind."""
    return {kind: _both(about, draw) for kind, (about, draw) in pictures_of(facts).items()}


def pictures_of(facts: Facts) -> dict[str, tuple[str, Draw]]:
    """The pictures that there are of a run: kind -> (what it shows, what draws it)."""
    model, measured, history = facts.model, facts.measured, facts.run.history
    names = [style.shortened(name) for name in facts.names]
    found: dict[str, tuple[str, Draw]] = {}
    if history["loss"]:
        found["history"] = "Curves of loss, accuracy and learning rate by epoch", lambda: plots.history(history)
    if measured is not None:
        images, labels, outputs = measured.images, measured.labels, measured.outputs
        shares = model.layers[-1].activation in PROBABILITIES
        found["confusion"] = "Confusion matrix with the most confused pairs", lambda: draw_confusion(measured.matrix, names)
        if images.ndim == 4:
            found["mistakes"] = (
                "The images that the model was surest of and wrong",
                lambda: draw_mistakes(images, labels, outputs, names, MISTAKES, shares),
            )
        found["outputs"] = "The first image's way through all layers", lambda: plots.outputs(model, images[0])
    if any(isinstance(layer, Conv2d) for layer in model.layers):
        found["filters"] = "The kernels of the convolutions", lambda: plots.filters(model)
    elif any(isinstance(layer, Dense) for layer in model.layers):
        found["weights"] = "The last layer's weights, one picture for each class", lambda: plots.weights(model)
    found["graph"] = "The layers with their sizes, parameters and work", lambda: plots.graph(model)
    return found


def _both(about: str, draw: Draw) -> Picture:
    drawn = []
    for theme in ("light", "dark"):
        with style.themed(theme):
            drawn.append(style.png(draw()))
    return Picture(about, *drawn)
