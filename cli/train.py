"""`jitcnn train`: from images to a model's file."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from . import options
from .output import CompilingLine, decimals, note, percent, print_json, table
from .running import command

if TYPE_CHECKING:
    from jitcnn.augmentation import Augmentation
    from jitcnn.callbacks import EarlyStopping
    from jitcnn.data import Dataset
    from jitcnn.model import CNN
    from jitcnn.schedules import Schedule

RUNS = Path("runs")


class Plan(NamedTuple):
    """What a run does, after the preset and the options have been put together."""

    preset: str
    epochs: int
    batch_size: int
    train_limit: int
    val_limit: int
    schedule: Schedule
    augment: Augmentation
    early_stop: int | None


@command("train", example="jitcnn train --preset conv-pool --epochs 2 --seed 1 --out digits.json")
@click.option("--preset", type=options.preset, default="default", show_default=True, help="The network, with all that its training needs.")
@options.data_option
@options.picture_options
@click.option("--train-limit", type=options.AT_LEAST_ONE, metavar="N", help="Train on the first N images.")
@click.option("--val-limit", type=click.IntRange(min=0), metavar="N", help="Validate on the first N test images, or on none.")
@click.option("--epochs", type=options.AT_LEAST_ONE, metavar="N", help="Passes over the images.")
@click.option("--batch-size", type=options.AT_LEAST_ONE, metavar="N", help="Images in a step.")
@click.option("--lr", type=options.Rate(), metavar="RATE", help="Learning rate.")
@click.option(
    "--opt", type=click.Choice(options.OPTIMIZERS), help="Optimizer; without --lr, another than the preset's brings its own rate."
)
@click.option("--loss", type=click.Choice(options.LOSSES), help="What training makes small.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Same seed, same model, to the bit.", metavar="N"
)
@click.option("--schedule", type=click.Choice(options.SCHEDULES), help="How the learning rate changes from step to step.")
@click.option("--weight-decay", type=options.Amount(), metavar="SHARE", help="This times the weights is added to their gradient.")
@click.option(
    "--early-stop", type=options.AT_LEAST_ONE, metavar="N", help="Stop after N epochs in a row without a lower loss, and keep the best one."
)
@options.augment_option
@options.threads_option
@click.option("--engine", type=click.Choice(options.ENGINES), default="fast", show_default=True, help="What runs the passes.")
@click.option("--out", type=click.Path(), metavar="FILE", help="The model's file, .json or .npz; runs/PRESET/model.json if not given.")
@click.option("--quiet", is_flag=True, help="No bars and no table, only the model's path and digest.")
@options.json_option
def train(
    preset: str,
    data: str | None,
    size: tuple[int, int] | None,
    resize: str | None,
    gray: bool,
    strict: bool,
    train_limit: int | None,
    val_limit: int | None,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    opt: str | None,
    loss: str | None,
    seed: int,
    schedule: str | None,
    weight_decay: float | None,
    early_stop: int | None,
    augment: str | None,
    threads: int | None,
    engine: str,
    out: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train a network and write it to a file.

    What is not given comes from the preset. Without any option: the MNIST digits that come along, and a network that gets 99 % of the
    10,000 test digits right.
    """
    options.allow_threads(threads)
    from jitcnn import presets
    from jitcnn.augmentation import as_augmentation
    from jitcnn.data import load
    from jitcnn.preparation import Preparation
    from jitcnn.schedules import as_schedule

    chosen = presets.PRESETS[preset]
    plan = Plan(
        preset,
        chosen.epochs if epochs is None else epochs,
        chosen.batch_size if batch_size is None else batch_size,
        chosen.train_limit if train_limit is None else train_limit,
        chosen.validation_limit if val_limit is None else val_limit,
        chosen.schedule_at(lr) if schedule is None else as_schedule(schedule),
        as_augmentation(augment),
        early_stop,
    )
    wanted = Preparation(size, 1 if gray else None, resize or "pad")
    dataset = load(data or "mnist", train_limit=plan.train_limit, preparation=wanted, strict=strict, progress=not quiet)
    if dataset.preparation is None and (resize or gray or strict):
        raise click.UsageError("--resize, --gray and --strict are for picture files: leave them out.")
    model = chosen.build(
        seed=seed,
        input_shape=dataset.x.shape[1:],
        classes=len(dataset.classes),
        engine=engine,
        threads=threads,
        optimizer=opt,
        learning_rate=lr,
        weight_decay=weight_decay,
        loss=loss,
    )
    model.preparation = replace(dataset.preparation or model.preparation, normalize=model.normalize, classes=tuple(dataset.classes))
    model.data = {"name": dataset.name, "digest": dataset.digest}
    if dataset.name == "mnist":  # its images were made so: pictures of digits become like them
        model.preparation = replace(model.preparation, resize="digit", invert="auto")
    with destination(out, plan.preset, model) as path:
        result = run(model, dataset, plan, progress=not quiet)
        model.save(path)
    result |= {"model": str(path), "digest": model.digest()}
    if not quiet:
        click.echo(report(result), err=as_json)
    if as_json:
        print_json({name: value for name, value in result.items() if name != "train"})
    elif quiet:
        click.echo(f"{result['model']} {result['digest']}")


def run(model: CNN, dataset: Dataset, plan: Plan, *, progress: bool) -> dict[str, Any]:
    """Train, and measure what came out."""
    validation = validation_of(dataset, plan.val_limit)
    if progress:
        note(describe(dataset, validation, plan.augment))
    callbacks = stopping(plan.early_stop, validation)
    started = time.perf_counter()
    with CompilingLine(enabled=progress):
        history = model.train(
            dataset.x,
            dataset.y,
            epochs=plan.epochs,
            batch_size=plan.batch_size,
            validation=validation,
            augment=plan.augment,
            schedule=plan.schedule,
            callbacks=callbacks,
            progress=progress,
        )
    seconds = time.perf_counter() - started
    kept = callbacks[0].best_epoch if callbacks else None  # the epoch that the model's parameters are those of
    last = {name: values[-1 if kept is None else kept] for name, values in history.items()}
    trained = len(dataset.x) - (round(validation * len(dataset.x)) if isinstance(validation, float) else 0)
    return {
        "accuracy": last.get("val_accuracy"),
        "loss": last.get("val_loss"),
        "seconds": seconds,
        "images_per_second": trained * len(history["seconds"]) / sum(history["seconds"]),
        "parameters": sum(array.size for array in model.parameters.values()),
        "train": {"accuracy": last["accuracy"], "loss": last["loss"]},
        "test": test(model, dataset, validation, last),
    }


def stopping(patience: int | None, validation: Any) -> list[EarlyStopping]:
    """Return what ends training early, if it is asked for."""
    from jitcnn.callbacks import EarlyStopping

    if patience is None:
        return []
    return [EarlyStopping("loss" if validation is None else "val_loss", patience, restore_best=True)]


def validation_of(dataset: Dataset, limit: int) -> Any:
    """Return what `CNN.train` takes: images set apart for it, the first test images, or, of data without any, a share of the others."""
    if limit == 0:
        return None
    if dataset.x_val is not None and dataset.y_val is not None:
        return dataset.x_val[:limit], dataset.y_val[:limit]
    if dataset.x_test is not None and dataset.y_test is not None:
        return dataset.x_test[:limit], dataset.y_test[:limit]
    held_out = min(limit, len(dataset.x) // 5)
    return held_out / len(dataset.x) if held_out else None


def test(model: CNN, dataset: Dataset, validation: Any, last: dict[str, Any]) -> dict[str, Any] | None:
    """Loss and accuracy on all test images; None of data without any."""
    if dataset.x_test is None:
        return None
    if dataset.x_val is None and isinstance(validation, tuple) and len(validation[0]) == len(dataset.x_test):
        return {"accuracy": last["val_accuracy"], "loss": last["val_loss"]}
    measured = model.evaluate(dataset.x_test, dataset.y_test)
    return {"accuracy": measured["accuracy"], "loss": measured["loss"]}


def describe(dataset: Dataset, validation: Any, augment: Augmentation) -> str:
    """Say what there is to learn from."""
    if isinstance(validation, tuple):
        checked = f"validated on {len(validation[0]):,} {'' if dataset.x_val is not None else 'test '}images"
    elif validation is not None:
        checked = f"of which {round(validation * len(dataset.x)):,} are held out for validation"
    else:
        checked = "without validation"
    size = " x ".join(map(str, dataset.x.shape[1:]))
    first = f"{dataset.name}: {len(dataset.x):,} images of {size} in {len(dataset.classes)} classes, {checked}"
    changed = f", augmented with {augment}" if augment else ""
    return "\n".join([first + changed, *dataset.describe().splitlines()[1:]])


def report(result: dict[str, Any]) -> str:
    """Set the table at the end."""
    rows = [["", "loss", "accuracy"]]
    parts = {"train (while learning)": result["train"], "validation": result, "test": result["test"]}
    rows += [[name, decimals(part["loss"]), percent(part["accuracy"])] for name, part in parts.items() if part is not None]
    return (
        f"{table(rows)}\n\n"
        f"{result['parameters']:,} parameters, {result['seconds']:.1f} s, {result['images_per_second']:,.0f} images/s\n"
        f"model {result['model']}, digest {result['digest']}"
    )


@contextlib.contextmanager
def destination(out: str | None, preset: str, model: CNN) -> Iterator[Path]:
    """Find where the model is to go before it is trained; a folder made for it goes away again if nothing gets there."""
    from jitcnn import storage

    if out is not None:
        path = Path(out)
        if path.is_dir():
            raise click.BadParameter(f"{out} is a folder; name a file.", param_hint="'--out'")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.BadParameter(f"{path.parent}: {error.strerror}.", param_hint="'--out'") from error
        if not os.access(path.parent, os.W_OK):
            raise click.BadParameter(f"{path.parent} cannot be written to.", param_hint="'--out'")
        yield path
        return
    folder = new_folder(RUNS, preset)
    try:
        yield folder / f"model{storage.suffix_for(sum(array.size for array in model.parameters.values()))}"
    except BaseException:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise


def new_folder(parent: Path, name: str) -> Path:
    """Make the first folder of name, name-2, name-3, … that is not there: a run never overwrites another one."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
        number += 1
