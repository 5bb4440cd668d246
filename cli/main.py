"""The group of all commands, by purpose. A command's module is imported when the command is used, or listed."""

from __future__ import annotations

import atexit
import gc

import click

from .running import Commands, Main, debug_option

# Numba has a hundred thousand objects, and the end of a process would spend a quarter of a second on taking them apart.
atexit.register(gc.freeze)

# Purpose -> command -> its module here, which holds a function of the module's name.
SECTIONS = {
    "Train and use": {"train": "train", "eval": "evaluate", "predict": "predict", "summary": "summary"},
    "Data": {"data": "data"},
    "Files": {"convert": "convert"},
    "Look inside": {"plot": "plot", "report": "report", "play": "play"},
    "Understand": {"replay": "replay", "why": "why"},
    "Measure": {"bench": "bench", "doctor": "doctor"},
    "Learn": {"learn": "learn"},
}
MODULES = {name: module for section in SECTIONS.values() for name, module in section.items()}


@click.group(
    "jitcnn",
    cls=Main,
    commands=Commands(MODULES),
    sections=SECTIONS,
    invoke_without_command=True,
    example="jitcnn train --preset conv-pool --epochs 2 --out digits.json\njitcnn eval digits.json",
)
@click.version_option(package_name="jitcnn", message="jitcnn %(version)s")
@debug_option
@click.pass_context
def main(context: click.Context) -> None:
    """Convolutional networks trained on the CPU, every pass written out and compiled."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
