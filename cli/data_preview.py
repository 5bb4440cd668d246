"""`jitcnn data preview`: look at a data set."""

from __future__ import annotations

from typing import Any

import click

from . import options
from .reading import read
from .running import command


@command(
    "preview",
    example="jitcnn data preview mnist --out digits.png\njitcnn data preview mnist --augment digits,rotate=25 --out augmented.png",
)
@click.argument("data", type=options.Source())
@click.option("--out", type=options.NewFile(), default="preview.png", show_default=True, metavar="FILE", help="The picture's file.")
@click.option("--count", type=click.IntRange(1, 100), default=10, show_default=True, metavar="N", help="Pictures in a row.")
@options.picture_options
@options.augment_option
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Other examples.")
def data_preview(data: str, out: str, count: int, augment: str | None, seed: int, **pictures: Any) -> None:
    """Draw examples of every class.

    DATA is what train takes as --data: a name or a path. With --augment, the first picture of a row is as it is in the data, and the
    others are what training sees of it in one epoch after the other.
    """
    from jitcnn.augmentation import as_augmentation
    from jitcnn.data.sheet import preview

    augmentation = as_augmentation(augment) if augment is not None else None
    width, height = preview(read(data, **pictures), out, count=count, augmentation=augmentation, seed=seed)
    what = "" if augmentation is None else f"; first as it is, then with {augmentation}"
    click.echo(f"{out}: {width} x {height} pixels{what}")
