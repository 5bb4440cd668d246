"""`jitcnn learn race`: the same network in ever faster ways."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .output import CLEAR_LINE, CompilingLine, columns, note, wide
from .running import command

if TYPE_CHECKING:
    from jitcnn.learn.ladder import Rung, Speed

SECONDS = 0.6  # of measuring one way
PICTURES = (".png", ".svg", ".pdf")


@command("race", example="jitcnn learn race")
@click.option("--plot", metavar="FILE", help="Draw the chart into a picture too, .png or .svg; needs matplotlib.")
@options.threads_option
def learn_race(plot: str | None, threads: int | None) -> None:
    """Race from plain loops to Winograd.

    The same small network, on the same digits, as plain Python loops, in NumPy, compiled, on all processors, on the register tile, and with
    Winograd's convolution: images a second, and what changed from one line to the next. First all are checked to give the same numbers.
    """
    options.allow_threads(threads)
    from jitcnn.learn import race
    from jitcnn.learn.ladder import chart

    if plot is not None:
        check_picture(Path(plot))
    click.echo(wide(f"The network: {race.NETWORK}"))
    with options.using_threads(threads):
        with CompilingLine(enabled=True):
            rungs = race.prepare()
        click.echo(
            wide(f"All {len(rungs)} ways give the same numbers, to {race.TOLERANCE:g} of the largest. Forward pass, images a second:")
        )
        speeds = time_all(rungs)
    click.echo(f"\n{chart(speeds, columns())}")
    if plot is not None:
        race.figure(speeds).savefig(plot, dpi=120)
        note(f"picture in {plot}")


def time_all(rungs: list[Rung]) -> list[Speed]:
    """Time one way after the other; a terminal shows which."""
    from jitcnn.learn.race import race

    speeds: list[Speed] = []
    shown = sys.stderr is not None and sys.stderr.isatty()
    for rung in rungs:
        if shown:
            note(f"{CLEAR_LINE}timing {rung.name}", end="\r")
        speeds += race([rung], SECONDS)
    if shown:
        note(CLEAR_LINE, end="")
    return speeds


def check_picture(path: Path) -> None:
    """Raise a ValueError unless a picture can be written there."""
    if path.suffix not in PICTURES:
        raise ValueError(f"--plot is {path}, expected a name that ends in {' or '.join(PICTURES)}")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent}")
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("--plot needs matplotlib: pip install 'jitcnn[plots]'")
