"""One run: its folder made, trained, measured, written down."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from jitcnn import storage
from jitcnn.callbacks import BestCheckpoint, EarlyStopping
from jitcnn.runs import Checkpointing
from jitcnn.runs.clock import ByClock
from jitcnn.runs.recording import Recording, new_folder

from .output import CompilingLine, note
from .running import describe as explained
from .train_config import Order
from .train_continue import check_same_data, going_on, start_from
from .train_endings import said_how_to_go_on
from .train_lines import JsonLines
from .train_machine import machine, repetition
from .train_measure import measure
from .train_options import Output
from .train_plan import Plan
from .train_rate import rate_of
from .train_report import describe, report

RUNS = Path("runs")


def run(order: Order, plan: Plan, rate: float | None = None) -> dict[str, Any]:
    """Train, at a rate that was found if there is one, and measure what came out: everything that is reported."""
    output = order.output
    check_out(output.out)
    for earlier in (order.run, order.parent):
        check_same_data(earlier, plan.dataset)
    folder = order.run.path if order.run else new_folder(RUNS, output.name or (order.parent.name if order.parent else plan.name))
    recording = Recording(folder)
    with said_how_to_go_on(folder, new=order.run is None), recording.warnings_too():
        config = described(order, plan) | ({"result": found} if (found := rate_of(rate, order)) else {})
        if order.parent is not None:
            start_from(order.parent, folder)
        recording.configure(config)
        for line in (describe(plan), *going_on(order, plan)):
            say(recording, line, shown=output.shows)
        best, seconds = fit(plan, folder, output, recording)
        result = finish(plan, folder, output, best, seconds)
        if order.repeats:
            result["repeats"] = repetition(order.document, {**config, "result": outcome(result)})
        recording.configure(config | {"result": {**found, **outcome(result)}})
    result["report"] = write_page(recording, plan, output) if output.report else None
    recording.log(report(result))
    return result


def write_page(recording: Recording, plan: Plan, output: Output) -> str | None:
    """Leave a page about the run in its folder: its path. What goes wrong with it does not undo a training that went well."""
    from jitcnn.report import NAME, write

    try:
        write(recording.folder, plan.dataset, threads=output.threads)
    except Exception as error:
        say(recording, f"warning: no page about the run could be written: {explained(error)}", shown=True)
        return None
    return str(recording.folder / NAME)


def described(order: Order, plan: Plan) -> dict[str, Any]:
    """The tables of the run's settings."""
    dataset, own = plan.dataset, {name: order.document[name] for name in ("model", "layers") if name in order.document}
    frequency = {"checkpoint-steps": order.output.checkpoint_steps, "checkpoint-minutes": order.output.checkpoint_minutes}
    settings = plan.recorded() | {name: value for name, value in frequency.items() if value is not None}
    if order.parent is not None:
        settings["resume"] = str(order.parent.path.absolute())
    elif order.run is not None and "resume" in order.run.config["train"]:
        settings["resume"] = order.run.config["train"]["resume"]
    data = {"name": dataset.name, "digest": dataset.digest, "images": len(dataset.x), "classes": list(dataset.classes)}
    return {"train": settings, **own, "data": data, "machine": machine()}


def fit(plan: Plan, folder: Path, output: Output, recording: Recording) -> tuple[BestCheckpoint, float]:
    """Train; returns what knows the best epoch, and the seconds that it took."""
    model, dataset, settings = plan.model, plan.dataset, plan.settings
    best = BestCheckpoint(folder / f"best{suffix(plan)}", plan.best_by)
    stopping = [] if settings.early_stop is None else [EarlyStopping(plan.best_by, settings.early_stop)]
    lines = [JsonLines()] if output.json_lines else []
    clock = [plan.schedule] if isinstance(plan.schedule, ByClock) else []
    started = time.perf_counter()
    with CompilingLine(enabled=output.shows):
        model.train(
            dataset.x,
            dataset.y,
            **plan.arguments,
            callbacks=[recording, *lines, best, *stopping, *clock],
            checkpoint=Checkpointing(folder, output.checkpoint_steps, output.checkpoint_minutes),
            resume=True,  # of a new folder there is no checkpoint yet, and training begins
            progress=output.shows,
        )
    return best, time.perf_counter() - started


def finish(plan: Plan, folder: Path, output: Output, best: BestCheckpoint, seconds: float) -> dict[str, Any]:
    """Write the last model, and measure the result."""
    model, history = plan.model, plan.model.history
    last = folder / f"last{suffix(plan)}"
    model.save(last)
    path, epoch, chosen = last, model.epochs - 1, model
    if plan.best_is_result and best.best_epoch is not None:
        path, epoch, chosen = Path(best.path), best.best_epoch, storage.load(best.path)
        chosen.engine, chosen.threads = model.engine, output.threads
    if output.out is not None:
        path = Path(output.out)
        chosen.save(path)
    logs = {name: values[epoch] for name, values in history.items()}
    metrics = (*model.metrics, "loss")
    started = time.perf_counter()
    measured = measure(plan, chosen, logs, output.eval_train)
    return {
        **{name: logs.get(f"val_{name}") for name in metrics},
        "seconds": seconds,
        "spent": {**model.spent, "measuring": time.perf_counter() - started},
        "images_per_second": plan.trained * len(history["seconds"]) / sum(history["seconds"]),
        "parameters": sum(array.size for array in model.parameters.values()),
        "running": {name: logs[name] for name in metrics},
        **measured,
        "epochs": model.epochs,
        "epoch": epoch + 1,
        "steps": int(model.steps[0]),
        "best": {
            "by": best.monitor,
            "value": best.best,
            "epoch": None if best.best_epoch is None else best.best_epoch + 1,
            "model": str(best.path),
        },
        "history": dict(history),
        "run": str(folder),
        "model": str(path),
        "digest": chosen.digest(),
    }


def outcome(result: dict[str, Any]) -> dict[str, Any]:
    """What came out, as the run's settings end with it."""
    kept = ("digest", "epochs", "steps", "loss", "accuracy", "seconds")
    named = {name: result[name] for name in kept if result[name] is not None}
    best = {} if result["best"]["epoch"] is None else {"best-epoch": result["best"]["epoch"]}
    return {"model": Path(result["model"]).name, **named, **best}


def suffix(plan: Plan) -> str:
    """The suffix of model files: JSON for small ones."""
    return storage.suffix_for(sum(array.size for array in plan.model.parameters.values()))


def say(recording: Recording, text: str, shown: bool) -> None:
    """Say something about the work, and write it down."""
    recording.log(text)
    if shown:
        note(text)


def check_out(out: str | None) -> None:
    """Find whether a file can be written, before anything is trained."""
    if out is None:
        return
    path = Path(out)
    if path.is_dir():
        raise click.BadParameter(f"{out} is a folder; name a file.", param_hint="'--out'")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"{path.parent}: {error.strerror}.", param_hint="'--out'") from error
    if not os.access(path.parent, os.W_OK):
        raise click.BadParameter(f"{path.parent} cannot be written to.", param_hint="'--out'")
