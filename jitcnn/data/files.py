"""Reading files that need not be what they claim: every size is compared with what is really there before memory is taken."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import stat
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import numpy as np

GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot compress further than this, so a header that promises more than 1032 times the bytes of its file is wrong
# (https://zlib.net/zlib_tech.html, "Maximum Compression Factor").
DEFLATE_RATIO = 1032
# What one array from a compressed file may take. Larger data belongs in plain files, which are mapped into memory and not copied.
DECOMPRESSED_LIMIT = 768 * 2**20
_CHUNK = 2**20
_SAMPLES = 64


def size_of(path: str | os.PathLike) -> int:
    """Bytes in the regular file `path`.

    Raises
    ------
    ValueError
        If there is no such file, or if it is a folder, a pipe or a device.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise ValueError(f"{path}: {_reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path}: not a regular file")
    return status.st_size


def open_file(path: str | os.PathLike) -> IO[bytes]:
    """Open the regular file `path` for reading bytes; a ValueError says why it cannot be opened."""
    size_of(path)
    try:
        return open(path, "rb")
    except OSError as error:
        raise ValueError(f"{path}: {_reason(error)}") from error


def is_gzip(path: str | os.PathLike) -> bool:
    """Tell by its first two bytes whether the file is compressed with gzip."""
    with open_file(path) as stream:
        return stream.read(2) == GZIP_MAGIC


def open_gzip(path: str | os.PathLike) -> IO[bytes]:
    """Open the gzip file `path` for reading what is inside it; nothing is decompressed before it is read."""
    size_of(path)
    return cast(IO[bytes], gzip.open(path, "rb"))


def byte_count(shape: Sequence[int], dtype: np.dtype) -> int:
    """Bytes of an array of this shape, in Python's integers: a product of hostile sizes does not overflow."""
    count = dtype.itemsize
    for size in shape:
        count *= size
    return count


def check_ratio(promised: int, compressed: int, what: str) -> None:
    """Refuse a header that promises more bytes than deflate can have packed into `compressed` bytes."""
    if promised > compressed * DEFLATE_RATIO + _CHUNK:
        raise ValueError(f"{what}: {promised:,} bytes promised, more than {compressed:,} compressed bytes can hold; the file is damaged")


def check_memory(needed: int, what: str) -> None:
    """Refuse to decompress an array that would take more than `DECOMPRESSED_LIMIT` bytes of memory."""
    if needed > DECOMPRESSED_LIMIT:
        raise ValueError(
            f"{what}: {needed:,} bytes, more than the {DECOMPRESSED_LIMIT:,} that one compressed array may take in memory; "
            "ask for fewer images, or decompress it to plain IDX files, which are read without being copied"
        )


def entries(count: int, limit: int | None) -> int:
    """How many of `count` entries to read: all, or at most `limit`, which has to be positive."""
    if limit is None:
        return count
    if limit < 1:
        raise ValueError(f"a limit of {limit} images: at least 1 is needed (None for all)")
    return min(limit, count)


class Budget:
    """Lets threads take parts of something at once, as long as all of them together stay within it."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0
        self.given_back = threading.Condition()

    @contextlib.contextmanager
    def share(self, amount: int) -> Iterator[None]:
        """Wait for a part, and have it meanwhile; one that is larger than all is had alone."""
        with self.given_back:
            self.given_back.wait_for(lambda: self.taken == 0 or self.taken + amount <= self.most)
            self.taken += amount
        try:
            yield
        finally:
            with self.given_back:
                self.taken -= amount
                self.given_back.notify_all()


def read_array(stream: IO[bytes], shape: Sequence[int], dtype: np.dtype, what: str) -> np.ndarray:
    """Read an array in C order; memory is filled, and so really taken, only as bytes arrive.

    Parameters
    ----------
    stream
        Where the bytes come from; the caller has compared the size with the file's.
    shape, dtype
        Of the array; the byte order of `dtype` is that of the file.
    what
        How an error names the file.

    Returns
    -------
    numpy.ndarray
        In the machine's byte order.

    Raises
    ------
    ValueError
        If the bytes end too early or their compression is damaged.
    """
    array = np.empty(shape, dtype)
    target = array.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(target):
        chunk = read_bytes(stream, min(_CHUNK, len(target) - done), what)
        if not chunk:
            raise ValueError(f"{what}: ends after {done:,} of {len(target):,} bytes; the file is truncated")
        target[done : done + len(chunk)] = chunk
        done += len(chunk)
    return array.astype(dtype.newbyteorder("="), copy=False)


def read_bytes(stream: IO[bytes], count: int, what: str) -> bytes:
    """At most `count` bytes; a ValueError if the compressed data is damaged or the file cannot be read."""
    try:
        return stream.read(count)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{what}: the compressed data is damaged or truncated ({error})") from error
    except OSError as error:
        raise ValueError(f"{what}: {_reason(error)}") from error


def fingerprint(paths: Iterable[str | os.PathLike]) -> str:
    """Twelve hexadecimal digits that tell files with other contents apart (SHA-256 of sizes and bytes).

    Of a file above 64 MiB, 64 evenly spaced MiB are hashed, so that naming the data of a training run never costs more than a moment. It
    notices another data set or a new version of it; it is not a defence against somebody who wants two files to look alike.
    """
    digest = hashlib.sha256()
    for path in paths:
        size = size_of(path)
        digest.update(size.to_bytes(8, "little"))
        with open_file(path) as stream:
            if size <= _SAMPLES * _CHUNK:
                digest.update(stream.read())
            else:
                for sample in range(_SAMPLES):
                    stream.seek((size - _CHUNK) * sample // (_SAMPLES - 1))
                    digest.update(stream.read(_CHUNK))
    return digest.hexdigest()[:12]


def entries_of(folder: str | os.PathLike) -> list[Path]:
    """Return what is in a folder, sorted by name; a ValueError if it cannot be read."""
    try:
        return sorted(Path(folder).iterdir())
    except OSError as error:
        raise ValueError(f"{folder}: {_reason(error)}") from error


def find(folder: str | os.PathLike) -> list[Path]:
    """Return the files of a folder, sorted by name; a ValueError if the folder cannot be read."""
    return [path for path in entries_of(folder) if path.is_file()]


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
