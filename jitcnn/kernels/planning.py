"""From a list of rows to segments, and from buffers to places in memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn import guard
from jitcnn.kernels.buffers import ALIGNMENT, Storage, aligned_zeros
from jitcnn.kernels.rows import Call, Row, block_of, parameter_shares

if TYPE_CHECKING:
    from jitcnn.kernels.program import Program


@dataclass(eq=False)
class Segment:
    """What all threads finish before the next begins.

    A chain is a list of rows that a task runs in order; rows over images are a single chain.
    """

    over: str
    chains: list[list[Row]]

    @property
    def block(self) -> int:
        """Images that a task takes through rows over images at once."""
        return block_of(max((row.image_bytes() for chain in self.chains for row in chain), default=0))


def plan_segments(rows: list[Row]) -> list[Segment]:
    """Rows over images first, then rows over parameters.

    A row over images starts anew that needs what parameters' rows wrote, or writes what they read. A row over the batch is alone.
    """
    segments: list[Segment] = []
    images: list[Row] = []
    parameters: list[Row] = []

    def close() -> None:
        if images:
            segments.append(Segment("images", [images.copy()]))
        if parameters:
            segments.append(Segment("parameters", chains_of(parameters)))
        images.clear()
        parameters.clear()

    for row in rows:
        if row.over in ("images", "batch"):
            if any(row.touched() & earlier.written() or row.written() & earlier.touched() for earlier in parameters):
                close()
            if row.over == "batch":
                if images:
                    segments.append(Segment("images", [images.copy()]))
                    images.clear()
                segments.append(Segment("batch", [[row]]))
            else:
                images.append(row)
        else:
            parameters.append(row)
    close()
    return segments


def chains_of(rows: list[Row]) -> list[list[Row]]:
    """Rows over parameters that depend on each other follow one another in one chain, with the same items."""
    chains: list[list[Row]] = []
    for row in rows:
        before = [chain for chain in chains if any(row.touched() & r.written() for r in chain)]
        if len(before) > 1 or any(r.layout != row.layout for chain in before for r in chain):
            raise ValueError("rows over parameters that depend on each other need the same items")
        if before:
            before[0].append(row)
        else:
            chains.append([row])
    return chains


def place_buffers(program: "Program", segments: list[Segment], calls: list[Call]) -> list[Any]:
    """Give every storage its place: scratch of the workers where one segment over images alone uses it, else room for the batch.

    Returns the memory, to be kept alive.
    """
    users: dict[Storage, set[int]] = {}
    for number, segment in enumerate(segments):
        scratch_possible = segment.over == "images"
        for chain in segment.chains:
            for row in chain:
                for storage in (memory for memory in row.touched() if isinstance(memory, Storage)):
                    users.setdefault(storage, set()).add(number if scratch_possible else -1)
    for row in program.derived:
        for storage in (memory for memory in row.touched() if isinstance(memory, Storage)):
            users.setdefault(storage, set()).add(-1)
    for call in calls:
        for storage in (memory for memory in call.touched() if isinstance(memory, Storage)):
            users.setdefault(storage, set()).add(-1)
    memory = []
    for storage, where in users.items():
        if storage.kept or len(where) > 1 or -1 in where:
            zeros = guard.zeros if guard.MODE else aligned_zeros
            storage.array = zeros(storage.batch * storage.image_size, storage.dtype)
            storage.put(storage.array.ctypes.data, 0)
            memory.append(storage.array)
    for number, segment in enumerate(segments):
        scratch = [s for s, where in users.items() if where == {number} and s.place is None]
        if scratch and guard.MODE:
            memory += place_scratch_apart(program, segment.block, scratch)
        elif scratch:
            memory.append(place_scratch(program, segment, scratch))
    return memory


def place_scratch(program: "Program", segment: Segment, scratch: list[Storage]) -> np.ndarray:
    """Room for one block of images a worker, shared by buffers that are not in use at the same time."""
    rows, block = segment.chains[0], segment.block
    spans = {s: [i for i, row in enumerate(rows) if s in row.touched()] for s in scratch}
    arena = Arena()
    offsets: dict[Storage, int] = {}
    for i in range(len(rows)):
        for s in (s for s in scratch if spans[s][0] == i):
            size = -(-block * s.image_size * s.dtype.itemsize // ALIGNMENT) * ALIGNMENT
            offsets[s] = arena.take(size, fresh=s.zero_filled)
        for s in (s for s in scratch if spans[s][-1] == i and not s.zero_filled):
            size = -(-block * s.image_size * s.dtype.itemsize // ALIGNMENT) * ALIGNMENT
            arena.free(offsets[s], size)
    worker_bytes = arena.size + ALIGNMENT  # one line apart, so that workers' buffers do not fall on the same cache sets
    memory = aligned_zeros((program.threads or 1) * worker_bytes, np.uint8)
    for s, offset in offsets.items():
        s.put(memory.ctypes.data + offset, worker_bytes // s.dtype.itemsize)
    return memory


def place_scratch_apart(program: "Program", block: int, scratch: list[Storage]) -> list[np.ndarray]:
    """The same where every buffer of every worker lies alone, between pages that are out of bounds."""
    memories = []
    for s in scratch:
        memory, start, step = guard.room(block * s.image_size * s.dtype.itemsize, program.threads or 1)
        s.put(memory.ctypes.data + start, step // s.dtype.itemsize)
        memories.append(memory)
    return memories


class Arena:
    """Offsets in a run of bytes, taken and freed."""

    def __init__(self) -> None:
        self.size = 0
        self.gaps: list[tuple[int, int]] = []  # (offset, size), by offset

    def take(self, size: int, fresh: bool) -> int:
        """An offset with room for `size` bytes; `fresh`: where nothing was before, and nothing will come after."""
        if not fresh:
            fitting = [gap for gap in self.gaps if gap[1] >= size]
            if fitting:
                offset, room = min(fitting, key=lambda gap: gap[1])
                self.gaps.remove((offset, room))
                if room > size:
                    self.gaps.append((offset + size, room - size))
                return offset
        offset, self.size = self.size, self.size + size
        return offset

    def free(self, offset: int, size: int) -> None:
        """Give bytes back, joined with the gaps beside them."""
        joined: list[tuple[int, int]] = []
        for start, room in sorted([*self.gaps, (offset, size)]):
            if joined and sum(joined[-1]) == start:
                joined[-1] = (joined[-1][0], joined[-1][1] + room)
            else:
                joined.append((start, room))
        self.gaps = joined


def needed(rows: list[Row | Call], derived: list[Row]) -> tuple[list[Row | Call], list[Row]]:
    """Only the rows whose results leave the program (arrays from outside, calls) or reach one that does."""
    live: set[Any] = set()
    chosen = []
    for row in reversed(rows):
        written = row.written()
        if isinstance(row, Call) or written & live or any(isinstance(memory, int) for memory in written):
            chosen.append(row)
            live |= row.touched()
    return chosen[::-1], [row for row in derived if row.written() & live]


def place_derived(segments: list[Segment], derived: list[Row]) -> list[Segment]:
    """Rebuild derived weights after their update: small ones in the same task where one task owns the weights, else in a segment behind."""
    later = []
    for row in derived:
        chains = [c for s in segments if s.over == "parameters" for c in s.chains if any(r.written() & row.touched() for r in c)]
        if row.layout is None and len(chains) == 1 and len(parameter_shares(chains[0])) == 1:
            chains[0].append(row)
        else:
            later.append([row])
    return [*segments, Segment("parameters", later)] if later else segments
