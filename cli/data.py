"""The group `jitcnn data`: what there is to learn from."""

from __future__ import annotations

import click

from .running import Commands, Group, debug_option

MODULES = {
    "list": "data_list", "info": "data_info", "download": "data_download", "preview": "data_preview", "check": "data_check",
}  # fmt: skip


@click.group("data", cls=Group, commands=Commands(MODULES), invoke_without_command=True, example="jitcnn data list\njitcnn data info mnist")
@debug_option
@click.pass_context
def data(context: click.Context) -> None:
    """Data by name, and a look at one's own."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
