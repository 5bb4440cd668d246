"""`jitcnn data list`: data sets that have a name."""

from __future__ import annotations

from typing import Any

import click

from . import options
from .output import megabytes, print_json, table
from .running import command


@command("list", example="jitcnn data list")
@options.data_dir_option
@options.json_option
def data_list(directory: str | None, as_json: bool) -> None:
    """List data sets that have a name, and say which are here."""
    found = sets(directory)
    if as_json:
        print_json({"sets": found})
        return
    rows = [["name", "size", "here"], *([entry["name"], megabytes(entry["bytes"]), "yes" if entry["here"] else "no"] for entry in found)]
    lines = table(rows).splitlines()
    width = max(map(len, lines))
    titles = ["", *(entry["title"] for entry in found)]
    click.echo("\n".join(f"{line:<{width}}  {title}".rstrip() for line, title in zip(lines, titles, strict=True)))
    click.echo("\nGet one that is not here: jitcnn data download NAME. A folder or file of your own: jitcnn data info PATH")


def sets(directory: str | None) -> list[dict[str, Any]]:
    """What is known about each of them."""
    from jitcnn.data.download import data_folder, is_complete
    from jitcnn.data.published import SETS

    digits = {
        "name": "mnist",
        "title": "MNIST: 70,000 grey pictures of handwritten digits, 28 x 28, in 10 classes; part of jitcnn",
        "bytes": 0, "here": True, "folder": None, "page": None, "licence": "CC BY-SA 3.0",
    }  # fmt: skip
    return [
        digits,
        *(
            {
                "name": name, "title": published.title, "bytes": published.size, "here": is_complete(name, directory),
                "folder": str(data_folder(name, directory)), "page": published.page, "licence": published.licence,
            }
            for name, published in SETS.items()
        ),
    ]  # fmt: skip
