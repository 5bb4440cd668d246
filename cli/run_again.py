"""A run's training set up once more from its folder, where it would give the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from jitcnn.runs.folder import CONFIG, Run

from .output import note
from .train import train
from .train_config import settle
from .train_continue import check_same_data
from .train_machine import machine
from .train_plan import Plan, make_plan

DECIDE = ("target", "features")  # of a processor: which instructions Numba compiles to
MAY_DECIDE = ("jitcnn", "numba", "llvmlite", "numpy")


def plan_again(run: Run, threads: int | None) -> Plan:
    """What the run did; a ValueError if the processor or the data are others than they were."""
    check_machine(run)
    given = ["--config", str(run.path / CONFIG), "--quiet", *([] if threads is None else ["--threads", str(threads)])]
    context = train.make_context("jitcnn train", given)
    plan = make_plan(settle(context, context.params))
    check_same_data(run, plan.dataset)
    return plan


def check_machine(run: Run) -> None:
    """A ValueError unless the processor has the features of the run's; a note if versions differ."""
    then, now = run.config.get("machine", {}), machine()
    for name in DECIDE:
        if then.get(name) != now[name]:
            raise ValueError(f"{run.path} was trained on another processor, so that its bits are others: {difference(name, then, now)}")
    others = [f"{name} was {then.get(name)} then and is {now[name]} now" for name in MAY_DECIDE if then.get(name) != now[name]]
    if others:
        note(f"{', '.join(others)}: each epoch's loss is compared with the run's history")


def difference(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How two machines differ."""
    if name not in then:
        return f"its {CONFIG} does not say [machine] {name}"
    if name != "features":
        return f"its {name} is {then[name]}, this one's {now[name]}"
    was, is_ = set(str(then[name]).split()), set(now[name].split())
    parts = [("it has", was - is_), ("this one has", is_ - was)]
    return ", ".join(f"{who} {' '.join(sorted(features))}" for who, features in parts if features)


class SameHistory:
    """A callback that ends training where an epoch's loss is not that of the run."""

    def __init__(self, run: Run):
        self.run = run

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> None:
        """Compare."""
        losses = self.run.history["loss"]
        if epoch < len(losses) and losses[epoch] != logs["loss"]:
            raise ValueError(
                f"{self.run.path}: the loss of epoch {epoch + 1} was {losses[epoch]}, and is {logs['loss']} now: other versions, or "
                f"settings that were changed, give other bits"
            )


def run_of(path: str) -> Run:
    """The run in a folder; a usage error for one that began where another one ended, or that followed the clock."""
    run = Run(path)
    settings = run.config.get("train", {})
    if "resume" in settings:
        raise click.UsageError(f"{path} goes on with {settings['resume']}: only runs from the start can be done again.")
    if "time" in settings:
        raise click.UsageError(f"{path} was trained with --time, and its learning rate followed the clock: it cannot be done again.")
    return run
