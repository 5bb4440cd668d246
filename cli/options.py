"""Options that several commands share, and how their values are checked."""

from __future__ import annotations

import math
import os
import sys
from contextlib import AbstractContextManager
from typing import Any

import click

# Written out, since asking `jitcnn` for them would import NumPy and Numba for every `--help`; a test compares them.
PRESETS = ("default", "fast", "single-conv", "double-conv", "conv-pool", "deep")
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "adamw")
SCHEDULES = ("constant", "step", "linear", "cosine", "one-cycle", "warm-up")
LOSSES = ("cross_entropy", "mse")
ON_NAN = ("stop", "skip", "ignore")
ENGINES = ("fast", "loops", "python")
RESIZES = ("pad", "crop", "stretch", "digit")
NORMALIZATIONS: dict[str, str | None] = {"per-image": "per-image", "dataset": "dataset", "none": None}
INVERSIONS: dict[str, bool | str] = {"auto": "auto", "yes": True, "no": False}
PARTS = ("test", "val", "train")
MOST_THREADS = 1024
MOST_PIXELS = 4096


class Source(click.ParamType):
    """The name of a data set, or a path."""

    name = "source"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return it, or fail."""
        if not str(value).strip():
            self.fail("it is empty, expected a name such as mnist, or a path.", parameter, context)
        return str(value)


class NewFile(click.ParamType):
    """Where a file is to be written: in a folder that is there."""

    name = "file"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the path, or fail."""
        path = str(value)
        folder = os.path.dirname(path) or "."
        if os.path.isdir(path):
            self.fail(f"{path} is a folder; name a file.", parameter, context)
        if not os.path.isdir(folder):
            self.fail(f"{path}: there is no folder {folder}; make it first.", parameter, context)
        if not os.access(folder, os.W_OK):
            self.fail(f"{folder} cannot be written to.", parameter, context)
        return path


class NewFolder(click.ParamType):
    """A folder that is there, or that can be made."""

    name = "folder"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """Return the path, or fail."""
        path = str(value)
        there = path
        while there and not os.path.exists(there):
            there = os.path.dirname(there)
        if not os.path.isdir(there or "."):
            self.fail(f"{path}: {there} is a file, no folder.", parameter, context)
        if not os.access(there or ".", os.W_OK):
            self.fail(f"{there or '.'} cannot be written to.", parameter, context)
        return path


class Rate(click.ParamType):
    """A finite number above 0: click's own ranges let nan through."""

    name = "float"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number, or fail."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            self.fail(f"{value!r} is not a finite number above 0.", parameter, context)
        return number


class Size(click.ParamType):
    """Rows and columns: one number for both, or two with an x between them."""

    name = "size"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, int]:
        """Return (rows, columns), or fail."""
        sides = str(value).lower().split("x")
        if len(sides) > 2 or not all(side.isascii() and side.isdigit() and 0 < int(side) <= MOST_PIXELS for side in sides):
            self.fail(f"{value!r} is neither a number of pixels up to {MOST_PIXELS}, such as 32, nor HEIGHTxWIDTH.", parameter, context)
        return int(sides[0]), int(sides[-1])


class Share(click.ParamType):
    """A share above 0 and up to 1, such as 0.99 or 99%."""

    name = "share"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number, or fail."""
        text = str(value).strip()
        try:
            number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            number = math.nan
        if not 0 < number <= 1:
            self.fail(f"{value!r} is not a share such as 99% or 0.99.", parameter, context)
        return number


class Part(click.ParamType):
    """A part from 0 up to, not including, 1."""

    name = "share"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number, or fail."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number < 1:
            self.fail(f"{value!r} is not a number from 0 up to, not including, 1.", parameter, context)
        return number


class Amount(click.ParamType):
    """A finite number of at least 0."""

    name = "float"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number, or fail."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            self.fail(f"{value!r} is not a finite number of at least 0.", parameter, context)
        return number


AT_LEAST_ONE = click.IntRange(min=1)

preset = click.Choice(PRESETS)

data_option = click.option(
    "--data",
    type=Source(),
    metavar="NAME|PATH",
    help="mnist or another data set's name, a folder of pictures (train/CLASS/*, test/CLASS/*, or CLASS/*), of IDX or CIFAR files, an "
    ".npz, .npy or .csv file.",
)


def picture_options(command: Any) -> Any:
    """Add the options that say how picture files become images."""
    for option in (
        click.option("--strict", is_flag=True, help="Refuse a broken picture instead of leaving it out."),
        click.option(
            "--invert",
            type=click.Choice(tuple(INVERSIONS)),
            help="Whether white becomes black; no if not given, and auto with --resize digit, which then finds the ink.",
        ),
        click.option("--gray", is_flag=True, help="Pictures become grey (0.299 red, 0.587 green, 0.114 blue); as they are if not given."),
        click.option("--resize", type=click.Choice(RESIZES), help="How pictures of other proportions come to that size; pad if not given."),
        click.option("--size", type=Size(), metavar="N|HxW", help="Rows and columns of the images that pictures become."),
    ):
        command = option(command)
    return command


data_dir_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Where named data sets are kept, in DIR/NAME; $JITCNN_DATA_DIR, or else ~/.cache/jitcnn/data, if not given.",
)

augment_option = click.option(
    "--augment",
    metavar="WORDS",
    help="none, light, digits or photos, then settings, such as photos,flip=0,erase or rotate=10,shift: what may happen to an image each "
    "time that it is trained on.",
)

top_option = click.option(
    "--top", type=AT_LEAST_ONE, metavar="K", help="Count also how often the right class is among the K likeliest ones, as topK."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, everything else on stderr.")

threads_option = click.option(
    "--threads",
    type=click.IntRange(1, MOST_THREADS),
    metavar="N",
    help="How many threads compute, all processors if not given; the result does not depend on it.",
)


def check_top(option: str, count: int, classes: int) -> None:
    """A usage error where the right class is always among so many."""
    if count >= classes:
        raise click.BadParameter(
            f"top{count} of {classes} outputs is always right: leave it out, or give fewer.", param_hint=f"'--{option}'"
        )


def allow_threads(count: int | None) -> None:
    """Let Numba start so many threads: it takes the number when it is imported. The model says how many of them it uses."""
    if count is not None and "numba" not in sys.modules:
        os.environ["NUMBA_NUM_THREADS"] = str(count)


def using_threads(count: int | None) -> AbstractContextManager[None]:
    """Let so many threads compute meanwhile, all that Numba has if None; for kernels that no model runs."""
    import numba

    from jitcnn.kernels.threads import limited_threads

    if count is not None and count > numba.config.NUMBA_NUM_THREADS:
        raise ValueError(f"threads is {count}, and there are {numba.config.NUMBA_NUM_THREADS}: give at most that")
    return limited_threads(count)
