"""The group of all commands."""

import click

from .evaluate import evaluate
from .running import Main, debug_option
from .summary import summary
from .train import train


@click.group(
    "jitcnn",
    cls=Main,
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


for one in (train, evaluate, summary):
    main.add_command(one)
