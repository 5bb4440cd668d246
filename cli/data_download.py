"""`jitcnn data download`: get a data set that has a name."""

from __future__ import annotations

import click

from . import options
from .output import megabytes, note
from .running import command


@command("download", example="jitcnn data download fashion-mnist")
@click.argument("name")
@options.data_dir_option
@click.option("--quiet", is_flag=True, help="No bars.")
def data_download(name: str, directory: str | None, quiet: bool) -> None:
    """Get a data set that has a name.

    Every file is compared with its published SHA-256. Where a connection is cut, or the command is interrupted, the next one goes on.
    """
    from jitcnn.data.download import download, is_complete
    from jitcnn.data.published import SETS

    if name == "mnist":
        click.echo("mnist is part of jitcnn: there is nothing to download")
        return
    if name in SETS and not is_complete(name, directory) and not quiet:
        published = SETS[name]
        note(f"{published.title}, {megabytes(published.size)}; licence: {published.licence}; {published.page}")
    folder = download(name, directory, progress=not quiet)
    click.echo(f"{name} is in {folder}")
