"""`jitcnn bench`: how fast this machine computes layers and trains networks."""

from __future__ import annotations

from typing import Any

import click

from . import options
from .output import note, print_json, table
from .running import command

SUITES = ("kernels", "networks")


@command("bench", example="jitcnn bench kernels --quick --only 3x3")
@click.argument("suites", nargs=-1, type=click.Choice(SUITES), metavar="[kernels] [networks]")
@click.option("--quick", is_flag=True, help="Fewer layers, batch 32 only, shorter measurements: a first look within half a minute.")
@click.option("--rounds", type=options.AT_LEAST_ONE, metavar="N", help="How often everything is measured; the median counts. [3, quick: 2]")
@click.option("--only", multiple=True, metavar="WORD", help="Only layers and networks whose names hold this word. May be repeated.")
@options.threads_option
@options.json_option
def bench(suites: tuple[str, ...], quick: bool, rounds: int | None, only: tuple[str, ...], threads: int | None, as_json: bool) -> None:
    """Measure how fast this machine computes.

    kernels: layers alone, forward and their gradients, in GFLOP/s and percent of the processor's peak. networks: training, in images a
    second. Both if none is named. Have nothing else running.
    """
    options.allow_threads(threads)
    from jitcnn.kernels.threads import num_threads
    from jitcnn.measuring.machine import describe

    with options.using_threads(threads):
        check(suites or SUITES, quick, only)
        machine = describe(num_threads())
        note(", ".join(f"{name}: {value}" for name, value in machine.items()))
        results = {suite: measure(suite, quick, rounds or (2 if quick else 3), only) for suite in suites or SUITES}
    if as_json:
        print_json({"machine": machine} | {suite: found for suite, (found, _) in results.items()})
    else:
        click.echo("\n\n".join(text for _, text in results.values() if text))


def check(suites: tuple[str, ...], quick: bool, only: tuple[str, ...]) -> None:
    """Raise a ValueError if nothing would be measured."""
    from jitcnn.measuring.cases import CASES, QUICK
    from jitcnn.measuring.networks import NETWORKS
    from jitcnn.measuring.report import wanted

    layers = [case.name for case in (QUICK if quick else CASES)] if "kernels" in suites else []
    names = [*layers, *(NETWORKS if "networks" in suites else ())]
    if not any(wanted(name, only) for name in names):
        raise ValueError(f"no layer's or network's name holds {' or '.join(map(repr, only))}: there are {', '.join(names)}")


def measure(suite: str, quick: bool, rounds: int, only: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """Run a suite: its results, and its tables as text."""
    from jitcnn.measuring import kernels, networks
    from jitcnn.measuring.cases import CASES, QUICK
    from jitcnn.measuring.ours import Here

    if suite == "kernels":
        cases, seconds = (QUICK, 0.02) if quick else (CASES, kernels.SECONDS)
        results = kernels.run(Here(), (), rounds, seconds, only, cases, say=note)
        tables = kernels.tables(results)
    else:
        batch_sizes, seconds = ((32,), 0.2) if quick else (networks.BATCH_SIZES, networks.SECONDS)
        results = networks.run(Here(), (), rounds, seconds, only, batch_sizes, say=note)
        tables = networks.tables(results)
    texts = [f"{one.title}\n{table([one.header, *one.rows])}" + (f"\n{one.note}" if one.note else "") for one in tables]
    return results, "\n\n".join(texts)
