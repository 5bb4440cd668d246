"""What a program is made of: calls of kernels and of other functions, and how the items of a parameter are counted."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitcnn.kernels.buffers import Buffer, address_of
from jitcnn.kernels.records import Images

#: Images that a task takes through all rows at once, or fewer where a row reads and writes more than this of them: then their numbers
#: stay in the second-level cache.
BLOCK, BLOCK_BYTES = 4, 2**19
MOST_SLOTS = 16


def block_of(image_bytes: int) -> int:
    """Images that a task takes through all rows at once, of which a row reads and writes at most so many bytes."""
    return min(BLOCK, max(1, BLOCK_BYTES // max(1, image_bytes)))


@dataclass(frozen=True)
class Layout:
    """How the items of a row over parameters lie: an item is `unit` numbers in each of `lines` lines, `stride` numbers apart."""

    lines: int
    stride: int
    length: int
    unit: int

    @property
    def items(self) -> int:
        """How many there are; the last may be smaller."""
        return -(-self.length // self.unit)


@dataclass(eq=False)
class Row:
    """One call of a kernel.

    `factory(**key)` gives the compiled kernel; `fields` are its arguments by name: buffers, arrays from outside, integers, or functions
    that give an integer once every buffer has its place.  `writes` names those that it writes; `ends` are the values that `key["end"]`
    can take instead of "store", so that a relu or its gradient need no row of their own.  `late(row)` settles what of key and fields
    depends on the borders of buffers.
    """

    factory: Callable[..., Any]
    key: dict[str, Any]
    record: np.dtype
    fields: dict[str, Any]
    writes: tuple[str, ...]
    over: str  # "images" | "batch": images, in a segment of its own | "parameters" | "once"
    layout: Layout | None = None
    cost: float = 0.0  # cycles a number of the parameter, to share parameters out in tasks worth a thread's while
    ends: tuple[str, ...] = ()
    late: Callable[["Row"], None] | None = None
    items: int = 1  # over the batch: how many an image has
    slot: int = 0  # over the batch: images of a task, where that must not depend on the threads
    parts: int = 0  # over the batch: of its results, which are shared out instead of images
    scales: bool = False  # multiplies numbers one by one, in place
    beside: frozenset[int] = frozenset()  # addresses of arrays from outside, parts of its own, that it reads and writes too
    together: list["Row"] = field(default_factory=list)  # all rows that write parts of one result, this one too
    arguments: np.ndarray | None = None

    def touched(self, names: Any = None) -> set[Any]:
        """What it reads or writes: storages, and addresses of arrays from outside."""
        values = (self.fields[name] for name in (self.fields if names is None else names))
        return {memory_of(value) for value in values if isinstance(value, Buffer | np.ndarray)} | self.beside

    def written(self) -> set[Any]:
        """What it writes."""
        return self.touched(self.writes)

    def image_bytes(self) -> int:
        """What it reads and writes of one image."""
        named = (value for name, value in self.fields.items() if self.record[name] == Images)
        return sum(s.image_size * s.dtype.itemsize for s in {value.storage for value in named if isinstance(value, Buffer)})


@dataclass(eq=False)
class Call:
    """A call of somebody's own function on whole-batch arrays, between two segments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def touched(self) -> set[Any]:
        """Everything that it is given: it may read and write all of it."""
        return {memory_of(value) for value in self.arguments if isinstance(value, Buffer | np.ndarray)}

    written = touched


def memory_of(value: Buffer | np.ndarray) -> Any:
    """What identifies the memory behind a buffer or an array."""
    if isinstance(value, Buffer):
        if not value.storage.external or value.storage.array is None:
            return value.storage
        value = value.storage.array
    return address_of(value)


def parameter_shares(chain: list[Row]) -> list[tuple[int, int, int]]:
    """Share the items of a chain of rows over parameters out in tasks of some microseconds."""
    layout = next((row.layout for row in chain if row.layout), None)
    if layout is None or (len(chain) > 1 and any(row.over == "once" for row in chain)):
        items = layout.items if layout else 1
        return [(0, items, items)]
    cycles = layout.lines * layout.length * sum(row.cost for row in chain)
    tasks = int(max(1, min(MOST_SLOTS, layout.items, cycles / 4000)))
    edges = [layout.items * i // tasks for i in range(tasks + 1)]
    return [(a, b, b - a) for a, b in itertools.pairwise(edges)]


def image_shares(batch: int, slot: int, block: int, threads: int) -> list[tuple[int, int, int]]:
    """Share images out: one task a slot; without slots one a block, and single images at the end of each thread's part.

    The thread that is ready first waits for the other's last task.
    """
    if slot:
        return [(first, min(first + slot, batch), block) for first in range(0, batch, slot)]
    edges = []
    for thread in range(threads):
        first, last = batch * thread // threads, batch * (thread + 1) // threads
        whole = max(0, (last - first) // block - 1) * block
        edges += [*range(first, first + whole, block), *range(first + whole, last)]
    return [(a, b, block) for a, b in itertools.pairwise([*edges, batch])]


def batch_shares(row: Row, batch: int, threads: int) -> list[tuple[int, int, int]]:
    """Share the items of a row over the batch out, or its parts, one task a thread, or one a slot."""
    items = row.parts or batch * row.items
    size = row.slot * row.items or -(-items // threads)
    return [(first, min(first + size, items), size) for first in range(0, items, size)]
