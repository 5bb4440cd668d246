"""`jitcnn train --folds`: a run for each part of the images held out, and how far the runs differ."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import click

from .output import decimals, percent, table
from .train_config import Order
from .train_plan import make_plan
from .train_run import run


def run_folds(order: Order, rate: float | None) -> dict[str, Any]:
    """Train once for each fold: all results, and mean and spread of what was validated, and tested, by them."""
    settings, output, results = order.settings, order.output, []
    if output.out is not None:
        raise click.UsageError("--out takes one model, and --folds makes several: leave it out, each is in its run's folder.")
    for fold in range(1, (settings.folds or 0) + 1):
        part = replace(order, settings=replace(settings, fold=fold), repeats=False)
        plan = make_plan(part)
        named = replace(output, name=f"{output.name or plan.name}-fold{fold}")
        results.append(run(replace(part, output=named), plan, rate))
    tested = [result["test"] for result in results if result["test"] is not None]
    metrics = results[0]["running"].keys()
    return {"validation": spread(results, metrics), "test": spread(tested, metrics) if tested else None, "folds": results}


def spread(results: list[dict[str, Any]], metrics: Iterable[str]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation (of a sample) of loss, accuracy and what else was measured."""
    values = {name: [result[name] for result in results] for name in metrics}
    return {name: {"mean": statistics.fmean(found), "deviation": statistics.stdev(found)} for name, found in values.items()}


def report_folds(result: dict[str, Any]) -> str:
    """A line a fold, then mean and spread."""
    tested = result["test"] is not None
    rows = [["fold", "loss", "accuracy", *(["test accuracy"] if tested else []), "run"]]
    for number, one in enumerate(result["folds"], 1):
        shown = [percent(one["test"]["accuracy"])] if tested else []
        rows.append([str(number), decimals(one["loss"]), percent(one["accuracy"]), *shown, one["run"]])
    means = f"{figures(result['validation'])} (mean and standard deviation of {len(result['folds'])} folds)"
    lines = [table(rows), "", f"validation: {means}", *([f"test: {figures(result['test'])}"] if tested else [])]
    return "\n".join(lines)


def figures(part: dict[str, dict[str, float]]) -> str:
    """What was measured, each with its spread."""
    shown = {name: decimals if name == "loss" else percent for name in part}
    return ", ".join(f"{name} {shown[name](one['mean'])} +- {shown[name](one['deviation'])}" for name, one in part.items())
