"""Signs that training will not do what was meant: said once each, and only where there is no doubt."""

import warnings
from collections.abc import Sequence

import numpy as np

from jitcnn.optimizers import Optimizer

BY_UNIT = ("rmsprop", "adam", "adamax", "adamw")  # whose steps move a weight by about the learning rate, whatever the gradient
FAR_TOO_LARGE, FAR_TOO_SMALL = 0.5, 1e-8  # for those: weights are mostly of a size from 0.01 to 1, and have 24 bits
EPOCHS = 3  # in which any loss falls that will ever fall


def warn(text: str, depth: int = 0) -> None:
    """Say it where `train` was called, which called the caller through so many functions."""
    warnings.warn(text, UserWarning, stacklevel=4 + depth)


def look_at_labels(classes: np.ndarray | None, names: Sequence[str] | None) -> None:
    """Whether the samples to train on are all of one class."""
    if classes is not None and len(classes) > 1 and (classes == classes[0]).all():
        name = f"{classes[0]}{f' ({names[classes[0]]})' if names else ''}"
        warn(f"all {len(classes):,} labels are class {name}: nothing can be learnt from them but to answer that always")


def look_at_validation(images: np.ndarray, validation: np.ndarray) -> None:
    """Whether images to validate on lie, in memory, among those to train on: both arrays are contiguous."""
    first, last = max(map(_start, (images, validation))), min(_start(array) + array.nbytes for array in (images, validation))
    if first < last:
        shared = -(-(last - first) // validation[0].nbytes)
        warn(f"{shared:,} of {len(validation):,} images to validate on are trained on too: what is measured says little of other ones")


def look_at_rate(optimizer: Optimizer) -> None:
    """Whether the learning rate is far from any that works."""
    rate, usual = optimizer.learning_rate, type(optimizer)().learning_rate
    if optimizer.name in BY_UNIT and not FAR_TOO_SMALL <= rate <= FAR_TOO_LARGE:
        warn(f"learning_rate is {rate:g}, and {optimizer.name} moves each weight by about that much every step: {usual:g} is usual")


def look_at_losses(losses: Sequence[float | None], optimizer: Optimizer) -> None:
    """Whether the loss of the first epochs of a model's life has not fallen once."""
    found = [loss for loss in losses if loss is not None]
    if len(found) == EPOCHS and min(found[1:]) >= found[0]:
        rate = optimizer.learning_rate
        others = f"{rate / 10:g} or {rate * 10:g}"
        warn(f"the loss has not fallen in {EPOCHS} epochs: try a learning_rate of {others} instead of {rate:g}", depth=2)


def _start(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]
