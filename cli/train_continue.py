"""Going on: with a run that was interrupted, or with one that is finished."""

from __future__ import annotations

import shutil
from pathlib import Path

from jitcnn.data import Dataset
from jitcnn.runs import Checkpointing
from jitcnn.runs.folder import Run
from jitcnn.storage.checkpoints import Saved, read_checkpoint, write_checkpoint

from .train_config import Order
from .train_plan import Plan


def check_same_data(run: Run | None, dataset: Dataset) -> None:
    """A ValueError if a run that goes on was trained on other data."""
    if run is None:
        return
    digest = run.config.get("data", {}).get("digest")
    if digest != dataset.digest:
        raise ValueError(f"{dataset.name} has changed: its digest is {dataset.digest}, and was {digest} when {run.path} was trained")


def start_from(parent: Run, folder: Path) -> None:
    """Have a new folder begin where a finished run ended: its checkpoint, not stopped any more, and its best model."""
    state, arrays = read_checkpoint(parent.checkpoint)
    watching = [{**kept, **({"waited": 0} if "waited" in kept else {})} for kept in state["callbacks"]]
    write_checkpoint(Checkpointing(folder).path, Saved({**state, "stopped": False, "callbacks": watching}, arrays))
    best = parent.model_path("best")
    shutil.copyfile(best, folder / best.name)


def going_on(order: Order, plan: Plan) -> list[str]:
    """The line that says what a run goes on with, if it does."""
    epochs = plan.settings.epochs
    if order.parent is not None:
        done = order.parent.config["result"]["epochs"]
        if plan.schedule.name == "constant":
            return [
                f"going on with {order.parent.path} from epoch {done + 1} to {epochs}: the rate stays constant, the bits are those of "
                f"{epochs} epochs in one go"
            ]
        return [
            f"going on with {order.parent.path} from epoch {done + 1} to {epochs}: the schedule {plan.schedule.name} is now that of "
            f"{epochs} epochs; in one go, the first {done} would have followed it too, so the bits differ from that"
        ]
    if order.run is None:
        return []
    if not order.run.checkpoint.exists():
        return [f"{order.run.path} was interrupted before anything was saved: it begins anew"]
    state = read_checkpoint(order.run.checkpoint).state
    inside = f" and {state['images']:,} images" if state["images"] else ""
    of = "" if plan.settings.time is not None else f" of {epochs}"
    return [f"going on with {order.run.path} after {state['epoch']}{of} epochs{inside}"]
