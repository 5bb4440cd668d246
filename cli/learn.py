"""The group `jitcnn learn`: for those who want to see how it works."""

from __future__ import annotations

import click

from .running import Commands, Group, debug_option

MODULES = {"lesson": "learn_lesson", "bugs": "learn_bugs", "race": "learn_race", "explain": "learn_explain"}


@click.group("learn", cls=Group, commands=Commands(MODULES), invoke_without_command=True, example="jitcnn learn bugs pool-overwritten")
@debug_option
@click.pass_context
def learn(context: click.Context) -> None:
    """Mistakes, lessons, a race and a look inside."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
