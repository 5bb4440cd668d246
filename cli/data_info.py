"""`jitcnn data info`: what was understood of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import print_json, table
from .running import command

if TYPE_CHECKING:
    import numpy as np

    from jitcnn.data import Dataset


@command("info", example="jitcnn data info mnist")
@click.argument("data")
@options.json_option
def data_info(data: str, as_json: bool) -> None:
    """Say what is understood of a data set.

    DATA is what train takes as --data: a name or a path.
    """
    from jitcnn.data import load

    found = describe(load(data))
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
        "test_images": None if dataset.x_test is None else len(dataset.x_test),
        "smallest": float(dataset.x.min()),
        "largest": float(dataset.x.max()),
        "classes": dataset.classes,
        "counts": counts(dataset.y),
        "test_counts": counts(dataset.y_test),
    }


def report(found: dict[str, Any]) -> str:
    """The same as text."""
    size = " x ".join(map(str, found["shape"]))
    test = "no test images" if found["test_images"] is None else f"{found['test_images']:,} test images"
    rows = [["class", "images", "test images"][: 2 + (found["test_counts"] is not None)]]
    columns = [found["classes"], found["counts"], *([found["test_counts"]] if found["test_counts"] else [])]
    rows += [[row[0], *(f"{count:,}" for count in row[1:])] for row in zip(*columns, strict=True)]
    return (
        f"{found['name']}\n"
        f"{found['images']:,} images of {size} to train on, {test}, {len(found['classes'])} classes\n"
        f"{found['dtype']} from {found['smallest']:g} to {found['largest']:g}, digest {found['digest']}\n\n"
        f"{table(rows)}"
    )
