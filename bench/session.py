"""One run of the measurements: what was asked for, and the processes that it takes, each started when a suite first needs it."""

import os
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench.protocol import Worker

LAYOUTS = ("NCHW", "channels_last")


@dataclass
class Session:
    """What suites are given; a context that ends its processes.

    Attributes
    ----------
    torch, onnx, keras
        The Pythons that have PyTorch, onnxruntime (with onnx) and Keras; None where that peer is left out.
    threads
        Of each program.
    rounds, seconds
        How often programs take turns, and for how long a measurement lasts; None for what suits the suite.
    only
        Networks and layers whose names hold one of these words; all if empty.
    batch_sizes, seeds
        Of the suites networks and accuracy.
    folder
        Where results go.
    """

    folder: Path
    torch: str | None = None
    onnx: str | None = None
    keras: str | None = None
    threads: int = os.cpu_count() or 1
    rounds: int | None = None
    seconds: float | None = None
    only: tuple[str, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    seeds: int | None = None
    workers: dict[tuple, Worker] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stack.close()

    def worker(self, name: str, python: str, module: str, threads: int | None = None, **settings: Any) -> Worker:
        """The process of that name and number of threads."""
        threads = threads or self.threads
        if (name, threads) not in self.workers:
            self.workers[name, threads] = self.stack.enter_context(closing(Worker(name, python, module, threads, **settings)))
        return self.workers[name, threads]

    def ours(self, threads: int | None = None) -> Worker:
        """The process of jitcnn."""
        return self.worker("jitcnn", sys.executable, "bench.ours", threads)

    def pytorch(self, layout: str, threads: int | None = None) -> Worker:
        """PyTorch's process for one layout."""
        assert self.torch
        return self.worker(f"PyTorch {layout}", self.torch, "bench.peers.pytorch", threads, layout=layout)

    def pytorches(self) -> list[Worker]:
        """One process a layout; none without PyTorch."""
        return [self.pytorch(layout) for layout in LAYOUTS] if self.torch else []

    def versions(self) -> str:
        """What was measured, also in processes that are gone."""
        if not self.workers:
            self.ours()
            self.pytorches()
        return ", ".join(dict.fromkeys(worker.ask("version") for worker in self.workers.values()))
