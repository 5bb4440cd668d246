"""Losses: what training makes small. Each is a mean over the batch of one number a sample."""

import math
from typing import Any, ClassVar

import numpy as np

from jitcnn import kernels
from jitcnn.checks import share
from jitcnn.layers.base import Shape


class Loss:
    """What every loss has.

    Attributes
    ----------
    name : str
        As `compile` takes it and files hold it.
    on_logits : bool
        Whether it works on the last layer's output before its activation.
    label_smoothing : float
        Which part of every target goes to all classes alike.
    """

    name: ClassVar[str]
    on_logits: ClassVar[bool]
    label_smoothing: float = 0.0

    def check(self, activation: str | None, output_shape: Shape | None) -> None:
        """Raise a ValueError if a model that ends so cannot be trained with this loss."""

    def wants_classes(self, activation: str | None) -> bool:
        """Whether targets are class numbers, int64 (n,); otherwise they are floats, (n, outputs)."""
        raise NotImplementedError

    def apply(self, step: Any, activation: str | None, outputs: Any, targets: Any) -> tuple[Any, Any]:
        """Make the step's calls: (losses of the samples, gradient of their mean with respect to `outputs`)."""
        raise NotImplementedError


class CrossEntropy(Loss):
    """Cross-entropy of the last layer's softmax against class numbers, or of its sigmoid against targets from 0 to 1.

    Computed from the numbers before softmax or sigmoid, where its gradient is p - y.

    Parameters
    ----------
    label_smoothing : float
        With softmax, this part of every target goes to all classes alike, (1 - label_smoothing) * onehot + label_smoothing / classes, as
        PyTorch's `CrossEntropyLoss(label_smoothing=…)`; 0 <= label_smoothing < 1. Also in what is measured.
    """

    name = "cross_entropy"
    on_logits = True

    def __init__(self, label_smoothing: float = 0.0):
        self.label_smoothing = share("label_smoothing", label_smoothing)
        self._smoothing = np.array([self.label_smoothing])

    def check(self, activation: str | None, output_shape: Shape | None) -> None:
        """Needs a last softmax or sigmoid over a row of outputs."""
        if activation not in ("softmax", "sigmoid"):
            raise ValueError(
                f"loss 'cross_entropy' needs a last layer with activation 'softmax' (one of several classes) or 'sigmoid' (yes or no), "
                f"and the last activation is {activation!r}: end with Dense(classes, activation='softmax'), or use loss='mse'"
            )
        if self.label_smoothing and activation != "softmax":
            raise ValueError(
                f"label_smoothing is {self.label_smoothing}, for a last softmax, and the last activation is {activation!r}: leave it out"
            )
        if output_shape is not None and len(output_shape) != 1:
            raise ValueError(
                f"loss 'cross_entropy' needs a row of outputs, and the model's output is {output_shape}: end with Flatten() and Dense"
            )
        if activation == "softmax" and output_shape == (1,):
            raise ValueError(
                "the softmax of a single output is always 1: use Dense(1, activation='sigmoid') or Dense(2, activation='softmax')"
            )

    def wants_classes(self, activation: str | None) -> bool:
        """Class numbers for softmax, floats for sigmoid."""
        return activation == "softmax"

    def apply(self, step: Any, activation: str | None, outputs: Any, targets: Any) -> tuple[Any, Any]:
        """Cross-entropy on logits; with softmax also against shares of classes, as mixed labels are, and smoothed ones have to be."""
        if self.label_smoothing:
            step.call(kernels.smooth_labels, targets, self._smoothing, targets)
        kernel = kernels.binary_cross_entropy
        if activation == "softmax":
            kernel = kernels.cross_entropy if len(targets.shape) == 1 else kernels.soft_cross_entropy
        return apply_loss(step, kernel, outputs, targets)


class MeanSquaredError(Loss):
    """Mean of the squared differences between outputs and targets."""

    name = "mse"
    on_logits = False

    def wants_classes(self, activation: str | None) -> bool:
        """Floats."""
        return False

    def apply(self, step: Any, activation: str | None, outputs: Any, targets: Any) -> tuple[Any, Any]:
        """Squared differences."""
        return apply_loss(step, kernels.mse, outputs, targets)


def apply_loss(step: Any, kernel: Any, outputs: Any, targets: Any) -> tuple[Any, Any]:
    """Call a loss's kernel on the outputs as rows: (losses, gradient in the outputs' shape)."""
    shape = outputs.shape[1:]
    rows = outputs if len(shape) == 1 else step.reshape(outputs, (math.prod(shape),))
    losses, grad = step.buffer(()), step.gradient_buffer(rows)
    step.call(kernel, rows, targets, losses, grad)
    return losses, grad if len(shape) == 1 else step.reshape(grad, shape)


LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (CrossEntropy, MeanSquaredError)}


def as_loss(loss: Any, label_smoothing: float = 0.0) -> Loss:
    """A loss from its name and settings, or as it is."""
    if isinstance(loss, Loss):
        if label_smoothing:
            raise ValueError(f"label_smoothing is given beside a loss object: give {type(loss).__name__}({label_smoothing})")
        return loss
    if not isinstance(loss, str) or loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}, expected one of {', '.join(map(repr, LOSSES))}")
    if loss == "cross_entropy":
        return CrossEntropy(label_smoothing)
    if label_smoothing:
        raise ValueError(f"label_smoothing is {label_smoothing}, for loss 'cross_entropy' only, and loss is {loss!r}: leave it out")
    return LOSSES[loss]()
