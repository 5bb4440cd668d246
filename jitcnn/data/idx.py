"""IDX files, the format of MNIST and its relatives (http://yann.lecun.com/exdb/mnist/, "The IDX file format").

    byte 0, 1     zero
    byte 2        type of the numbers, see `DTYPES`
    byte 3        number of dimensions
    then          one big-endian 32-bit size a dimension
    then          the numbers in C order, big-endian

Plain files are mapped into memory and not copied; of a gzip file only the part that was asked for is decompressed.
"""

from __future__ import annotations

import os
from typing import IO, NamedTuple

import numpy as np

from jitcnn.data import files

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 4


class Header(NamedTuple):
    """What an IDX file says of itself."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def offset(self) -> int:
        """Bytes before the first number."""
        return 4 + 4 * len(self.shape)

    @property
    def size(self) -> int:
        """Bytes of the whole file, decompressed."""
        return self.offset + files.byte_count(self.shape, self.dtype)


def header(path: str | os.PathLike) -> Header:
    """Read the header of an IDX file and compare it with the file's real size.

    Raises
    ------
    ValueError
        If this is not an IDX file, or if its size contradicts its header.
    """
    compressed = files.is_gzip(path)
    with files.open_gzip(path) if compressed else files.open_file(path) as stream:
        return _checked_header(stream, path, compressed)


def read(path: str | os.PathLike, limit: int | None = None) -> np.ndarray:
    """Read an IDX file, or the first `limit` entries of its first dimension.

    Parameters
    ----------
    path
        A plain or gzip-compressed file; which of them is told by its contents.
    limit
        At most so many images (or labels); nothing behind them is decoded.

    Returns
    -------
    numpy.ndarray
        In the machine's byte order. Bytes of a plain file are a read-only view into the mapped file.

    Raises
    ------
    ValueError
        If this is not an IDX file, if its size contradicts its header, or if its compression is damaged.
    """
    compressed = files.is_gzip(path)
    with files.open_gzip(path) if compressed else files.open_file(path) as stream:
        dtype, shape = found = _checked_header(stream, path, compressed)
        wanted = (files.entries(shape[0], limit), *shape[1:])
        if not compressed:
            mapped = np.memmap(path, dtype, "r", found.offset, wanted)
            return np.asarray(mapped).astype(dtype.newbyteorder("="), copy=False)
        files.check_memory(files.byte_count(wanted, dtype), str(path))
        array = files.read_array(stream, wanted, dtype, str(path))
        if wanted == shape and files.read_bytes(stream, 1, str(path)):
            raise ValueError(f"{path}: goes on after the {found.size:,} bytes that its header promises; the file is damaged")
        return array


def _checked_header(stream: IO[bytes], path: str | os.PathLike, compressed: bool) -> Header:
    start = files.read_bytes(stream, 4, str(path))
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in DTYPES:
        raise ValueError(
            f"{path}: not an IDX file (it starts with {start.hex(' ') or 'nothing'}, expected 00 00, a type and the dimensions)"
        )
    dimensions = start[3]
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise ValueError(f"{path}: {dimensions} dimensions, expected 1 to {_MOST_DIMENSIONS}")
    sizes = files.read_bytes(stream, 4 * dimensions, str(path))
    if len(sizes) < 4 * dimensions:
        raise ValueError(f"{path}: ends within its header; the file is truncated")
    found = Header(np.dtype(DTYPES[start[2]]), tuple(int(size) for size in np.frombuffer(sizes, ">u4")))
    if 0 in found.shape:
        raise ValueError(f"{path}: empty, its shape is {found.shape}")
    real = files.size_of(path)
    if compressed:
        files.check_ratio(found.size, real, str(path))
    elif found.size != real:
        trouble = "truncated" if found.size > real else "damaged"
        raise ValueError(f"{path}: {found.size:,} bytes promised by its header, but the file has {real:,}; it is {trouble}")
    return found
