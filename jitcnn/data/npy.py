"""NumPy's `.npy` files: mapped into memory, without pickle and without trust."""

from __future__ import annotations

import os

import numpy as np

from jitcnn.data import files, npz

MAGIC = b"\x93NUMPY"


def header(path: str | os.PathLike) -> tuple[npz.Array, int]:
    """What the file says of its array, compared with its real size, and where the numbers begin."""
    with files.open_file(path) as stream:
        found = npz.array_header(stream, str(path))
        start = stream.tell()
    promised, real = start + files.byte_count(found.shape, found.dtype), files.size_of(path)
    if promised != real:
        raise ValueError(f"{path}: {promised:,} bytes promised by its header, but the file has {real:,}; it is damaged")
    return found, start


def read(path: str | os.PathLike, limit: int | None = None) -> np.ndarray:
    """An array, or its first `limit` entries.

    Returns
    -------
    numpy.ndarray
        C-contiguous, in the machine's byte order; read-only and mapped where the file has it so.

    Raises
    ------
    ValueError
        If it is no such file, holds Python objects, or if its size contradicts its header.
    """
    (shape, fortran_order, dtype), start = header(path)
    if not shape or 0 in shape:
        raise ValueError(f"{path}: empty or a single number, its shape is {shape}")
    mapped = np.asarray(np.memmap(path, dtype, "r", start, shape, "F" if fortran_order else "C"))[: files.entries(shape[0], limit)]
    if fortran_order or not dtype.isnative:
        files.check_memory(mapped.nbytes, str(path))
    return np.ascontiguousarray(mapped, dtype.newbyteorder("="))
