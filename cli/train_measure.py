"""What a trained model is measured on: all images of a part of the data, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from jitcnn.data.splits import kept_and_held_out
from jitcnn.model import CNN
from jitcnn.plots.confusion import most_confused
from jitcnn.scores import confusion_matrix, decide, per_class

from .train_plan import Plan

MOST_PAIRS = 5


def measure(plan: Plan, model: CNN, logs: dict[str, Any], eval_train: bool) -> dict[str, Any]:
    """Losses and accuracies of the test images, and, if asked for, of those trained on; and classes of the test, or validation images."""
    parts = parts_of(plan, eval_train)
    measured: dict[str, Any] = {"test": None, "measured_on": None, "per_class": None, "confused": None}
    if "test" in parts:
        validated = plan.validates_on_test and len(plan.validation[0]) == len(parts["test"][0])
        known = {name: logs[f"val_{name}"] for name in ("loss", *model.metrics)} if validated else None
        measured["test"] = known or model.evaluate(*parts["test"])
    if eval_train:
        measured["train"] = model.evaluate(*parts["train"])
    part = next((name for name in ("test", "validation") if name in parts), None)
    return measured if part is None else {**measured, "measured_on": part, **by_class(model, *parts[part])}


def parts_of(plan: Plan, train: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images and labels to train on, if wanted, to validate on where they are no test images, and to test with."""
    dataset, validation = plan.dataset, plan.validation
    parts = {"train": (dataset.x, dataset.y)} if train else {}
    if isinstance(validation, float):
        kept, held_out = kept_and_held_out(dataset.y, {"validation": validation}, plan.model.seed)
        parts = {"train": (dataset.x[kept], dataset.y[kept])} if train else {}
        parts["validation"] = dataset.x[held_out], dataset.y[held_out]
    elif validation is not None and not plan.validates_on_test:
        parts["validation"] = validation
    if dataset.x_test is not None and dataset.y_test is not None:
        parts["test"] = dataset.x_test, dataset.y_test
    return parts


def by_class(model: CNN, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """How well each class is found, and the pairs that are confused most."""
    names = model.classes or []
    matrix = confusion_matrix(y, decide(model.predict(x)), len(names))
    pairs = [
        {"class": names[pair.true], "taken_for": names[pair.taken_for], "count": pair.mistaken, "images": pair.images}
        for pair in most_confused(matrix, MOST_PAIRS)
    ]
    return {"per_class": per_class(matrix, names), "confused": pairs}
