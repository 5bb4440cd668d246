"""One run: its folder made, trained, measured, written down."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from jitcnn import storage
from jitcnn.callbacks import BestCheckpoint, EarlyStopping
from jitcnn.runs import Checkpointing
from jitcnn.runs.recording import Recording, new_folder

from .output import CompilingLine, note
from .running import describe as explained
from .train_machine import machine
from .train_options import Output
from .train_plan import Plan
from .train_report import describe, report

RUNS = Path("runs")


def run(plan: Plan, output: Output) -> dict[str, Any]:
    """Train, and measure what came out: everything that is reported."""
    check_out(output.out)
    folder = new_folder(RUNS, output.name or plan.name)
    with removed_if_empty(folder):
        recording = Recording(folder)
        config = {"train": plan.recorded(), "data": data_of(plan), "machine": machine()}
        recording.configure(config)
        say(recording, describe(plan), shown=not output.quiet)
        best, seconds = fit(plan, folder, output, recording)
        result = finish(plan, folder, output, best, seconds)
        recording.configure(config | {"result": outcome(result)})
        result["report"] = write_page(folder, plan, output) if output.report else None
        recording.log(report(result))
    return result


def write_page(folder: Path, plan: Plan, output: Output) -> str | None:
    """Leave a page about the run in its folder: its path. What goes wrong with it does not undo a training that went well."""
    from jitcnn.report import NAME, write

    try:
        write(folder, plan.dataset, threads=output.threads)
    except Exception as error:
        note(f"warning: no page about the run could be written: {explained(error)}")
        return None
    return str(folder / NAME)


def fit(plan: Plan, folder: Path, output: Output, recording: Recording) -> tuple[BestCheckpoint, float]:
    """Train; returns what knows the best epoch, and the seconds that it took."""
    model, dataset, settings = plan.model, plan.dataset, plan.settings
    best = BestCheckpoint(folder / f"best{suffix(plan)}", plan.best_by)
    stopping = [] if settings.early_stop is None else [EarlyStopping(plan.best_by, settings.early_stop)]
    started = time.perf_counter()
    with CompilingLine(enabled=not output.quiet):
        model.train(
            dataset.x,
            dataset.y,
            epochs=settings.epochs or 1,
            batch_size=settings.batch_size or 1,
            validation=plan.validation,
            augment=plan.augment,
            schedule=plan.schedule,
            callbacks=[recording, best, *stopping],
            checkpoint=Checkpointing(folder, output.checkpoint_steps, output.checkpoint_minutes),
            progress=not output.quiet,
        )
    return best, time.perf_counter() - started


def finish(plan: Plan, folder: Path, output: Output, best: BestCheckpoint, seconds: float) -> dict[str, Any]:
    """Write the last model, and measure the result."""
    model, history = plan.model, plan.model.history
    last = folder / f"last{suffix(plan)}"
    model.save(last)
    assert best.best_epoch is not None  # or training would have ended at the first loss that is no number
    path, epoch = (Path(best.path), best.best_epoch) if plan.best_is_result else (last, model.epochs - 1)
    chosen = model
    if plan.best_is_result:
        chosen = storage.load(path)
        chosen.engine, chosen.threads = model.engine, output.threads
    if output.out is not None:
        path = Path(output.out)
        chosen.save(path)
    logs = {name: values[epoch] for name, values in history.items()}
    return {
        "accuracy": logs.get("val_accuracy"),
        "loss": logs.get("val_loss"),
        "seconds": seconds,
        "images_per_second": plan.trained * len(history["seconds"]) / sum(history["seconds"]),
        "parameters": sum(array.size for array in model.parameters.values()),
        "train": {"accuracy": logs["accuracy"], "loss": logs["loss"]},
        "test": test(plan, chosen, logs),
        "epochs": model.epochs,
        "steps": int(model.steps[0]),
        "best": {"by": best.monitor, "value": best.best, "epoch": best.best_epoch + 1, "model": str(best.path)},
        "history": dict(history),
        "run": str(folder),
        "model": str(path),
        "digest": chosen.digest(),
    }


def test(plan: Plan, model: Any, logs: dict[str, Any]) -> dict[str, Any] | None:
    """Loss and accuracy on all test images; None of data without any."""
    dataset = plan.dataset
    if dataset.x_test is None:
        return None
    if plan.validates_on_test and len(plan.validation[0]) == len(dataset.x_test):
        return {"accuracy": logs["val_accuracy"], "loss": logs["val_loss"]}
    measured = model.evaluate(dataset.x_test, dataset.y_test)
    return {"accuracy": measured["accuracy"], "loss": measured["loss"]}


def data_of(plan: Plan) -> dict[str, Any]:
    """The data, as the run's settings name them."""
    dataset = plan.dataset
    return {"name": dataset.name, "digest": dataset.digest, "images": len(dataset.x), "classes": list(dataset.classes)}


def outcome(result: dict[str, Any]) -> dict[str, Any]:
    """What came out, as the run's settings end with it."""
    kept = ("digest", "epochs", "steps", "loss", "accuracy", "seconds")
    named = {name: result[name] for name in kept if result[name] is not None}
    return {"model": Path(result["model"]).name, **named, "best-epoch": result["best"]["epoch"]}


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


@contextlib.contextmanager
def removed_if_empty(folder: Path) -> Iterator[None]:
    """If training ends before anything is saved, let nothing be left of the new folder."""
    try:
        yield
    except BaseException:
        if not Checkpointing(folder).path.exists():
            shutil.rmtree(folder, ignore_errors=True)
        raise
