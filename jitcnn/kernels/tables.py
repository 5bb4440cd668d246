"""The tables that the runner replays: rows, the tasks for a number of images, segments."""

import itertools
from typing import TYPE_CHECKING

import numpy as np

from jitcnn import guard
from jitcnn.kernels import runner
from jitcnn.kernels.buffers import address_of
from jitcnn.kernels.pace import ALL, Pace
from jitcnn.kernels.planning import Segment
from jitcnn.kernels.rows import Row, batch_shares, image_shares, parameter_shares

if TYPE_CHECKING:
    from jitcnn.kernels.program import Program


class Part:
    """The tables of consecutive segments: rows, tasks for a number of images, segments."""

    def __init__(self, program: "Program", segments: list[Segment]):
        self.program, self.segments = program, segments
        self.ranges: list[list[tuple[int, int]]] = []
        self.sizes: list[tuple[int, int]] = []  # of a segment over images: images of a task if that has slots, else 0, and of a block
        rows: list[Row] = []
        for segment in segments:
            has_slots = any("slot_images" in row.fields for chain in segment.chains for row in chain)
            self.sizes.append((program.slot_images if has_slots else 0, segment.block))
            self.ranges.append([])
            for chain in segment.chains:
                self.ranges[-1].append((len(rows), len(rows) + len(chain)))
                rows += chain
        kernels = [row.factory(**row.key) for row in rows]
        records = [address_of(program.fill(row)) for row in rows]
        self.rows = np.array([(kernel.address, record) for kernel, record in zip(kernels, records, strict=True)], np.int64).reshape(-1, 2)
        self.replays: dict[int, tuple[runner.Replay, bool, Pace]] = {}

    def tasks(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """The task and segment tables for a number of images."""
        tasks: list[tuple[int, ...]] = []
        bounds = []
        for segment, ranges, (size, block) in zip(self.segments, self.ranges, self.sizes, strict=True):
            start = len(tasks)
            chains: list[list[tuple[int, ...]]] = []
            for (first_row, last_row), chain in zip(ranges, segment.chains, strict=True):
                if segment.over == "images":
                    shares = image_shares(batch, size, block, self.program.threads or 1)
                elif segment.over == "batch":
                    shares = batch_shares(chain[0], batch, self.program.threads or 1)
                else:
                    shares = parameter_shares(chain)
                chains.append([(first_row, last_row, *share) for share in shares])
            tasks += chains[0] if segment.over in ("images", "batch") else dealt(chains, self.program.threads or 1)
            bounds.append((start, len(tasks)))
        return np.array(tasks, np.int64).reshape(-1, 5), np.array(bounds, np.int64).reshape(-1, 2)

    def run(self, batch: int, steps: int, advance: int) -> None:
        """Replay."""
        if guard.MODE:
            with guard.lent(self.program.named(), self.program.counters):
                self.replay(batch, steps, advance)
        else:
            self.replay(batch, steps, advance)

    def replay(self, batch: int, steps: int, advance: int) -> None:
        """The same on the arrays as they lie."""
        program = self.program
        threads = program.threads or 1
        if batch not in self.replays:
            tasks, segments = self.tasks(batch)
            replay = runner.Replay(self.rows, tasks, segments, program.counters, threads)
            self.replays[batch] = replay, threads > 1 and len(tasks) > len(segments), Pace()  # one task a segment: nothing to share out
        program.counters[runner.BATCH] = batch
        program.counters[runner.SLOTS] = -(-batch // program.slot_images)
        replay, has_shares, pace = self.replays[batch]
        if not has_shares or not program.chooses_threads:
            replay.run(steps, bool(advance), threads if has_shares else 1)
        else:
            pace.run(lambda way, count: replay.run(count, bool(advance), threads if way == ALL else 1), steps)


NOTHING = (0, 0, 0, 0, 1)  # a task without rows


def dealt(chains: list[list[tuple[int, ...]]], threads: int) -> list[tuple[int, ...]]:
    """The tasks of all chains, in an order of which each thread takes one consecutive part, all of one length.

    A thread gets neighbouring shares of a parameter, and the same ones in every step: what lies beside a share would otherwise be pulled
    over from the core that writes it.
    """
    parts: list[list[tuple[int, ...]]] = [[] for _ in range(threads)]
    for tasks in sorted(chains, key=len, reverse=True):
        by_length = sorted(parts, key=len)
        edges = [len(tasks) * i // threads for i in range(threads + 1)]
        for part, (first, last) in zip(by_length, sorted(itertools.pairwise(edges), key=lambda e: e[0] - e[1]), strict=True):
            part += tasks[first:last]
    longest = max(map(len, parts))
    return [task for part in parts for task in part + [NOTHING] * (longest - len(part))]
