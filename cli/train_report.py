"""What `jitcnn train` says: what there is to learn from, and what came out."""

from __future__ import annotations

from typing import Any

from .output import decimals, percent, table
from .train_plan import Plan


def describe(plan: Plan) -> str:
    """Say what there is to learn from."""
    dataset, validation = plan.dataset, plan.validation
    if isinstance(validation, tuple):
        checked = f"validated on {len(validation[0]):,} {'test ' if plan.validates_on_test else ''}images"
    elif validation is not None:
        checked = f"of which {round(validation * len(dataset.x)):,} are held out for validation"
    else:
        checked = "without validation"
    size = " x ".join(map(str, dataset.x.shape[1:]))
    first = f"{dataset.name}: {len(dataset.x):,} images of {size} in {len(dataset.classes)} classes, {checked}"
    changed = f", augmented with {plan.augment}" if plan.augment else ""
    return "\n".join([first + changed, *dataset.describe().splitlines()[1:]])


def report(result: dict[str, Any]) -> str:
    """Set the table at the end."""
    rows = [["", "loss", "accuracy"]]
    parts = {"train (while learning)": result["train"], "validation": result, "test": result["test"]}
    rows += [[name, decimals(part["loss"]), percent(part["accuracy"])] for name, part in parts.items() if part is not None]
    best = result["best"]
    repeats = [result["repeats"]] if "repeats" in result else []
    kept = f", {best['model']}" if best["model"] != result["model"] else ""
    page = f", page {result['report']}" if result["report"] else ""
    lines = [
        table(rows),
        "",
        f"{result['parameters']:,} parameters, {result['seconds']:.1f} s, {result['images_per_second']:,.0f} images/s",
        f"best {best['by']} {decimals(best['value'])} in epoch {best['epoch'] or '-'} of {result['epochs']}{kept}",
        *repeats,
        f"run {result['run']}{page}",
        f"model {result['model']}, digest {result['digest']}",
    ]
    return "\n".join(lines)
