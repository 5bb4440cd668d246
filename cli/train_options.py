"""The options of `jitcnn train`: those that decide what comes out, and those that say where it goes and what is shown."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import click

from . import options


class FolderName(click.ParamType):
    """The name of a folder, in one part."""

    name = "name"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the name, or fail."""
        text = str(value)
        if not text or text.startswith((".", "-")) or any(part in text for part in ("/", "\\", os.sep, "\0")):
            self.fail(f"{text!r} is not a name for a folder in runs/, such as digits-2.", parameter, context)
        return text


class RateOrAuto(options.Rate):
    """A rate, or auto for one that a test finds."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the number or the word, or fail."""
        return value if value == "auto" else super().convert(value, parameter, context)


class Metric(click.ParamType):
    """A loss or another figure by which one epoch is better than another one."""

    name = "metric"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the name, or fail."""
        from jitcnn.metrics import is_metric

        if not is_metric(value):
            self.fail(f"{value!r} is none of val_loss, val_accuracy, val_top5 and the like, or without val_.", parameter, context)
        return value


class Duration(click.ParamType):
    """A time such as 90s, 10m or 1.5h, in seconds."""

    name = "time"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Return the seconds, or fail."""
        text = str(value).strip().lower()
        try:
            seconds = float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1:]]
        except (ValueError, KeyError):
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"{value!r} is not a time such as 90s, 10m or 1.5h.", parameter, context)
        return seconds


@dataclass(frozen=True)
class Settings:
    """What decides what comes out: these settings and the same data give the same bits."""

    preset: str | None
    data: str | None
    size: tuple[int, int] | None
    resize: str | None
    gray: bool
    invert: str | None
    strict: bool
    normalize: str | None
    train_limit: int | None
    val_limit: int | None
    folds: int | None
    fold: int | None
    epochs: int | None
    time: float | None
    batch_size: int | None
    lr: Any  # a number, None, or "auto" until a rate is found
    opt: str | None
    loss: str | None
    seed: int
    schedule: str | None
    weight_decay: float | None
    clip_norm: float | None
    class_weights: str | None
    label_smoothing: float | None
    on_nan: str
    early_stop: int | None
    best_by: str | None
    top: int | None
    augment: str | None
    engine: str


KEYS_OF_OUTPUT = ("name", "checkpoint_steps", "checkpoint_minutes")  # of Output, those that a file of settings may have, too


@dataclass(frozen=True)
class Output:
    """What it goes on with, where it goes, how it is computed, and what is shown meanwhile."""

    config: str | None
    resume: str | None
    name: str | None
    out: str | None
    checkpoint_steps: int | None
    checkpoint_minutes: float | None
    report: bool
    threads: int | None
    check: bool
    find_lr: bool
    eval_train: bool
    json_lines: bool
    quiet: bool
    as_json: bool

    @property
    def shows(self) -> bool:
        """Whether there are bars and lines for people."""
        return not (self.quiet or self.json_lines)


SETTINGS = (
    click.option("--preset", type=options.preset, help="The network, with all that its training needs; default if not given."),
    options.data_option,
    options.picture_options,
    click.option(
        "--normalize",
        type=click.Choice(tuple(options.NORMALIZATIONS)),
        help="per-image: each image minus its mean, over its standard deviation, whatever its light (if not given); dataset: each channel "
        "by the mean and deviation over all images trained on; none: numbers as they are.",
    ),
    click.option(
        "--train-limit",
        type=options.AT_LEAST_ONE,
        metavar="N",
        help="Train on the first N images; if not given, on all, of mnist on as many as the preset says.",
    ),
    click.option(
        "--val-limit",
        type=click.IntRange(min=0),
        metavar="N",
        help="Validate on the first N of the images to validate on or to test with, or on none; if not given, like --train-limit.",
    ),
    click.option("--folds", type=click.IntRange(2, 1000), metavar="K", help="Train K times, each on all but a K-th that is validated."),
    click.option("--fold", type=options.AT_LEAST_ONE, metavar="N", help="Of --folds, only the N-th."),
    click.option("--epochs", type=options.AT_LEAST_ONE, metavar="N", help="Passes over the images."),
    click.option("--time", type=Duration(), metavar="T", help="Train for so long, such as 90s, 10m or 1.5h, the schedule following."),
    click.option("--batch-size", type=options.AT_LEAST_ONE, metavar="N", help="Images in a step."),
    click.option("--lr", type=RateOrAuto(), metavar="RATE", help="Learning rate; auto tests which suits, see --find-lr."),
    click.option(
        "--opt", type=click.Choice(options.OPTIMIZERS), help="Optimizer; without --lr, another than the preset's brings its own rate."
    ),
    click.option("--loss", type=click.Choice(options.LOSSES), help="What training makes small."),
    click.option(
        "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Same seed, same model, to the bit.", metavar="N"
    ),
    click.option("--schedule", type=click.Choice(options.SCHEDULES), help="How the learning rate changes from step to step."),
    click.option("--weight-decay", type=options.Amount(), metavar="SHARE", help="This times the weights is added to their gradient."),
    click.option("--clip-norm", type=options.Rate(), metavar="LENGTH", help="The longest that the gradient of all weights may be."),
    click.option("--class-weights", type=click.Choice(("balanced",)), help="Classes of few images weigh as much as those of many."),
    click.option("--label-smoothing", type=options.Part(), metavar="SHARE", help="This part of every label goes to all classes alike."),
    click.option(
        "--on-nan",
        type=click.Choice(options.ON_NAN),
        default="stop",
        show_default=True,
        help="At a step whose numbers are not finite: end training, leave the step out, or go on.",
    ),
    click.option("--early-stop", type=options.AT_LEAST_ONE, metavar="N", help="Stop after N epochs in a row that were not the best."),
    click.option(
        "--best-by",
        type=Metric(),
        help="Which epoch is the best, by val_loss, val_accuracy, val_top5 and so on, or the same of the images trained on, without val_: "
        "val_loss if not given, loss where nothing is validated. The best model is the result then, and also with --early-stop, and where "
        "images are validated that are no test images; the last model is it otherwise.",
    ),
    options.top_option,
    options.augment_option,
    click.option("--engine", type=click.Choice(options.ENGINES), default="fast", show_default=True, help="What runs the passes."),
)
OUTPUT = (
    click.option(
        "--config",
        type=click.Path(),
        metavar="FILE",
        help="Settings from a TOML file: these options by name in [train], and [[layers]] of your "
        "own. What the command line says wins. A run's config.toml repeats the run to the bit.",
    ),
    click.option(
        "--resume",
        type=click.Path(),
        metavar="RUN",
        help="Go on with a run: with one that was interrupted, to the bits of one that never "
        "was; with a finished one, to the --epochs given, in a folder of its own.",
    ),
    click.option(
        "--name", type=FolderName(), help="The run's folder, runs/NAME or else NAME-2, …; called like preset or data if not given."
    ),
    click.option("--out", type=click.Path(), metavar="FILE", help="Write the result here too, .json or .npz."),
    click.option("--checkpoint-steps", type=options.AT_LEAST_ONE, metavar="N", help="Save after N steps too, not only after each epoch."),
    click.option("--checkpoint-minutes", type=options.Rate(), metavar="M", help="Save after M minutes too."),
    click.option("--report/--no-report", default=True, show_default=True, help="Leave report.html in the run's folder, see jitcnn report."),
    options.threads_option,
    click.option("--check", is_flag=True, help="Train nothing: see in some seconds whether data, network, rate and saving can work."),
    click.option(
        "--find-lr",
        is_flag=True,
        help="Train nothing: test which rate suits, and draw its losses to --out, or find-lr.png.",
    ),
    click.option("--eval-train", is_flag=True, help="Measure the images trained on too, without dropout, as the others are."),
    click.option("--json-lines", is_flag=True, help="Instead of bars, a line of JSON for each epoch on stderr."),
    click.option("--quiet", is_flag=True, help="No bars and no table, only the model's path and digest."),
    options.json_option,
)


def train_options(command: Any) -> Any:
    """Add all of them."""
    for option in reversed((*SETTINGS, *OUTPUT)):
        command = option(command)
    return command
