"""`jitcnn train`: from images to a run's folder, with the model in it."""

from __future__ import annotations

from typing import Any

import click

from . import options
from .output import print_json
from .running import command
from .train_options import train_options

EXAMPLE = """jitcnn train --preset conv-pool --epochs 2 --seed 1 --name digits --out digits.json
jitcnn train --config runs/digits/config.toml
jitcnn train --resume runs/digits --epochs 3"""


@command("train", example=EXAMPLE)
@train_options
@click.pass_context
def train(context: click.Context, /, **given: Any) -> None:
    """Train a network; everything about it goes into a folder, runs/NAME.

    What is not given comes from the preset. Without any option: the MNIST digits that come along, and a network that gets 99 % of the
    10,000 test digits right.

    The folder holds the settings (config.toml), the history (history.csv), what was said (log.txt), the best and the last model, a
    checkpoint after each epoch, and a page about all of it (report.html). The last line names the result, one of the two models;
    --best-by says which.
    """
    options.allow_threads(given["threads"])
    from .train_check import check, refuse_beside_check
    from .train_config import settle
    from .train_endings import hearing_sigterm
    from .train_folds import report_folds, run_folds
    from .train_plan import make_plan
    from .train_rate import find_rate, found_rate
    from .train_report import report
    from .train_run import run

    with hearing_sigterm():
        order = settle(context, given)
        output = order.output
        if output.check:
            refuse_beside_check(output)
            return check(found_rate(order)[0])
        if output.find_lr:
            return find_rate(order)
        order, rate = found_rate(order)
        several = order.settings.folds is not None and order.settings.fold is None
        result = run_folds(order, rate) if several else run(order, make_plan(order), rate)
    if not output.quiet and not (output.json_lines and output.as_json):  # stderr has lines of JSON only
        click.echo(report_folds(result) if several else report(result), err=output.as_json)
    if output.as_json:
        print_json(result)
    elif output.quiet:
        for one in result["folds"] if several else [result]:
            click.echo(f"{one['model']} {one['digest']}")
