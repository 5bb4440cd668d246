"""What `jitcnn train` says: what there is to learn from, and what came out."""

from __future__ import annotations

from typing import Any

from .output import decimals, percent, table
from .train_plan import Plan

MOST_CLASSES = 20
MOST_LOOKED_AT = 1000  # images


def describe(plan: Plan) -> str:
    """Say what there is to learn from."""
    dataset, validation = plan.dataset, plan.validation
    if isinstance(validation, tuple):
        checked = f"validated on {len(validation[0]):,} {'test ' if plan.validates_on_test else ''}images"
        if plan.settings.fold is not None:
            checked += f", fold {plan.settings.fold} of {plan.settings.folds}"
    elif validation is not None:
        checked = f"of which {round(validation * len(dataset.x)):,} are held out for validation"
    else:
        checked = "without validation"
    size = " x ".join(map(str, dataset.x.shape[1:]))
    first = f"{dataset.name}: {len(dataset.x):,} images of {size} in {len(dataset.classes)} classes, {checked}"
    changed = f", augmented with {plan.augment}" if plan.augment else ""
    return "\n".join([first + changed, *dataset.describe().splitlines()[1:], *scales(plan)])


def scales(plan: Plan) -> list[str]:
    """A line if predict, which reads pictures of 0 to 255, would show the network other numbers than it was trained on."""
    x = plan.dataset.x
    if x.dtype.kind != "f" or plan.model.normalize == "per-image" or x[:MOST_LOOKED_AT].max() > 1:
        return []
    return ["these images go up to 1, and pictures for jitcnn predict up to 255: only --normalize per-image makes them alike"]


def report(result: dict[str, Any]) -> str:
    """Set the tables at the end."""
    best, page = result["best"], f", page {result['report']}" if result["report"] else ""
    kept = f", {best['model']}" if best["model"] != result["model"] else ""
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in result["spent"].items())
    lines = [
        figures(result),
        "",
        *classes(result),
        f"{result['parameters']:,} parameters, {result['seconds']:.1f} s, {result['images_per_second']:,.0f} images/s",
        f"time: {spent}",
        f"best {best['by']} {decimals(best['value'])} in epoch {best['epoch'] or '-'} of {result['epochs']}{kept}",
        *([result["repeats"]] if "repeats" in result else []),
        f"run {result['run']}{page}",
        f"model {result['model']}, digest {result['digest']}",
    ]
    return "\n".join(lines)


def figures(result: dict[str, Any]) -> str:
    """The table of losses and accuracies, of the epoch whose model is the result; the running figure is labelled as what it is."""
    parts = {
        f"train, running (mean of epoch {result['epoch']}, weights moving, dropout on)": result["running"],
        "train": result.get("train"),
        "validation": result,
        "test": result["test"],
    }
    metrics = [name for name in result["running"] if name != "loss"]
    rows = [[name, decimals(part["loss"]), *(percent(part[metric]) for metric in metrics)] for name, part in parts.items() if part]
    return table([["", "loss", *metrics], *rows])


def classes(result: dict[str, Any]) -> list[str]:
    """The table of classes, the worst ones if there are many, and the pairs that are confused most."""
    found = result["per_class"]
    if found is None:
        return []
    shown = found if len(found) <= MOST_CLASSES else sorted(found, key=lambda one: one["recall"] or 0.0)[:MOST_CLASSES]
    rows = [[one["class"], f"{one['images']:,}", percent(one["precision"]), percent(one["recall"])] for one in shown]
    left_out = [f"the {MOST_CLASSES} of {len(found)} classes that are found least"] if len(shown) < len(found) else []
    confused = [f"{pair['class']} taken for {pair['taken_for']} ({pair['count']:,} of {pair['images']:,})" for pair in result["confused"]]
    head = [f"class ({result['measured_on']} images)", "images", "precision", "recall"]
    return [*left_out, table([head, *rows]), f"most confused: {'; '.join(confused) or 'no image is taken for another class'}", ""]
