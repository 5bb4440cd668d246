"""The step that every engine runs: forward, loss, score, backward, update."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn import kernels
from jitcnn.augmentation import UNCHANGED, Augmenter
from jitcnn.engine.forward import AS_THEY_ARE, Normalization, take_batch
from jitcnn.graph import Graph
from jitcnn.layers.base import Backward
from jitcnn.losses import Loss
from jitcnn.metrics import apply_metric, is_binary
from jitcnn.optimizers import Optimizer


@dataclass(frozen=True)
class Objective:
    """What a step measures: a loss, and which right answers it counts.

    Attributes
    ----------
    loss : Loss
    activation : str or None
        The last layer's.
    metrics : tuple of str
        Which right answers are counted: "accuracy", "top5" and so on.
    normalization : Normalization
        What is done to images first.
    """

    loss: Loss
    activation: str | None
    metrics: tuple[str, ...] = ()
    normalization: Normalization = AS_THEY_ARE

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of what is measured."""
        return ("loss", *self.metrics)

    def scores_classes(self, outputs: int) -> bool:
        """Whether counting right answers takes class numbers beside the loss's float targets."""
        return bool(self.metrics) and not self.loss.wants_classes(self.activation) and not is_binary(self.activation, outputs)


def measured_step(
    step: Any, graph: Graph, objective: Objective, data: SimpleNamespace, augmenter: Augmenter = UNCHANGED
) -> tuple[Any, Backward]:
    """Forward, loss and score of one batch: (gradient of the loss with respect to the outputs, backward).

    Parameters
    ----------
    step
        What the engine hands to a recorded function.
    graph, objective
        The network, and what is measured.
    data
        Arrays `images`, `targets`, `classes` (if the objective scores them), `weights` (n, 1) (if samples have any), `order`,
        `position`; `loss`, `accuracy`, …, an epoch long, take each sample's loss, and 1 where it was right.
    augmenter
        What changes images, and mixes labels and weights; an image counts as right by its own label.
    """
    assert graph.input_shape is not None
    loss = objective.loss
    augments, mixes = augmenter.calls
    if augments:
        x = augmenter.take_images(step, data, objective.normalization)
    else:
        x = take_batch(step, data, graph.input_shape, objective.normalization)
    outputs, backward = graph.forward(step, x, logits=loss.on_logits)
    count = math.prod(outputs.shape[1:])
    targets = take_targets(step, data, data.targets)
    shares = augmenter.take_labels(step, data, data.targets, count) if mixes or loss.label_smoothing else targets
    losses, grad = loss.apply(step, objective.activation, outputs, shares)
    weigh(step, data, augmenter, losses, grad)
    step.output(losses, data.loss)
    if objective.metrics:
        rows = outputs if len(outputs.shape) == 2 else step.reshape(outputs, (count,))
        wanted = take_targets(step, data, data.classes) if objective.scores_classes(count) else targets
        for metric in objective.metrics:
            step.output(apply_metric(step, metric, objective.activation, rows, wanted, loss.on_logits), getattr(data, metric))
    return grad, backward


def weigh(step: Any, data: SimpleNamespace, augmenter: Augmenter, losses: Any, grad: Any) -> None:
    """Multiply each sample's loss and gradient by its weight, if samples have any. The mean stays one over the number of samples."""
    if hasattr(data, "weights"):
        weights = step.reshape(augmenter.take_labels(step, data, data.weights, 1), ())
        step.call(kernels.scale_rows, losses, weights, losses)
        step.call(kernels.scale_rows, grad, weights, grad)


def training_step(
    step: Any,
    graph: Graph,
    objective: Objective,
    optimizer: Optimizer,
    data: SimpleNamespace,
    augmenter: Augmenter = UNCHANGED,
    limit: np.ndarray | None = None,
) -> None:
    """One step of training: forward, loss, backward, update. Recorded once by "fast", run at every step by the other engines.

    With a `limit`, float64 (1,), the gradient of all parameters together is made no longer than that.
    """
    grad, backward = measured_step(step, graph, objective, data, augmenter)
    backward(grad)
    if limit is not None:
        step.call(kernels.clip_norm, graph.gradients, limit, graph.gradients)
    for parameter in graph.parameters.values():
        optimizer.update(step, parameter, data.hyper)


def take_targets(step: Any, data: SimpleNamespace, targets: Any) -> Any:
    """The batch's class numbers (n,), or float targets (n, outputs), in a buffer."""
    y = step.labels_buffer() if targets.ndim == 1 else step.buffer(targets.shape[1:])
    step.call(kernels.take_labels, targets, data.order, data.position, y)
    return y
