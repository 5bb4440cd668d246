"""What commands read: models, and data with the options that say how picture files become images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options

if TYPE_CHECKING:
    from jitcnn.data import Dataset
    from jitcnn.model import CNN


def open_model(path: str, threads: int | None = None) -> CNN:
    """The model in a file, or the one that a run came to, of whose folder this is the path."""
    if Path(path).is_dir():
        from jitcnn.report.facts import result_of
        from jitcnn.runs.folder import Run

        model = result_of(Run(path))[1]
    else:
        from jitcnn import storage

        model = storage.load(path)
    model.threads = threads
    return model


def read(
    data: str,
    *,
    size: tuple[int, int] | None,
    resize: str | None,
    gray: bool,
    invert: str | None,
    strict: bool,
    usual: str = "pad",
    progress: bool = True,
    train_limit: int | None = None,
) -> Dataset:
    """Load a data set; the options are those of `options.picture_options`, `usual` is how pictures are resized if nobody says."""
    from jitcnn.data import load
    from jitcnn.preparation import Preparation

    if invert == "auto" and resize != "digit":
        raise click.UsageError("--invert auto goes with --resize digit, which finds ink and paper: give yes or no.")
    inverted = options.INVERSIONS[invert or ("auto" if resize == "digit" else "no")]
    wanted = Preparation(size, 1 if gray else None, resize or usual, invert=inverted)
    dataset = load(data, train_limit=train_limit, preparation=wanted, strict=strict, progress=progress)
    has_other_size = size is not None and size != dataset.x.shape[1:3]  # that of a table's pixels is given with it
    if dataset.preparation is None and (resize or gray or invert or strict or has_other_size):
        raise click.UsageError("--size, --resize, --gray, --invert and --strict are for picture files: leave them out.")
    return dataset
