"""`jitcnn doctor`: whether this machine is ready, and what to do where it is not."""

from __future__ import annotations

from typing import Any

import click

from . import options
from .output import CompilingLine, megabytes, note, print_json
from .running import command


@command("doctor", example="jitcnn doctor\njitcnn doctor --json")
@click.option("--warm", is_flag=True, help="Compile ahead what a first training needs; takes a minute or two.")
@options.threads_option
@options.json_option
def doctor(warm: bool, threads: int | None, as_json: bool) -> None:
    """Show what this machine has, and what is missing.

    The peak of multiplications and additions and the cost of starting threads are measured: have nothing else running.
    """
    options.allow_threads(threads)
    from jitcnn.measuring import health

    with options.using_threads(threads), CompilingLine(enabled=True):
        if warm:
            note(f"compiled what {health.warm()} networks need")
        found = health.examine()
    if as_json:
        print_json(found)
    else:
        click.echo(report(found))


def report(found: dict[str, Any]) -> str:
    """Set what was found, a line each, and the advice."""
    versions = ", ".join(f"{name} {number or 'unknown'}" for name, number in found["versions"].items())
    peak = found["peak_gflops"]
    cache = f"{found['cache_folder']}, {megabytes(found['cache_bytes'])}" if found["cache_folder"] else "none"
    lines = {
        "versions": versions,
        "system": found["system"],
        "processor": f"{found['processor']}, {found['usable_cores']} of {found['cores']} cores usable",
        "vectors": f"{found['vectors']}: {found['lanes'] or 'unknown'} lanes of float32",
        "threads": f"{found['threads']} ({found['threading_layer']}), starting them takes {found['region_microseconds']:.1f} microseconds",
        "peak": f"{peak['one_thread']:.0f} GFLOP/s on one thread, {peak['all_threads']:.0f} on all",
        "cache": cache,
        "load": "unknown" if found["load"] is None else f"{found['load']:.2f}",
    }
    width = max(map(len, lines)) + 2
    text = [f"{name.ljust(width)}{value}" for name, value in lines.items()]
    return "\n".join([*text, "", *(f"- {sentence}" for sentence in found["advice"] or ["nothing is missing"])])
