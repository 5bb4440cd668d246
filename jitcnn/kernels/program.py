"""A program: kernel calls written down once, then replayed by one compiled function.

It is a list of rows (a kernel's address, its arguments' address).  Rows over images go into segments whose tasks each take a share of
the images through all rows, a few at a time; rows over parameters follow, each task owning a share of some parameter.  Where a
caller's own function is called in between, the program ends and another begins.

A program holds raw addresses, so it owns what it names for as long as it lives, and it cannot be copied or saved.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitcnn.kernels import runner
from jitcnn.kernels.ahead import compile_all
from jitcnn.kernels.buffers import APART, Border, Buffer, Storage, address_of, point
from jitcnn.kernels.planning import Segment, needed, place_buffers, place_derived, plan_segments
from jitcnn.kernels.records import Images
from jitcnn.kernels.rows import BLOCK, MOST_SLOTS, Call, Layout, Row, block_of, memory_of
from jitcnn.kernels.tables import Part
from jitcnn.kernels.threads import num_threads


@dataclass(eq=False)
class Program:
    """Rows being recorded, and after `finish` the tables that the runner replays."""

    batch: int
    threads: int | None = None
    assume_finite: bool = False  # products with 0 may be added, which infinity and NaN would turn into NaN
    rows: list[Row | Call] = field(default_factory=list)
    derived: list[Row] = field(default_factory=list)
    only_if_finite: list[Buffer | np.ndarray] = field(default_factory=list)  # without which the results do not hold
    copies: dict[tuple[Storage, tuple[int, ...], Border], Buffer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chooses_threads = self.threads is None  # told how many, a program uses them; else one thread where that is faster
        self.threads = self.threads or num_threads()
        self.slot_images = max(BLOCK, -(-self.batch // MOST_SLOTS))
        self.slots = -(-self.batch // self.slot_images)
        self.counters = np.zeros(4, np.int64)
        self.parts: list[Part | Call] = []
        self.preparation: Part | None = None
        self.renewed_step: Part | None = None  # preparation and one step
        self.stale = False
        #: the arguments that hold its address, each an array of one number, by id of the array from outside, which `kept` keeps alive
        self.uses: dict[int, list[np.ndarray]] = {}
        self.released: list[tuple[int, list[np.ndarray]]] = []  # the same of arrays that are not kept, with their bytes
        self.kept: list[Any] = []

    # Recording -------------------------------------------------------------------------------------------------------

    def buffer(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        """A new buffer of this shape, the batch axis in front."""
        return Buffer(Storage(shape[0], tuple(shape[1:]), np.dtype(dtype)), tuple(shape))

    def whole(self, shape: tuple[int, ...], dtype: Any) -> Buffer:
        """A new buffer that is no scratch: slots of gradients, derived weights."""
        buffer = self.buffer(shape, dtype)
        buffer.storage.kept = True
        return buffer

    def scratch(self, size: int, dtype: Any) -> Buffer:
        """Room for `size` numbers of each worker's own, far enough apart that no core fetches ahead what another writes."""
        return self.whole((self.threads or 1, size + APART // np.dtype(dtype).itemsize), dtype)

    def external(self, array: np.ndarray) -> Buffer:
        """An array of the caller's as a buffer."""
        storage = Storage(array.shape[0], array.shape[1:], array.dtype, array, external=True, contiguous=True, kept=True)
        storage.put(address_of(array), 0)
        return Buffer(storage, array.shape)

    def row(
        self,
        factory: Callable[..., Any],
        key: dict[str, Any],
        record: np.dtype,
        writes: tuple[str, ...],
        over: str = "images",
        layout: Layout | None = None,
        cost: float = 0.0,
        ends: tuple[str, ...] = (),
        late: Callable[[Row], None] | None = None,
        scales: bool = False,
        items: int = 1,
        slot: int = 0,
        parts: int = 0,
        beside: frozenset[int] = frozenset(),
        **fields: Any,
    ) -> Row:
        """Write a kernel call down."""
        missing = set(record.names or ()) ^ set(fields)
        if missing:
            raise ValueError(f"a kernel's arguments do not fit its record: {', '.join(sorted(missing))}")
        row = Row(factory, dict(key), record, fields, writes, over, layout, cost, ends, late, items, slot, parts, scales, beside)
        row.together = [row]
        (self.derived if over == "once" else self.rows).append(row)
        self.after_writing([fields[name] for name in writes])
        return row

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Write down a call of somebody's own function: it gets whole-batch arrays."""
        values = tuple(self.contiguous(value) if isinstance(value, Buffer) else value for value in arguments)
        self.rows.append(Call(function, values))
        self.after_writing(values)

    def after_writing(self, values: Iterable[Any]) -> None:
        """Forget copies of what was written; where a copy was written in a buffer's place, write down a copy back."""
        buffers = [value for value in values if isinstance(value, Buffer)]
        written = {buffer.storage for buffer in buffers}
        self.copies = {key: copy for key, copy in self.copies.items() if key[0] not in written}
        for buffer in buffers:
            if buffer.storage.in_place_of is not None:
                self.copy(buffer, buffer.storage.in_place_of)

    def last_writer(self, buffer: Buffer, through_scaling: bool = False, mask: Buffer | None = None) -> Row | None:
        """The row that wrote a buffer last, if nothing has read or written it since, nor written its `mask`.

        through_scaling: rows that multiply the buffer's numbers one by one, in place, do not count: a mask may come before them.
        """
        memory = memory_of(buffer)
        for row in reversed(self.rows):
            if mask is not None and memory_of(mask) in row.written():
                return None
            if memory in row.touched() and not (through_scaling and isinstance(row, Row) and row.scales):
                return row if isinstance(row, Row) and memory in row.written() else None
        return None

    def block_of(self, x: Buffer, y: Buffer) -> int:
        """Images that tasks will probably take through the rows over images at once, the next row being from x to y.

        Gradients, which come later, go through relu's mask, a third buffer.
        """
        sizes = [row.image_bytes() for row in self.rows if isinstance(row, Row) and row.over == "images"]
        return block_of(max([*sizes, sum(b.storage.image_size * b.dtype.itemsize for b in (x, y))]) * 3 // 2)

    def border(self, buffer: Buffer, border: Border) -> Buffer:
        """The buffer with at least this border of zeros: itself where it can have one, else a copy."""
        if border == Border():
            return buffer
        storage = buffer.storage
        if not storage.contiguous and len(storage.image_shape) == 3:
            storage.border, storage.zero_filled = storage.border.around(border), True
            return buffer
        key = storage, buffer.shape, border
        if key not in self.copies:
            copy = self.buffer(buffer.shape, buffer.dtype)
            copy.storage.border, copy.storage.zero_filled = border, True
            self.copies[key] = self.copy(buffer, copy)
        return self.copies[key]

    def contiguous(self, buffer: Buffer) -> Buffer:
        """The buffer with each image in one run: itself where it can promise that, else a copy."""
        if buffer.storage.border != Border():
            copy = self.buffer(buffer.shape, buffer.dtype)
            copy.storage.image_shape = buffer.storage.image_shape
            copy.storage.contiguous = True
            self.copy(buffer, copy)
            copy.storage.in_place_of = buffer
            return copy
        buffer.storage.contiguous = True
        return buffer

    def copy(self, source: Buffer, target: Buffer) -> Buffer:
        """Write down a copy of one buffer into another; returns the other."""
        from jitcnn.kernels.elementwise import copy  # which writes rows itself

        copy(self, source, target)
        return target

    # Finishing -------------------------------------------------------------------------------------------------------

    def finish(self) -> "Program":
        """Drop rows that nobody needs, give every buffer its place, compile what is missing, and fill the tables."""
        rows, self.derived = needed(self.rows, self.derived)
        spans: list[list[Row] | Call] = [[]]
        for row in rows:
            if isinstance(row, Call):
                spans += [row, []]
            else:
                spans[-1].append(row)  # type: ignore[union-attr]
        planned: list[list[Segment] | Call] = []
        updated: set[Any] = set()
        for span in spans:
            if isinstance(span, Call):
                updated |= {m for m in span.written() if isinstance(m, int)}
                planned.append(span)
            elif span:
                updated |= {m for row in span if row.over == "parameters" for m in row.written()}
                planned.append(plan_segments(span))
        again = [row for row in self.derived if row.touched() & updated]
        if again:
            last = planned[-1]
            if isinstance(last, Call):
                planned.append([])
            planned[-1] = place_derived(planned[-1], again)  # type: ignore[arg-type]
        for row in [*self.derived, *(row for row in rows if isinstance(row, Row))]:
            if row.late is not None:
                row.late(row)
        segments = [segment for part in planned if not isinstance(part, Call) for segment in part]
        self.kept += place_buffers(self, segments, [part for part in planned if isinstance(part, Call)])
        every = [*self.derived, *(row for segment in segments for chain in segment.chains for row in chain)]
        self.kept.append(compile_all([(row.factory, row.key) for row in every] + runner.variants(self.threads or 1))[: len(every)])
        renewing = [Segment("parameters", [[row] for row in self.derived])] if self.derived else []
        self.preparation = Part(self, renewing) if renewing else None
        self.parts = [part if isinstance(part, Call) else Part(self, part) for part in planned]
        if renewing and len(planned) == 1 and not isinstance(planned[0], Call):
            self.renewed_step = Part(self, [*renewing, *planned[0]])
        return self

    def fill(self, row: Row) -> np.ndarray:
        """The record of a row's arguments."""
        if row.arguments is None:
            row.arguments = np.zeros(1, row.record)
            for name, value in row.fields.items():
                self.set(row.arguments, name, value)
        return row.arguments

    def set(self, arguments: np.ndarray, name: str, value: Any) -> None:
        """Set one argument."""
        is_images = arguments.dtype[name] == Images
        if isinstance(value, Buffer):
            place = value.storage.place
            assert place is not None, f"argument {name} has no place"
            arguments[name] = (value.address, place.image, place.worker, value.row) if is_images else value.address
            value = value.storage.array if value.storage.external else value
        elif isinstance(value, np.ndarray):
            arguments[name] = address_of(value)
        else:
            arguments[name] = (0, 0, 0, 0) if is_images else int(value() if callable(value) else value or 0)
        if isinstance(value, np.ndarray):
            self.kept.append(value)
            self.uses.setdefault(id(value), []).append(arguments[name]["data"] if is_images else arguments[name])

    # Running ---------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Rebuild what is derived from weights before the next step."""
        self.stale = self.preparation is not None

    def run(self, steps: int = 1, batch: int | None = None, advance: int = 0) -> None:
        """Perform steps of `batch` images; counters[POSITION] and [STEP] go on from where they are."""
        batch = self.batch if batch is None else batch
        if not 0 < batch <= self.batch:
            raise ValueError(f"a program recorded for up to {self.batch} images was run on {batch}")
        if self.stale:
            self.stale = False
            if self.renewed_step is not None and steps == 1:  # one call instead of two: a prediction of one image notices
                self.renewed_step.run(batch, 1, advance)
                return
            assert self.preparation is not None
            start = self.counters[runner.POSITION]
            self.preparation.run(self.batch, 1, 0)
            self.counters[runner.POSITION] = start
        if len(self.parts) == 1 and isinstance(self.parts[0], Part):
            self.parts[0].run(batch, steps, advance)
            return
        for _ in range(steps):
            self.counters[runner.STEP] += advance
            start = self.counters[runner.POSITION]
            for part in self.parts:
                if isinstance(part, Part):
                    self.counters[runner.POSITION] = start
                    part.run(batch, 1, 0)
                else:
                    part.function(*(a.array()[:batch] if isinstance(a, Buffer) else a for a in part.arguments))
            self.counters[runner.POSITION] = start + batch

    def bind(self, old: np.ndarray, new: np.ndarray) -> None:
        """Let every row and call that names the array `old` name `new` instead, an array of the same dtype and trailing shape."""
        uses = self.uses.pop(id(old), [])
        for use in uses:
            point(use, address_of(new))
        for part in self.parts:
            if isinstance(part, Call):
                part.arguments = tuple(new if value is old else value for value in part.arguments)
        self.uses.setdefault(id(new), []).extend(uses)
        self.kept = [kept for kept in self.kept if kept is not old] + [new]

    def named(self) -> list[tuple[int, int, list[np.ndarray]]]:
        """Of each array from outside its address, how many bytes it has, and the arguments that hold the address."""
        arrays = {id(array): array for array in self.kept if isinstance(array, np.ndarray)}
        kept = [(arrays[key].ctypes.data, arrays[key].nbytes, uses) for key, uses in self.uses.items() if uses]
        return kept + [(int(uses[0][0]), size, uses) for size, uses in self.released]

    def release(self, arrays: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Keep these arrays from outside no longer: whoever runs the program points the arguments named here to others before."""
        uses = [self.uses.pop(id(array), []) for array in arrays]
        self.released = [(array.nbytes, users) for array, users in zip(arrays, uses, strict=True) if users]
        self.kept = [kept for kept in self.kept if not any(kept is array for array in arrays)]
        for row in [*self.derived, *(row for row in self.rows if isinstance(row, Row))]:
            row.fields = {}
        self.copies = {}
        return uses

    def __reduce__(self):
        raise TypeError("a recorded program holds memory addresses and cannot be copied, pickled or saved; record it again")
