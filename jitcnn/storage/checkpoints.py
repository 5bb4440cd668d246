"""Checkpoints on disk: an `.npz` of the arrays of a state of training, and of one JSON object that says the rest.

Array "state" holds the object as bytes, "digest" the SHA-256 over it and over every array's name, type, shape and bytes, so that a flipped
bit is noticed. A checkpoint is written beside the one before, which stays until the new one is whole and on the disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jitcnn.data import npz
from jitcnn.storage.atomic import replace_file
from jitcnn.storage.content import dump_json, parse_json

FORMAT = "jitcnn checkpoint"
VERSION = 1
_STATE, _DIGEST = "state", "digest"


class Saved(NamedTuple):
    """What a checkpoint holds.

    Attributes
    ----------
    state
        Numbers, strings, lists and dicts.
    arrays
        By name.
    """

    state: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_checkpoint(path: str | os.PathLike, saved: Saved) -> None:
    """Write a checkpoint.

    Raises
    ------
    ValueError
        If the state holds what JSON cannot spell.
    OSError
        If the file cannot be written; the checkpoint that was there is there still.
    """
    text = np.frombuffer(dump_json({"format": FORMAT, "version": VERSION, **saved.state}), np.uint8)
    arrays = {_STATE: text, **{name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in saved.arrays.items()}}
    digest = np.frombuffer(_digest(arrays), np.uint8)
    replace_file(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays, **{_DIGEST: digest}))


def read_checkpoint(path: str | os.PathLike) -> Saved:
    """Read a checkpoint.

    Raises
    ------
    ValueError
        If it is missing, damaged, truncated, of a later version, or no checkpoint.
    """
    with npz.Archive(path) as archive:
        arrays = {name: archive.read(name) for name in archive.names}
    digest, text = arrays.pop(_DIGEST, None), arrays.get(_STATE)
    if digest is None or text is None:
        raise ValueError(f"{path}: not a checkpoint of jitcnn")
    if digest.tobytes() != _digest(arrays):
        raise ValueError(f"{path}: its digest is not that of what it holds; it is damaged")
    try:
        state = parse_json(arrays.pop(_STATE).tobytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path}: its state is a {type(state).__name__}, expected an object; not a checkpoint of jitcnn")
    if state.get("format") != FORMAT or state.get("version") != VERSION:
        raise ValueError(f"{path}: version {state.get('version')!r} of {state.get('format')!r}, this jitcnn reads {VERSION} of {FORMAT!r}")
    return Saved(state, arrays)


def remove_unfinished(path: str | os.PathLike) -> None:
    """Remove what a process that was killed while it wrote `path` left beside it."""
    target = Path(os.path.realpath(path))
    for unfinished in target.parent.glob(f".{target.name}.*.tmp"):
        unfinished.unlink(missing_ok=True)


def _digest(arrays: Mapping[str, np.ndarray]) -> bytes:
    state = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        state.update(f"{name} {array.shape} {array.dtype.newbyteorder('=').name}\n".encode())
        state.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
    return state.digest()
