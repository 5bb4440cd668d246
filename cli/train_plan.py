"""What a run does, after the preset, the options and the data have been put together."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import click

from jitcnn import presets
from jitcnn.augmentation import Augmentation, as_augmentation
from jitcnn.data import Dataset, folds
from jitcnn.data.dataset import NAMES
from jitcnn.metrics import largest
from jitcnn.model import CNN
from jitcnn.progress import ENDLESS
from jitcnn.runs.clock import ByClock
from jitcnn.schedules import Schedule, as_schedule

from . import options
from .reading import read
from .train_config import Order
from .train_options import Settings


@dataclass(frozen=True)
class Plan:
    """Everything that training needs.

    Attributes
    ----------
    settings
        With the preset's numbers in place of what was not given.
    model, dataset
        What is trained, on what.
    validation
        As `CNN.train` takes it.
    schedule, augment
        As `CNN.train` takes them.
    best_by
        By which metric an epoch is the best.
    best_is_result
        Whether the best model is what comes out; otherwise the last one is.
    name
        What the run is called if nobody says.
    """

    settings: Settings
    model: CNN
    dataset: Dataset
    validation: Any
    schedule: Schedule
    augment: Augmentation
    best_by: str
    best_is_result: bool
    name: str

    @property
    def trained(self) -> int:
        """How many images an epoch has."""
        held_out = round(self.validation * len(self.dataset.x)) if isinstance(self.validation, float) else 0
        return len(self.dataset.x) - held_out

    @property
    def validates_on_test(self) -> bool:
        """Whether the images validated are test images."""
        return isinstance(self.validation, tuple) and self.dataset.x_val is None

    @property
    def arguments(self) -> dict[str, Any]:
        """What `CNN.train` is given, where it decides what comes out; callbacks apart."""
        return {
            "epochs": self.settings.epochs or 1,
            "batch_size": self.settings.batch_size or 1,
            "validation": self.validation,
            "augment": self.augment,
            "schedule": self.schedule,
            "class_weights": self.settings.class_weights,
            "on_nan": self.settings.on_nan,
        }

    def recorded(self) -> dict[str, Any]:
        """The settings as a file has them: by the options' names, without what was not given."""
        given = {name.replace("_", "-"): value for name, value in asdict(self.settings).items() if value is not None and value is not False}
        if self.settings.time is not None:
            given["time"] = f"{given['time']!r}s"
            del given["epochs"]
        if self.settings.size is not None:
            given["size"] = "x".join(map(str, self.settings.size))
        return given


def make_plan(order: Order) -> Plan:
    """Read the data, and make the network for them."""
    settings = order.settings
    name = data_name(settings.data) if settings.data is not None and settings.preset is None else settings.preset or "default"
    settings = with_preset(settings)
    preset = presets.PRESETS[settings.preset or ""]
    schedule = preset.schedule_at(settings.lr) if settings.schedule is None else as_schedule(settings.schedule)
    if settings.time is not None:
        schedule = ByClock(schedule, settings.time)
    augment = as_augmentation(settings.augment)
    dataset = load(settings, order.output.shows)
    images = len(dataset.x)
    if settings.fold is not None:
        dataset = fold_of(dataset, settings)
    if order.recipe is not None:
        preset = replace(preset, layers=order.recipe.new_layers)
    model = build(preset, settings, dataset, order.output.threads)
    validation = validation_of(dataset, settings.val_limit) if settings.fold is None else (dataset.x_val, dataset.y_val)
    model.data = {"name": dataset.name, "digest": dataset.digest, "images": images, **division(settings, validation)}
    best_by = best_of(settings.best_by, validation)
    own_validation = validation is not None and (dataset.x_val is not None or not isinstance(validation, tuple))
    best_is_result = own_validation or settings.best_by is not None or settings.early_stop is not None
    return Plan(settings, model, dataset, validation, schedule, augment, best_by, best_is_result, name)


def build(preset: presets.Preset, settings: Settings, dataset: Dataset, threads: int | None) -> CNN:
    """The network, compiled, which knows what its data are and how pictures become like them."""
    if len(dataset.classes) < 2:
        raise ValueError(f"{dataset.name}: all images are of one class, {dataset.classes[0]}; at least two are needed")
    model = preset.build(
        seed=settings.seed,
        input_shape=dataset.x.shape[1:],
        classes=len(dataset.classes),
        engine=settings.engine,
        threads=threads,
        optimizer=settings.opt,
        learning_rate=settings.lr,
        weight_decay=settings.weight_decay,
        loss=settings.loss,
        label_smoothing=settings.label_smoothing or 0.0,
        clip_norm=settings.clip_norm,
        metrics=("accuracy", *tops(settings, len(dataset.classes))),
        normalize=options.NORMALIZATIONS[settings.normalize or "per-image"],
    )
    model.preparation = replace(dataset.preparation or model.preparation, normalize=model.normalize, classes=tuple(dataset.classes))
    if dataset.name == "mnist":  # its images were made so: pictures of digits become like them
        model.preparation = replace(model.preparation, resize="digit", invert="auto")
    return model


def tops(settings: Settings, classes: int) -> list[str]:
    """The metrics topK that are asked for; a usage error for one that says nothing about so many classes."""
    by = largest((settings.best_by or "").removeprefix("val_"))
    for option, count in (("top", settings.top), ("best-by", by)):
        if count:
            options.check_top(option, count, classes)
    return [f"top{count}" for count in {settings.top, by} if count]


def with_preset(settings: Settings) -> Settings:
    """The settings with the preset's numbers in place of what was not given."""
    if settings.time is not None and settings.epochs is not None:
        raise click.UsageError("--time says how long to train, and --epochs too: give one of them.")
    preset = presets.PRESETS[settings.preset or "default"]
    is_presets_data = settings.data in (None, "mnist")  # of any other all images are taken, and nothing of the preset's is assumed
    return replace(
        settings,
        preset=preset.name,
        data=None if settings.data is None else data_path(settings.data),
        epochs=ENDLESS if settings.time is not None else settings.epochs or preset.epochs,
        batch_size=settings.batch_size or preset.batch_size,
        train_limit=preset.train_limit if settings.train_limit is None and is_presets_data else settings.train_limit,
        val_limit=preset.validation_limit if settings.val_limit is None and is_presets_data else settings.val_limit,
        augment=preset.augment if settings.augment is None and is_presets_data else settings.augment,
    )


def data_path(data: str) -> str:
    """The name of a data set, or a path that is the same from any folder."""
    return data if data in NAMES else os.path.abspath(data)


def data_name(data: str) -> str:
    """What a run is called after its data: the last part of a path, without a suffix."""
    stem = os.path.basename(os.path.abspath(data)).partition(".")[0]
    return stem if stem and not stem.startswith("-") else "data"


def load(settings: Settings, progress: bool) -> Dataset:
    """Read the data."""
    chosen = {name: getattr(settings, name) for name in ("size", "resize", "gray", "invert", "strict", "train_limit")}
    return read(settings.data or "mnist", progress=progress, **chosen)


def fold_of(dataset: Dataset, settings: Settings) -> Dataset:
    """The data with one of the folds as images to validate on, and the others to train on."""
    if settings.folds is None or settings.fold is None or settings.fold > settings.folds:
        raise click.UsageError(f"--fold {settings.fold} is the number of one of the --folds: give --folds, at least as many.")
    train, held_out = folds(dataset.y, settings.folds, settings.seed)[settings.fold - 1]
    notes = dataset.notes
    if dataset.x_val is not None:
        notes = (*notes, f"{len(dataset.x_val):,} images to validate on, whose place the fold takes")
    return replace(dataset, x=dataset.x[train], y=dataset.y[train], x_val=dataset.x[held_out], y_val=dataset.y[held_out], notes=notes)


def division(settings: Settings, validation: Any) -> dict[str, Any]:
    """Which of the images are set apart to validate on, as a model's file says it, and `jitcnn.data.splits.divided` finds them again."""
    if settings.fold is not None:
        return {"folds": settings.folds, "fold": settings.fold}
    return {"validation": validation} if isinstance(validation, float) else {}


def best_of(wanted: str | None, validation: Any) -> str:
    """By which metric an epoch is the best; a usage error if it is not measured."""
    if validation is None and wanted is not None and wanted.startswith("val_"):
        raise click.UsageError(f"--best-by {wanted} needs images to validate on: give --best-by loss, or a --val-limit above 0.")
    return wanted or ("loss" if validation is None else "val_loss")


def validation_of(dataset: Dataset, limit: int | None) -> Any:
    """Return what `CNN.train` takes: images set apart for it, the first test images, or, of data without any, a share of the others."""
    if limit == 0:
        return None
    if dataset.x_val is not None and dataset.y_val is not None:
        return dataset.x_val[:limit], dataset.y_val[:limit]
    if dataset.x_test is not None and dataset.y_test is not None:
        return dataset.x_test[:limit], dataset.y_test[:limit]
    held_out = len(dataset.x) // 5 if limit is None else min(limit, len(dataset.x) // 5)
    return held_out / len(dataset.x) if held_out else None
