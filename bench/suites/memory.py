"""Peak memory of training, each run a process of its own."""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.processes import run_process, threads_of
from bench.session import LAYOUTS, Session
from jitcnn.measuring.report import Table, number

ROUNDS, NETWORK, IMAGES, EPOCHS = 3, "double-conv", 10_000, 2
TITLE = "Memory"
HOW = (
    f"The most memory that a process held at once (VmHWM of Linux) that trained {NETWORK} on {IMAGES:,} digits for {EPOCHS} epochs, batch "
    "32; median of the rounds. A warm cache holds the compiled code of a run before; with an empty one the process compiles it. PyTorch "
    "reads and standardises only these digits, too."
)
PEAK = 'print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))'
OURS = """
from jitcnn.data import mnist
from jitcnn.presets import PRESETS
(x, y), _ = mnist.load(train_limit={images}, test_limit=1)
PRESETS["{network}"].build(seed=0).train(x, y, epochs={epochs}, batch_size=32, progress=False)
"""
TORCH = """
from bench.peers.pytorch import Training
Training("{network}", "{layout}", {images}, 32, 0).train({epochs})
"""


def run(session: Session) -> dict[str, Any]:
    """Measure: {program: {"median", "measurements"}}, in MiB.

    Raises
    ------
    ValueError
        Where the system does not tell.
    """
    if not Path("/proc/self/status").exists():
        raise ValueError("the suite memory reads /proc/self/status, which only Linux has")
    values: dict[str, list[float]] = {}
    for _ in range(session.rounds or ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            for name, measure in programs(session, cache).items():
                values.setdefault(name, []).append(measure())
        print(", ".join(f"{name} {series[-1]:.0f} MiB" for name, series in values.items()), flush=True)
    return {name: {"median": median(series), "measurements": series} for name, series in values.items()}


def programs(session: Session, cache: str) -> dict[str, Callable[[], float]]:
    """What gives the memory of each program; the first two share a cache, which the first finds empty."""
    settings = {"network": NETWORK, "images": IMAGES, "epochs": EPOCHS}
    ours = partial(mebibytes, sys.executable, OURS.format(**settings), session.threads, JITCNN_CACHE_DIR=cache)
    found: dict[str, Callable[[], float]] = {"jitcnn, empty cache": ours, "jitcnn, warm cache": ours}
    if session.torch:
        for layout in LAYOUTS:
            text = TORCH.format(layout=layout, **settings)
            found[f"PyTorch {layout}"] = partial(mebibytes, session.torch, text, session.threads)
    return found


def mebibytes(python: str, text: str, threads: int, **environment: str) -> float:
    """The peak of a script in a process of its own."""
    return int(run_process([python, "-c", text + PEAK], **threads_of(threads), **environment)[1]) / 1024


def page(results: dict[str, Any]) -> str:
    """One table."""
    rows = [[name, number(found["median"])] for name, found in results.items()]
    return Table("Peak memory", ["process", "MiB"], rows).markdown()
