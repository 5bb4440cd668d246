"""Metrics: numbers about predictions that are only looked at."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from jitcnn import kernels


def as_metrics(metrics: Any) -> tuple[str, ...]:
    """The `metrics` argument of `compile` as a tuple of names, "accuracy" before "top2", "top3", …"""
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics or ())
    for name in names:
        if name != "accuracy" and not largest(name):
            raise ValueError(f"metrics holds {name!r}, expected some of 'accuracy', 'top2', 'top3', 'top5' and so on, or () for none")
    return tuple(sorted(dict.fromkeys(names), key=largest))


def largest(name: Any) -> int:
    """How many of the largest outputs count: 5 for "top5", 0 for anything else."""
    found = re.fullmatch(r"top([1-9][0-9]{0,5})", name) if isinstance(name, str) else None
    return int(found[1]) if found else 0


def is_metric(name: Any) -> bool:
    """Whether a history's column is a loss or a metric, perhaps of other images: "val_loss", "top5"."""
    plain = name.removeprefix("val_") if isinstance(name, str) else ""
    return plain in ("loss", "accuracy") or largest(plain) > 0


def check_metrics(metrics: Sequence[str], activation: str | None, outputs: int) -> None:
    """Raise a ValueError if a metric says nothing about such outputs."""
    for name in metrics:
        if largest(name) and is_binary(activation, outputs):
            raise ValueError(f"metrics holds {name!r}, which takes one of several classes, and the model says yes or no: give 'accuracy'")
        if largest(name) >= outputs > 1:
            raise ValueError(f"metrics holds {name!r}, which is always 1 for {outputs} outputs: leave it out, or give fewer")


def is_binary(activation: str | None, outputs: int) -> bool:
    """Whether a sample is right when every output lies on its target's side of 0.5; otherwise its largest output decides."""
    return activation == "sigmoid" or outputs == 1


def apply_metric(step: Any, metric: str, activation: str | None, outputs: Any, targets: Any, on_logits: bool) -> Any:
    """Make the calls that mark each sample right (1) or wrong (0).

    Parameters
    ----------
    step
        The step.
    metric
        "accuracy", or "top5" and so on.
    activation
        The last layer's.
    outputs
        (n, k): the model's outputs, or with `on_logits` what its activation is applied to.
    targets
        Class numbers (n,), or floats (n, k) where `is_binary`.
    on_logits
        Whether the activation is still to come.
    """
    hits = step.labels_buffer()
    if not is_binary(activation, outputs.shape[1]):
        step.call(kernels.score, outputs, targets, hits, largest(metric) or 1)
        return hits
    probabilities = outputs
    if on_logits:
        probabilities = step.buffer(outputs.shape)
        step.call(kernels.sigmoid, outputs, probabilities)
    step.call(kernels.score_binary, probabilities, targets, hits)
    return hits


class RunningMeans:
    """Means of the first so many entries of arrays that are being filled, as `means_of` has them for all."""

    def __init__(self, arrays: dict[str, np.ndarray], leave_out: bool = False):
        self.arrays, self.leave_out = arrays, leave_out
        self.sums = dict.fromkeys(arrays, 0.0)
        self.done = self.counted = 0

    def take(self, done: int) -> int:
        """Add the entries up to `done`; returns how many are new."""
        parts = {name: array[self.done : done] for name, array in self.arrays.items()}
        counts = counted(parts, self.leave_out)
        for name, part in parts.items():
            self.sums[name] += float(part.sum(dtype=np.float64, where=counts))
        self.counted += int(counts.sum())
        new, self.done = done - self.done, done
        return new

    def means(self) -> dict[str, float]:
        """The means by name."""
        return {name: total / max(self.counted, 1) for name, total in self.sums.items()}


def means_of(arrays: dict[str, np.ndarray], leave_out: bool) -> dict[str, float]:
    """The mean of each array, if told without the samples whose loss is NaN; NaN if none is left."""
    counts = counted(arrays, leave_out)
    if not counts.any():
        return dict.fromkeys(arrays, np.nan)
    return {name: float(array.mean(dtype=np.float64, where=counts)) for name, array in arrays.items()}


def counted(arrays: dict[str, np.ndarray], leave_out: bool) -> np.ndarray:
    """Which samples count."""
    return ~np.isnan(arrays["loss"]) if leave_out else np.ones(len(arrays["loss"]), bool)
