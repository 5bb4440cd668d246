"""Data by a name or a path, with the options that say how picture files become images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jitcnn.data import Dataset


def read(
    data: str, *, size: tuple[int, int] | None, resize: str | None, gray: bool, strict: bool, usual: str = "pad", progress: bool = True
) -> Dataset:
    """Load a data set; the options are those of `options.picture_options`, `usual` is how pictures are resized if nobody says."""
    from jitcnn.data import load
    from jitcnn.preparation import Preparation

    wanted = Preparation(size, 1 if gray else None, resize or usual)
    dataset = load(data, preparation=wanted, strict=strict, progress=progress)
    if dataset.preparation is None and (resize or gray or strict):
        raise click.UsageError("--resize, --gray and --strict are for picture files: leave them out.")
    return dataset
