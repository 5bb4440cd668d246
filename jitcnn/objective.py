"""The step that every engine runs: forward, loss, score, backward, update."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from jitcnn import kernels
from jitcnn.augmentation import UNCHANGED, Augmenter
from jitcnn.engine.forward import take_batch
from jitcnn.graph import Graph
from jitcnn.layers.base import Backward
from jitcnn.losses import Loss
from jitcnn.metrics import apply_accuracy, is_binary
from jitcnn.optimizers import Optimizer


@dataclass(frozen=True)
class Objective:
    """What a step measures: a loss, and whether it counts right answers.

    Attributes
    ----------
    loss : Loss
    activation : str or None
        The last layer's.
    accuracy : bool
        Whether right answers are counted.
    normalize : int
        1: every image is standardised first.
    """

    loss: Loss
    activation: str | None
    accuracy: bool
    normalize: int = 0

    def scores_classes(self, outputs: int) -> bool:
        """Whether counting right answers takes class numbers beside the loss's float targets."""
        return self.accuracy and not self.loss.wants_classes(self.activation) and not is_binary(self.activation, outputs)


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
        Arrays `images`, `targets`, `classes` (if the objective scores them), `order`, `position`; `losses` and `hits`, an epoch long,
        take each sample's loss, and 1 where it was right.
    augmenter
        What changes images, and mixes labels; an image counts as right by its own label.
    """
    assert graph.input_shape is not None
    loss = objective.loss
    augments, mixes = augmenter.calls
    if augments:
        x = augmenter.take_images(step, data, objective.normalize)
    else:
        x = take_batch(step, data, graph.input_shape, objective.normalize)
    outputs, backward = graph.forward(step, x, logits=loss.on_logits)
    targets = take_targets(step, data, data.targets)
    mixed = augmenter.take_labels(step, data, outputs) if mixes else targets
    losses, grad = loss.apply(step, objective.activation, outputs, mixed)
    step.output(losses, data.losses)
    if objective.accuracy:
        rows = outputs if len(outputs.shape) == 2 else step.reshape(outputs, (math.prod(outputs.shape[1:]),))
        wanted = take_targets(step, data, data.classes) if objective.scores_classes(rows.shape[1]) else targets
        step.output(apply_accuracy(step, objective.activation, rows, wanted, loss.on_logits), data.hits)
    return grad, backward


def training_step(
    step: Any, graph: Graph, objective: Objective, optimizer: Optimizer, data: SimpleNamespace, augmenter: Augmenter = UNCHANGED
) -> None:
    """One step of training: forward, loss, backward, update. Recorded once by "fast", run at every step by the other engines."""
    grad, backward = measured_step(step, graph, objective, data, augmenter)
    backward(grad)
    for parameter in graph.parameters.values():
        optimizer.update(step, parameter, data.hyper)


def take_targets(step: Any, data: SimpleNamespace, targets: Any) -> Any:
    """The batch's class numbers (n,), or float targets (n, outputs), in a buffer."""
    y = step.labels_buffer() if targets.ndim == 1 else step.buffer(targets.shape[1:])
    step.call(kernels.take_labels, targets, data.order, data.position, y)
    return y
