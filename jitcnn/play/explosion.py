"""Why a loss explodes, or training comes to nothing: which layer's numbers grew first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitcnn.model import CNN
from jitcnn.play.images import number
from jitcnn.play.tracing import trace

GREW = 10.0  # times as large as before
KINDS = ("weights", "outputs", "gradients")


@dataclass(frozen=True)
class Watched:
    """The largest magnitudes before a step, by layer: of what it made of the step's first images, of the gradients, of its weights."""

    step: int
    outputs: dict[str, float]
    gradients: dict[str, float]
    weights: dict[str, float]
    loss: float = math.nan

    def values(self) -> Iterator[tuple[str, str, float]]:
        """(layer, kind, value) in the order in which they come about: weights are those that the step before has made."""
        for name, value in self.weights.items():
            yield name, "weights", value
        for name, value in self.outputs.items():
            yield name, "outputs", value
        for name in reversed(self.gradients):
            yield name, "gradients", self.gradients[name]


def measure(model: CNN, x: np.ndarray, y: np.ndarray, step: int) -> Watched:
    """Look at all numbers of a step before it is done."""
    found = trace(model, x, y)
    weighted = [layer for layer in model.layers if layer.parameter_list]
    return Watched(
        step,
        {passage.name: largest(passage.y) for passage in found.layers},
        {passage.name: largest(passage.grad_y) for passage in found.layers if passage.grad_y is not None},
        {layer.name: max(largest(parameter.value) for parameter in layer.parameter_list) for layer in weighted},
    )


def largest(array: np.ndarray) -> float:
    """The largest magnitude; NaN if there is one."""
    return float(np.abs(array).max(initial=0))


class Explosion:
    """What was seen when steps were done once more.

    Attributes
    ----------
    watched : list of Watched
        By step.
    start : float
        The loss before training.
    stalled : bool
        Whether the loss stayed finite, and training came to nothing: the last of those watched is then what there is after the epoch.
    """

    def __init__(self, watched: list[Watched], start: float, stalled: bool = False):
        self.watched, self.start, self.stalled = watched, start, stalled

    def first(self) -> dict[str, Any] | None:
        """What grew first: layer, kind, step, the value before and then; of what grew at the same step, what came about first."""
        before = {(layer, kind): value for layer, kind, value in self.watched[0].values()}
        for each in self.watched[1:]:
            for layer, kind, value in each.values():
                if not value <= GREW * max(before[layer, kind], 1e-6):
                    return {"layer": layer, "kind": kind, "step": each.step, "before": number(before[layer, kind]), "value": number(value)}
        return None

    def to_dict(self) -> dict[str, Any]:
        """For the page."""
        last = self.watched[-1]
        layers = list(last.outputs)
        series = {kind: {name: [number(getattr(w, kind)[name]) for w in self.watched] for name in getattr(last, kind)} for kind in KINDS}
        return {
            "step": last.step,
            "loss": number(last.loss),
            "start": number(self.start),
            "stalled": self.stalled,
            "first": self.first(),
            "steps": [each.step for each in self.watched],
            "layers": layers,
            "series": series,
        }
