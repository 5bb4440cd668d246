"""Memory between pages that nobody may touch, for tests: a kernel that reads or writes one number too far ends the process.

`JITCNN_GUARD=1` puts whatever a program names at the very end of its pages, `JITCNN_GUARD=start` at the start. A program's own buffers lie
there from the beginning, without sharing room; arrays from outside are copied there while it runs, and what it wrote is copied back.
"""

import ctypes
import mmap
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

MODE = os.environ.get("JITCNN_GUARD", "")
if MODE not in ("", "1", "start"):
    raise ValueError(f"JITCNN_GUARD is {MODE!r}, expected '1' or 'start', or nothing")

Uses = list[np.ndarray]  # arguments that hold an address, each an array of one number


def room(size: int, copies: int = 1) -> tuple[np.ndarray, int, int]:
    """Memory for `copies` times `size` bytes, each against a page that is out of bounds, with such pages on the other side too.

    Returns
    -------
    memory : uint8 array
        All of it, zeros, to be kept alive.
    start, step : int
        Where in it the first copy begins, and bytes from one to the next.
    """
    pages = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    step = mmap.PAGESIZE + pages
    memory = np.frombuffer(mmap.mmap(-1, copies * step + mmap.PAGESIZE), np.uint8)
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    for number in range(copies + 1):
        if protect(ctypes.c_void_p(memory.ctypes.data + number * step), ctypes.c_size_t(mmap.PAGESIZE), 0):
            raise OSError(ctypes.get_errno(), "a page cannot be protected")
    return memory, mmap.PAGESIZE + (0 if MODE == "start" else pages - size), step


def zeros(size: int, dtype: Any) -> np.ndarray:
    """A flat array of zeros in such memory."""
    dtype = np.dtype(dtype)
    memory, start, _ = room(size * dtype.itemsize)
    return memory[start : start + size * dtype.itemsize].view(dtype)


@contextmanager
def lent(arrays: Iterable[tuple[int, int, Uses]], counters: np.ndarray) -> Iterator[None]:
    """Let arguments name guarded copies of arrays meanwhile, then copy back what was written.

    Parameters
    ----------
    arrays
        Of each its address, its bytes, and the arguments that hold the address. Those that overlap are copied as one.
    counters
        An array that somebody else writes meanwhile: what lies in it is not copied.
    """
    runs = [run for run in joined(arrays) if not (counters.ctypes.data <= run.first < counters.ctypes.data + counters.nbytes)]
    copies = [zeros(run.last - run.first, np.uint8) for run in runs]
    for run, copy in zip(runs, copies, strict=True):
        copy[...] = run.bytes()
        run.move(copy.ctypes.data - run.first)
    try:
        yield
    finally:
        for run, copy in zip(runs, copies, strict=True):
            run.move(run.first - copy.ctypes.data)
    for run, copy in zip(runs, copies, strict=True):
        if not np.array_equal(run.bytes(), copy):
            run.bytes()[...] = copy


@dataclass
class Run:
    """Bytes one after the other in memory, and the arguments that hold addresses in it."""

    first: int
    last: int
    uses: Uses

    def bytes(self) -> np.ndarray:
        """The memory itself."""
        return np.ctypeslib.as_array((ctypes.c_uint8 * (self.last - self.first)).from_address(self.first))

    def move(self, distance: int) -> None:
        """Let the arguments hold addresses that far away."""
        for use in self.uses:
            use += distance


def joined(arrays: Iterable[tuple[int, int, Uses]]) -> list[Run]:
    """Where these arrays lie; those that overlap as one."""
    runs: list[Run] = []
    for first, size, uses in sorted(arrays, key=lambda each: each[:2]):
        if runs and first < runs[-1].last:
            runs[-1] = Run(runs[-1].first, max(first + size, runs[-1].last), runs[-1].uses + uses)
        else:
            runs.append(Run(first, first + size, uses))
    return runs
