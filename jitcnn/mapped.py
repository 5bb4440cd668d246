"""Files that are mapped into memory and larger than it: pages that were read are given back, so that a pass over all takes little of it.

A page that is given back stays in the system's cache as long as there is room, and is read from the file again where there is none. So
images may come in any order, and which order that is, and every bit of the result, stays as it is in memory.
"""

import mmap
from typing import Any

import numpy as np

LARGE = 2**27  # bytes of a file, from which on its pages are given back; smaller ones may stay
MOST = 2**27  # bytes that may be mapped between two times
AROUND = 2**16  # bytes that Linux maps at once around one that is read


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


def rows_between(array: np.ndarray) -> int:
    """How many rows may be read, in any order, until pages are given back."""
    return max(1, MOST // (array[:1].nbytes + 2 * AROUND))
