"""`jitcnn data info`: what was understood of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import print_json, table
from .reading import read
from .running import command

if TYPE_CHECKING:
    import numpy as np

    from jitcnn.data import Dataset


@command("info", example="jitcnn data info mnist")
@click.argument("data", type=options.Source())
@options.picture_options
@options.json_option
def data_info(data: str, as_json: bool, **pictures: Any) -> None:
    """Say what is understood of a data set.

    DATA is what train takes as --data: a name or a path.
    """
    found = describe(read(data, **pictures))
    if as_json:
        print_json(found)
    else:
        click.echo(report(found))


def describe(dataset: Dataset) -> dict[str, Any]:
    """Sizes, numbers and classes."""
    import numpy as np

    def counts(labels: np.ndarray | None) -> list[int] | None:
        return None if labels is None else np.bincount(labels, minlength=len(dataset.classes)).tolist()

    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "shape": list(dataset.x.shape[1:]),
        "dtype": str(dataset.x.dtype),
        "images": len(dataset.x),
        "val_images": None if dataset.x_val is None else len(dataset.x_val),
        "test_images": None if dataset.x_test is None else len(dataset.x_test),
        "smallest": float(dataset.x.min()),
        "largest": float(dataset.x.max()),
        "classes": dataset.classes,
        "counts": counts(dataset.y),
        "val_counts": counts(dataset.y_val),
        "test_counts": counts(dataset.y_test),
        "preparation": None if dataset.preparation is None else dataset.preparation.to_dict(),
        "left_out": list(dataset.notes),
    }


def report(found: dict[str, Any]) -> str:
    """The same as text."""
    size = " x ".join(map(str, found["shape"]))
    val = "" if found["val_images"] is None else f"{found['val_images']:,} to validate on, "
    test = "no test images" if found["test_images"] is None else f"{found['test_images']:,} test images"
    columns = {
        "class": found["classes"],
        "images": found["counts"],
        "to validate on": found["val_counts"],
        "test images": found["test_counts"],
    }
    columns = {heading: cells for heading, cells in columns.items() if cells is not None}
    rows = [list(columns), *([name, *(f"{count:,}" for count in counts)] for name, *counts in zip(*columns.values(), strict=True))]
    lines = [
        found["name"],
        f"{found['images']:,} images of {size} to train on, {val}{test}, {len(found['classes'])} classes",
        f"{found['dtype']} from {found['smallest']:g} to {found['largest']:g}, digest {found['digest']}",
    ]
    if (made := found["preparation"]) is not None:
        lines.append(f"pictures made {size} {'in colour' if made['channels'] == 3 else 'in grey'}, other shapes by {made['resize']}")
    lines += [f"left out: {note}" for note in found["left_out"]]
    return "\n".join([*lines, "", table(rows)])
