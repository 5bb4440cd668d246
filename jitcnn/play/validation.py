"""The images that a watched training is measured on, and how."""

from __future__ import annotations

import numpy as np

from jitcnn.data import Dataset
from jitcnn.model import CNN

VALIDATED = 1_000  # images


def validation_of(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Images that are not trained on; of data without any the last of those that are."""
    for x, y in ((dataset.x_val, dataset.y_val), (dataset.x_test, dataset.y_test)):
        if x is not None and y is not None:
            return x[:VALIDATED], y[:VALIDATED]
    return dataset.x[-VALIDATED:], dataset.y[-VALIDATED:]


def measured_by_class(model: CNN, x: np.ndarray, y: np.ndarray) -> tuple[dict[str, float], list[float | None]]:
    """Loss and metrics of these images, and the share of each class's that are answered rightly, in one pass."""
    images, targets, _, _ = model.training_data(x, y, None, None, None)
    with model._get_trainer().measuring(images, targets, np.arange(len(images))) as passes:
        logs, right = passes.run(), passes.measured.get("accuracy")
    if right is None or model.output_shape is None or len(model.output_shape) != 1:
        return logs, []
    return logs, [float(right[y == k].mean()) if (y == k).any() else None for k in range(max(model.output_shape[0], 2))]
