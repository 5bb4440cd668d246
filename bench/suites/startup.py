"""Start-up: whole processes, from their start to their end."""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.processes import run_process, threads_of
from bench.session import Session
from jitcnn.measuring.clock import alternate
from jitcnn.measuring.report import Table, number

ROUNDS, FIRST_ROUNDS = 7, 3
TITLE = "Start-up"
HOW = (
    "Seconds of wall time of whole processes, from start to end, medians of rounds in which they took turns (torch.compile: once). A first "
    "step: import, build a network, read 32 digits, train on them once; the process ends there, without taking itself apart. A first run "
    "ever has an empty cache of compiled code; others find what it left. The second network is deep, which no run before it has trained."
)
OURS_FIRST_STEP = """
from jitcnn.data import mnist
from jitcnn.presets import PRESETS
(x, y), _ = mnist.load(train_limit=32, test_limit=1)
PRESETS["{name}"].build(seed=0).train(x, y, epochs=1, progress=False)
"""
END = "import os; os._exit(0)"
TORCH_FIRST_STEP = """
import torch
from bench.peers.pytorch import Training
training = Training("{name}", "NCHW", 32, 32, 0)
if {compiled}: training.network = torch.compile(training.network)
training.train(1)
"""
SLOW = "torch.compile"  # measured once
CACHES = ("JITCNN_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")


def run(session: Session) -> dict[str, Any]:
    """Measure: {"short" and "first_step": {what: {"median", "measurements"}}, "notes": what could not be measured}."""
    ours = partial(script, sys.executable, session.threads)
    command = Path(sys.executable).with_name("jitcnn")
    start = [str(command)] if command.exists() else [sys.executable, "-m", "jitcnn"]
    short: dict[str, Callable[[], float]] = {
        "python -c pass": partial(ours, "pass"),
        "import jitcnn": partial(ours, "import jitcnn"),
        "from jitcnn import CNN, Conv2d": partial(ours, "from jitcnn import CNN, Conv2d"),
        "jitcnn --help": lambda: run_process([*start, "--help"])[0],
        "jitcnn train --help": lambda: run_process([*start, "train", "--help"])[0],
    }
    if session.torch:
        short["import torch"] = partial(script, session.torch, session.threads, "import torch")
    if session.onnx:
        short["import onnxruntime"] = partial(script, session.onnx, session.threads, "import onnxruntime")
    results: dict[str, Any] = {"short": medians(alternate(short, session.rounds or ROUNDS)), "notes": []}
    results["first_step"] = first_steps(session, results["notes"])
    return results


def script(python: str, threads: int, text: str, cache: str | None = None) -> float:
    """Seconds of a script in a process of its own."""
    return run_process([python, "-c", text], **threads_of(threads), **(dict.fromkeys(CACHES, cache) if cache else {}))[0]


def first_steps(session: Session, notes: list[str]) -> dict[str, Any]:
    """First steps, each round with empty caches."""

    def ours(name: str, cache: str) -> float:
        return script(sys.executable, session.threads, OURS_FIRST_STEP.format(name=name) + END, cache)

    steps: dict[str, Callable[..., float]] = {
        "jitcnn, first run ever": partial(ours, "conv-pool"),
        "jitcnn, later run": partial(ours, "conv-pool"),
        "jitcnn, a second network": partial(ours, "deep"),
        "jitcnn, its later run": partial(ours, "deep"),
    }
    if session.torch:
        theirs = partial(script, session.torch, session.threads)
        steps["PyTorch"] = partial(theirs, TORCH_FIRST_STEP.format(name="conv-pool", compiled=False) + END)
        steps["torch.compile, first run ever"] = partial(theirs, TORCH_FIRST_STEP.format(name="conv-pool", compiled=True) + END)
        steps["torch.compile, later run"] = steps["torch.compile, first run ever"]
    values: dict[str, list[float]] = {name: [] for name in steps}
    for number_of_round in range(min(session.rounds or FIRST_ROUNDS, FIRST_ROUNDS)):
        with tempfile.TemporaryDirectory() as cache:
            for name in list(values):
                if number_of_round and name.startswith(SLOW):
                    continue
                try:
                    values[name].append(steps[name](cache=cache))
                except RuntimeError as error:
                    if not name.startswith(SLOW):  # which needs a C++ compiler
                        raise
                    del values[name]
                    notes.append(f"{name} could not run: {str(error).strip().splitlines()[-1]}")
        print(", ".join(f"{name} {median(series):.2f} s" for name, series in values.items()), flush=True)
    return medians(values)


def medians(values: dict[str, list[float]]) -> dict[str, Any]:
    """The median of each beside its measurements."""
    return {name: {"median": median(series), "measurements": series} for name, series in values.items()}


def page(results: dict[str, Any]) -> str:
    """Two tables."""
    titles = {"short": "Imports and help texts", "first_step": "To the end of a first training step of conv-pool, batch 32"}
    tables = []
    for part, title in titles.items():
        rows = [[name, number(found["median"])] for name, found in results[part].items()]
        tables.append(Table(title, ["process", "seconds"], rows, "\n".join(results["notes"]) if part == "first_step" else ""))
    return "\n\n".join(table.markdown() for table in tables)
