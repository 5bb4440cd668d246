"""NumPy's `.npz` archives, read without pickle and without trust.

`numpy.load` takes the memory that a header asks for before it looks at what is there, and reads whole arrays. Here the sizes in the zip
directory, in the array's header and of the file itself have to agree first, and the first rows can be had alone.
"""

from __future__ import annotations

import os
import struct
import zipfile
from typing import IO, NamedTuple

import numpy as np

from jitcnn.data import files

ZIP_MAGIC = b"PK"
_MOST_DIMENSIONS = 8


class Array(NamedTuple):
    """What the header of one array says."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype


class Archive:
    """An open `.npz` file; use it in a `with` statement.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    ValueError
        If it is not a zip file, or a damaged one, or if two arrays have one name.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = path
        self.size = files.size_of(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
            raise ValueError(f"{path}: not an .npz file, or a damaged one ({error})") from error
        if len(set(self.names)) < len(self.names):
            self._zip.close()
            raise ValueError(f"{path}: holds two arrays of one name")

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The arrays' names, in the order of the file."""
        return [name.removesuffix(".npy") for name in self._zip.namelist() if name.endswith(".npy")]

    def header(self, name: str) -> Array:
        """Return shape, order and type of an array, checked against the sizes of the archive; its numbers are not read."""
        with self._open(name) as stream:
            return self._header(stream, name)

    def read(self, name: str, limit: int | None = None) -> np.ndarray:
        """Read an array, or its first `limit` rows.

        Parameters
        ----------
        name
            One of `names`.
        limit
            At most so many entries of the first dimension.

        Returns
        -------
        numpy.ndarray
            C-contiguous, in the machine's byte order.

        Raises
        ------
        ValueError
            If there is no such array, if it holds Python objects, if sizes contradict each other, or if the data is damaged.
        """
        what = self._what(name)
        with self._open(name) as stream:
            shape, fortran_order, dtype = self._header(stream, name)
            rows = files.entries(shape[0], limit) if shape else 1
            wanted = (rows, *shape[1:]) if shape and not fortran_order else shape
            if self._entry(name).compress_type != zipfile.ZIP_STORED:
                files.check_memory(files.byte_count(wanted, dtype), what)
            if fortran_order:
                array = files.read_array(stream, shape[::-1], dtype, what).T[:rows]
            else:
                array = files.read_array(stream, wanted, dtype, what)
            if wanted == shape:
                files.read_bytes(stream, 1, what)  # the checksum is compared when the end is reached
            return np.ascontiguousarray(array).reshape(array.shape)

    def _what(self, name: str) -> str:
        return f"{self.path}: {name!r}"

    def _entry(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._zip.getinfo(name + ".npy")
        except KeyError:
            shown = ", ".join(map(repr, self.names[:20])) or "no arrays at all"
            raise ValueError(f"{self.path}: has no array {name!r}; it has {shown}") from None

    def _open(self, name: str) -> IO[bytes]:
        entry = self._entry(name)
        what = self._what(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{what}: compressed by method {entry.compress_type}, expected numpy.savez or numpy.savez_compressed")
        if entry.compress_size > self.size:
            raise ValueError(f"{what}: {entry.compress_size:,} bytes promised, but the whole file has {self.size:,}; it is damaged")
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
            raise ValueError(f"{what}: stored in {entry.compress_size:,} bytes, but {entry.file_size:,} promised; the file is damaged")
        files.check_ratio(entry.file_size, entry.compress_size, what)
        try:
            return self._zip.open(entry)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, struct.error) as error:
            raise ValueError(f"{what}: cannot be opened ({error}); the file is damaged") from error

    def _header(self, stream: IO[bytes], name: str) -> Array:
        what = self._what(name)
        found = array_header(stream, what)
        promised, real = stream.tell() + files.byte_count(found.shape, found.dtype), self._entry(name).file_size
        if promised != real:
            raise ValueError(
                f"{what}: shape {found.shape} and type {found.dtype} make {promised:,} bytes, but {real:,} are there; it is damaged"
            )
        return found


def array_header(stream: IO[bytes], what: str) -> Array:
    """Read what stands before an array's numbers; whether so many follow is for the caller to compare.

    Raises
    ------
    ValueError
        If it is damaged, or the array is one of Python objects.
    """
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):  # newer ones serve only headers that no array of ours has
            raise ValueError(f"format {version[0]}.{version[1]}, expected 1.0")
        found = Array(*np.lib.format.read_array_header_1_0(stream))
    except Exception as error:
        # Whatever a crafted header provokes in NumPy's parser, it is a damaged file to whoever called us.
        raise ValueError(f"{what}: its header cannot be read ({' '.join(str(error).split())})") from error
    if found.dtype.hasobject or found.dtype.kind not in "biufU" or found.dtype.subdtype is not None:
        raise ValueError(f"{what}: of type {found.dtype}; only numbers and text are read, never Python objects")
    if len(found.shape) > _MOST_DIMENSIONS or any(size < 0 for size in found.shape):
        raise ValueError(f"{what}: its shape {found.shape} is not one of an array")
    return found
