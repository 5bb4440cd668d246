"""`jitcnn report`: everything about a run on one page."""

from __future__ import annotations

import click

from . import options
from .output import note
from .running import command


@command("report", example="jitcnn report runs/conv-pool")
@click.argument("run")
@options.data_option
@options.threads_option
def report(run: str, data: str | None, threads: int | None) -> None:
    """Write everything about a run on one page.

    RUN is a folder that train made. Its report.html needs nothing from outside: results, curves, confusion, mistakes, filters, the way of
    an image, the architecture, the settings, and how to repeat the run. Pictures need matplotlib: pip install 'jitcnn[plots]'.
    """
    options.allow_threads(threads)
    from jitcnn.report import NAME, write
    from jitcnn.report.pictures import can_draw
    from jitcnn.runs.folder import Run

    folder = Run(run)
    facts = write(folder, source=data, threads=threads)
    if facts.missing:
        note(f"without the data's part, say with --data where they are: {facts.missing}")
    if not can_draw():
        note("without pictures, which need matplotlib: pip install 'jitcnn[plots]'")
    click.echo(str(folder.path / NAME))
