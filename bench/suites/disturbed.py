"""Training while another process keeps one core busy."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

from bench.session import Session
from jitcnn.measuring.clock import alternate
from jitcnn.measuring.networks import NETWORKS
from jitcnn.measuring.report import Table, number, wanted

ROUNDS, SECONDS, IMAGES, BATCH_SIZE = 3, 0.3, 2_000, 32
TITLE = "Disturbed"
HOW = (
    f"Training throughput on {IMAGES:,} digits, batch {BATCH_SIZE}, alone and while another process, a Python loop that does nothing, is "
    "bound to one core and keeps it busy; each round measures one after the other; medians, and the share of its speed that a program "
    "keeps. Beside it the share that one thread reaches alone: what a program keeps that leaves the busy core, of two."
)


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """A process that keeps one core busy; bound to it where the system can."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        time.sleep(0.2)  # until Python has started
        yield
    finally:
        process.kill()
        process.wait()


def disturbed(call: Callable[[], float]) -> float:
    """What a call measures beside a busy process."""
    with busy_core():
        return call()


def run(session: Session) -> dict[str, Any]:
    """Measure: {network: {program: {"alone", "disturbed", "one thread", "share", "share of one thread"}}}."""
    programs = [(session.ours(), session.ours(1))]
    if session.torch:
        programs.append((session.pytorch("NCHW"), session.pytorch("NCHW", 1)))
    results: dict[str, Any] = {}
    for network in (name for name in NETWORKS if wanted(name, session.only)):
        calls: dict[tuple[str, str], Callable[[], float]] = {}
        for program, single in programs:
            for worker in dict.fromkeys((program, single)):
                seconds = session.seconds or SECONDS
                worker.ask("prepare_training", name=network, images=IMAGES, batch_size=BATCH_SIZE, seconds=seconds)
            train = partial(program.ask, "train")
            calls[program.name, "alone"] = train
            calls[program.name, "disturbed"] = partial(disturbed, train)
            calls[program.name, "one thread"] = partial(single.ask, "train")
        results[network] = {}
        for (program_name, how), speeds in alternate(calls, session.rounds or ROUNDS).items():
            results[network].setdefault(program_name, {})[how] = median(speeds)
        for found in results[network].values():
            found["share"] = found["disturbed"] / found["alone"]
            found["share of one thread"] = found["one thread"] / found["alone"]
        print(f"{network}: " + ", ".join(f"{name} {found['share']:.0%}" for name, found in results[network].items()), flush=True)
    return results


def page(results: dict[str, Any]) -> str:
    """One table."""
    header = ["network"]
    for program in next(iter(results.values()), {}):
        header += [program, "disturbed", "share", "one thread"]
    rows = []
    for network, found in results.items():
        shares = ("share", "share of one thread")
        cells = ([number(one["alone"]), number(one["disturbed"]), *(f"{one[share]:.0%}" for share in shares)] for one in found.values())
        rows.append([network, *(cell for group in cells for cell in group)])
    return Table("Images a second", header, rows).markdown()
