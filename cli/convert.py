"""`jitcnn convert`: a model as another kind of file."""

from __future__ import annotations

from pathlib import Path

import click

from . import options
from .reading import open_model
from .running import command


@command("convert", example="jitcnn convert digits.json digits.py\njitcnn convert digits.json digits.h")
@click.argument("model")
@click.argument("out", type=options.NewFile())
def convert(model: str, out: str) -> None:
    """Write a model as another kind of file.

    MODEL is a file that train wrote, or a run's folder. The suffix of OUT chooses: .py is one readable file of Python that needs NumPy
    only, .h a C header that needs no library, .json and .npz are jitcnn's own formats. All of them hold the weights and do to an image
    what the model does.
    """
    from jitcnn.convert import convert as write

    loaded = open_model(model)
    write(loaded, out)
    click.echo(f"{out}: {Path(out).stat().st_size:,} bytes, {sum(array.size for array in loaded.parameters.values()):,} parameters")
