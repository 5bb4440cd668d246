"""The two kinds of model files, to bytes and back; the schema is in the package's docstring."""

from __future__ import annotations

import base64
import binascii
import math
import os
from typing import IO

import numpy as np

from jitcnn.data import files, npz
from jitcnn.storage.content import Content, Entry, dump_json, from_document, parse_json, to_document

JSON_LIMIT = 64 * 2**20
_DESCRIPTION = "description"


def write_json(stream: IO[bytes], content: Content) -> None:
    """Write a model as JSON; a ValueError if that would be too large to be read again."""
    data = {name: base64.b64encode(_little_endian(array)).decode() for name, array in content.parameters.items()}
    text = dump_json(to_document(content, data))
    if len(text) > JSON_LIMIT:
        raise ValueError(f"{len(text):,} bytes of JSON, more than {JSON_LIMIT:,}: save this model with the suffix .npz")
    stream.write(text + b"\n")


def read_json(path: str | os.PathLike) -> Content:
    """Read a model from JSON; a ValueError says what is wrong with the file."""
    size = files.size_of(path)
    if size > JSON_LIMIT:
        raise ValueError(f"{path}: {size:,} bytes, more than the {JSON_LIMIT:,} that a model in JSON may have")
    with files.open_file(path) as stream:
        text = stream.read(JSON_LIMIT)
    try:
        description, digest, entries = from_document(parse_json(text))
        return Content(description, digest, {entry.name: _from_base64(entry) for entry in entries})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_npz(stream: IO[bytes], content: Content) -> None:
    """Write a model as an `.npz` archive."""
    text = dump_json(to_document(content))
    arrays = {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in content.parameters.items()}
    np.savez(stream, allow_pickle=False, **{_DESCRIPTION: np.frombuffer(text, np.uint8)}, **arrays)


def read_npz(path: str | os.PathLike) -> Content:
    """Read a model from an `.npz` archive; a ValueError says what is wrong with the file."""
    with npz.Archive(path) as archive:
        shape, _, dtype = archive.header(_DESCRIPTION)
        if dtype != np.uint8 or len(shape) != 1 or shape[0] > JSON_LIMIT:
            raise ValueError(f"{path}: {_DESCRIPTION!r} is {shape} of {dtype}, expected at most {JSON_LIMIT:,} bytes")
        try:
            description, digest, entries = from_document(parse_json(archive.read(_DESCRIPTION).tobytes()))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        for entry in entries:
            found = archive.header(entry.name)
            if (found.shape, found.dtype) != (entry.shape, entry.dtype):
                expected = f"{entry.shape} of {entry.dtype}"
                raise ValueError(f"{path}: {entry.name!r} is {found.shape} of {found.dtype}, and its description says {expected}")
        return Content(description, digest, {entry.name: archive.read(entry.name) for entry in entries})


def _little_endian(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _from_base64(entry: Entry) -> np.ndarray:
    size = entry.bytes
    if not isinstance(entry.data, str) or len(entry.data) != 4 * math.ceil(size / 3):
        raise ValueError(f"parameter {entry.name!r}: its data is not the base64 of {size:,} bytes, which its shape {entry.shape} takes")
    try:
        data = base64.b64decode(entry.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"parameter {entry.name!r}: its data is not base64 ({error})") from error
    if len(data) != size:
        raise ValueError(f"parameter {entry.name!r}: {len(data):,} bytes of data, expected {size:,}")
    return np.frombuffer(data, entry.dtype).reshape(entry.shape).astype(entry.dtype.newbyteorder("="), copy=False)
