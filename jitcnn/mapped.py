"""Files that are mapped into memory and larger than it: pages that were read are given back, so that a pass over all takes little of it.

A page that is given back stays in the system's cache as long as there is room, and is read from the file again where there is none. So
images may come in any order, and which order that is, and every bit of the result, stays as it is in memory.
"""

import mmap
from typing import Any

import numpy as np

LARGE = 2**27  # bytes of a file, from which on its pages are given back; smaller ones may stay
MOST = 2**26  # bytes that may be mapped between two times
A_ROW = 2**21  # bytes that reading a row may map at first: where the system keeps a file in pages as large as that, it maps one at once


def large_file(array: np.ndarray) -> mmap.mmap | None:
    """The file whose bytes an array shows; None if it is none, is small, or could have been written to."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if not isinstance(base, mmap.mmap) or len(base) < LARGE or not hasattr(mmap, "MADV_DONTNEED"):
        return None
    with memoryview(base) as view:
        return base if view.readonly else None  # a private copy of a page that was written to would be lost


def give_back(array: np.ndarray) -> None:
    """Let the system have the pages of a large file; they are read again when they are next needed."""
    file = large_file(array)
    if file is not None:
        file.madvise(mmap.MADV_DONTNEED)


class Reading:
    """Reading rows of a large file in any order: how many until pages are given back, by what those before them mapped."""

    def __init__(self, array: np.ndarray):
        self.array, self.large = array, large_file(array) is not None
        self.a_row = float(array[:1].nbytes + A_ROW)
        self.before = mapped_bytes() if self.large else 0

    def rows(self) -> int | None:
        """How many rows may be read now; None if it does not matter."""
        return max(1, int(MOST / self.a_row)) if self.large else None

    def done(self, rows: int) -> None:
        """So many were read: give their pages back."""
        if self.large:
            self.a_row = max((mapped_bytes() - self.before) / rows, self.a_row / 2, self.array[:1].nbytes)
            give_back(self.array)
            self.before = mapped_bytes()


def mapped_bytes() -> int:
    """Bytes of files that are mapped into this process and present; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as numbers:
            return int(numbers.read().split()[2]) * mmap.PAGESIZE
    except OSError:
        return 0
