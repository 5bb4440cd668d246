"""How much each sample counts: weights of samples and of classes, checked and made into one number a sample."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jitcnn.checks import amount
from jitcnn.forms.arrays import take
from jitcnn.inputs import check_finite

BALANCED = "balanced"


def as_sample_weights(sample_weight: Any, samples: int, name: str = "sample_weight") -> np.ndarray | None:
    """Weights as float64 (samples,); None for none.

    Raises
    ------
    ValueError
        If their number is another, one is negative, NaN or infinite, or all are 0.
    """
    if sample_weight is None:
        return None
    weights = take(name, sample_weight)
    if weights.dtype.kind not in "biuf" or weights.shape not in ((samples,), (samples, 1)):
        raise ValueError(f"{name} is {weights.dtype} of shape {weights.shape}, expected ({samples},) numbers, one for each image")
    check_finite(name, weights, "sample")
    if (weights < 0).any():
        at = int(np.argmax(weights.reshape(-1) < 0))
        raise ValueError(f"{name} has {weights.reshape(-1)[at]} at {at}, expected numbers of at least 0")
    if not weights.any():
        raise ValueError(f"{name} is 0 for every image, so that nothing counts: give some a weight above 0")
    return weights.reshape(-1).astype(np.float64)


def as_class_weights(class_weights: Any, classes: np.ndarray | None, outputs: int, names: Sequence[str] | None) -> np.ndarray | None:
    """A weight for each class, float64 (classes,); None for none.

    Parameters
    ----------
    class_weights
        "balanced", a number for each class, or a dict by number or name of the class, of which those that are missing have 1.
    classes
        The classes of the samples to train on: "balanced" is samples / (classes there are * samples of the class), as scikit-learn's.
    outputs
        How many outputs the model has; 2 classes if it is one.
    names
        Those of the classes, if they have any.

    Raises
    ------
    ValueError
        If it is none of these, or samples have no classes.
    """
    if class_weights is None:
        return None
    if classes is None:
        raise ValueError("class_weights is for classes, and y holds numbers or several labels a sample: give sample_weight instead")
    count = max(outputs, 2)
    if isinstance(class_weights, str):
        if class_weights != BALANCED:
            raise ValueError(f"class_weights is {class_weights!r}, expected 'balanced', {count} numbers, or a dict by class")
        samples = np.bincount(classes, minlength=count)
        return np.where(samples > 0, len(classes) / (np.count_nonzero(samples) * np.maximum(samples, 1)), 0.0)
    if isinstance(class_weights, Mapping):
        given = {class_number(key, count, names): amount(f"class_weights[{key!r}]", value) for key, value in class_weights.items()}
        return np.array([given.get(number, 1.0) for number in range(count)])
    values = take("class_weights", class_weights)
    if values.shape != (count,):
        raise ValueError(f"class_weights is {values.shape}, expected 'balanced', {count} numbers, or a dict by class")
    return np.array([amount(f"class_weights[{number}]", value) for number, value in enumerate(values)])


def class_number(key: Any, count: int, names: Sequence[str] | None) -> int:
    """The number of a class from its number or name."""
    if names is not None and key in names:
        return list(names).index(key)
    if isinstance(key, bool) or not isinstance(key, int | np.integer) or not 0 <= key < count:
        known = f", or one of {', '.join(map(repr, names[:10]))}" if names else ""
        raise ValueError(f"class_weights has the class {key!r}, expected 0 to {count - 1}{known}")
    return int(key)


def combined(samples: np.ndarray | None, by_class: np.ndarray | None, classes: np.ndarray | None, dtype: Any) -> np.ndarray | None:
    """Weights as a step takes them, (samples, 1) of the model's dtype: the product of a sample's own and its class's."""
    weights = samples
    if by_class is not None:
        assert classes is not None
        weights = by_class[classes] * (1.0 if samples is None else samples)
    return None if weights is None else np.ascontiguousarray(weights[:, None], dtype)
