"""From outputs and labels to confusion matrix, precision and recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def decide(outputs: np.ndarray) -> np.ndarray:
    """Return the class of each row of outputs: that of the largest one; of a single output whether it is above 0.5."""
    if outputs.ndim != 2:
        raise ValueError(f"the model's outputs are {outputs.shape[1:]}, not one for each class: it is no classifier")
    return (outputs[:, 0] > 0.5).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def confusion_matrix(labels: np.ndarray, decisions: np.ndarray, classes: int) -> np.ndarray:
    """Count how many images of each class (rows) were taken for each class (columns)."""
    return np.bincount(labels * classes + decisions, minlength=classes * classes).reshape(classes, classes)


def per_class(confusion: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each class how many images it has, its precision and its recall.

    Precision: of the images taken for the class, the share that are of it; None if there were none. Recall: of the images of the class, the
    share that were taken for it; None if there are none.
    """
    right, predicted, images = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
    return [
        {
            "class": name,
            "images": int(images[index]),
            "precision": float(right[index] / predicted[index]) if predicted[index] else None,
            "recall": float(right[index] / images[index]) if images[index] else None,
        }
        for index, name in enumerate(names)
    ]


def reject_below(confidence: np.ndarray, right: np.ndarray, wanted: float) -> tuple[float, float, float] | None:
    """Find the confidence from which on answers are right often enough: (threshold, share right of those answered, share rejected).

    Of all thresholds at which at least the share `wanted` of the answers is right, the one that leaves the most answers; None if there is
    none. It lies halfway between the confidences of the last answer that is given and of the next.
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, shares = confidence[order], np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    can_end = np.append(sorted_confidence[1:] < sorted_confidence[:-1], True)  # images of one confidence go together
    ends = np.flatnonzero(can_end & (shares >= wanted))
    if not len(ends):
        return None
    last = ends[-1]
    threshold = 0.0 if last + 1 == len(order) else float(sorted_confidence[last : last + 2].astype(np.float64).mean())
    return threshold, float(shares[last]), 1 - (last + 1) / len(order)
