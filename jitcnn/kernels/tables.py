"""The tables that the runner replays: rows, the tasks for a number of images, segments."""

from typing import TYPE_CHECKING

import numpy as np

from jitcnn.kernels import runner
from jitcnn.kernels.planning import Segment
from jitcnn.kernels.rows import BLOCK, Row, parameter_shares

if TYPE_CHECKING:
    from jitcnn.kernels.program import Program


class Part:
    """The tables of consecutive segments: rows, tasks for a number of images, segments."""

    def __init__(self, program: "Program", segments: list[Segment]):
        self.program, self.segments = program, segments
        self.ranges: list[list[tuple[int, int]]] = []
        rows: list[Row] = []
        for segment in segments:
            self.ranges.append([])
            for chain in segment.chains:
                self.ranges[-1].append((len(rows), len(rows) + len(chain)))
                rows += chain
        kernels = [row.factory(**row.key) for row in rows]
        program.kept.append(kernels)
        records = [program.fill(row).__array_interface__["data"][0] for row in rows]
        self.rows = np.array([(kernel.address, record) for kernel, record in zip(kernels, records, strict=True)], np.int64).reshape(-1, 2)
        self.tables: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def tasks(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """The task and segment tables for a number of images."""
        tasks: list[tuple[int, ...]] = []
        bounds = []
        for segment, ranges in zip(self.segments, self.ranges, strict=True):
            start = len(tasks)
            for (first_row, last_row), chain in zip(ranges, segment.chains, strict=True):
                if segment.over == "images":
                    size = self.program.slot_images
                    shares = [(first, min(first + size, batch), BLOCK) for first in range(0, batch, size)]
                else:
                    shares = parameter_shares(chain)
                tasks += [(first_row, last_row, *share) for share in shares]
            if segment.over == "parameters":
                tasks[start:] = dealt(tasks[start:], self.program.threads or 1)
            bounds.append((start, len(tasks)))
        return np.array(tasks, np.int64).reshape(-1, 5), np.array(bounds, np.int64).reshape(-1, 2)

    def run(self, batch: int, steps: int, advance: int) -> None:
        """Replay."""
        if batch not in self.tables:
            self.tables[batch] = self.tasks(batch)
        program = self.program
        program.counters[runner.BATCH] = batch
        program.counters[runner.SLOTS] = -(-batch // program.slot_images)
        tasks, segments = self.tables[batch]
        threads = 1 if len(tasks) == len(segments) else program.threads  # one task a segment: nothing to share out
        runner.run(self.rows, tasks, segments, program.counters, steps, bool(advance), threads or 1)


def dealt(tasks: list[tuple[int, ...]], threads: int) -> list[tuple[int, ...]]:
    """Reorder tasks, since each thread takes one consecutive share of the list: neighbours of the old list go to different threads."""
    return [task for start in range(threads) for task in tasks[start::threads]]
