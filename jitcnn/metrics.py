"""Metrics: numbers about predictions that are only looked at."""

from typing import Any

import numpy as np

from jitcnn import kernels

METRICS = ("accuracy",)


def as_metrics(metrics: Any) -> tuple[str, ...]:
    """The `metrics` argument of `compile` as a tuple of names."""
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics or ())
    for name in names:
        if name not in METRICS:
            raise ValueError(f"metrics holds {name!r}, expected some of {', '.join(map(repr, METRICS))}, or () for none")
    return names


def is_binary(activation: str | None, outputs: int) -> bool:
    """Whether a sample is right when every output lies on its target's side of 0.5; otherwise its largest output decides."""
    return activation == "sigmoid" or outputs == 1


def apply_accuracy(step: Any, activation: str | None, outputs: Any, targets: Any, on_logits: bool) -> Any:
    """Make the calls that mark each sample right (1) or wrong (0).

    Parameters
    ----------
    step
        The step.
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
        step.call(kernels.score, outputs, targets, hits)
        return hits
    probabilities = outputs
    if on_logits:
        probabilities = step.buffer(outputs.shape)
        step.call(kernels.sigmoid, outputs, probabilities)
    step.call(kernels.score_binary, probabilities, targets, hits)
    return hits


class RunningMeans:
    """Means of the first so many entries of arrays that are being filled."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays
        self.sums = dict.fromkeys(arrays, 0.0)
        self.done = 0

    def take(self, done: int) -> int:
        """Add the entries up to `done`; returns how many are new."""
        for name, array in self.arrays.items():
            self.sums[name] += float(array[self.done : done].sum(dtype=np.float64))
        new, self.done = done - self.done, done
        return new

    def means(self) -> dict[str, float]:
        """The means by name."""
        return {name: total / self.done for name, total in self.sums.items()}
