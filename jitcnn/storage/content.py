"""What a model file says, between its bytes and a model: checked field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np

from jitcnn.data.files import byte_count

FORMAT = "jitcnn model"
VERSION = 1
DTYPES: dict[str, np.dtype] = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8")}
_MOST_DIMENSIONS = 8
# Every object that a JSON text makes needs one of these characters; base64 has none of them. So their number bounds the memory that parsing
# takes, however large the parameters are.
_MOST_OBJECTS = 200_000
_MOST_LAYERS = 1_000  # building a graph takes time that grows faster than the number of its layers


class Content(NamedTuple):
    """A model, taken apart.

    Attributes
    ----------
    description
        What `CNN.describe()` gives.
    digest
        What `CNN.digest()` gives.
    parameters
        Arrays by name.
    """

    description: dict[str, Any]
    digest: str
    parameters: dict[str, np.ndarray]


class Entry(NamedTuple):
    """What a file says of one parameter before its numbers are read."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    data: Any

    @property
    def bytes(self) -> int:
        """How many bytes its numbers take."""
        return byte_count(self.shape, self.dtype)


def to_document(content: Content, data: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object of a file, with the parameters' base64 in `data`, or without it."""
    _check_layers(content.description)
    parameters = []
    for name, array in content.parameters.items():
        parameters.append({"name": name, "shape": list(array.shape), "dtype": array.dtype.name})
        if data is not None:
            parameters[-1]["data"] = data[name]
    return {
        "format": FORMAT,
        "version": VERSION,
        "writer": _writer(),
        "model": content.description,
        "digest": content.digest,
        "parameters": parameters,
    }


def from_document(document: Any) -> tuple[dict[str, Any], str, list[Entry]]:
    """Check the JSON object of a file: (description, digest, what it says of its parameters).

    Raises
    ------
    ValueError
        Which names the field that is missing, of the wrong kind, or of a later version.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'not a jitcnn model: "format" has to be "{FORMAT}"')
    version = _field(document, "version", int)
    if not 1 <= version <= VERSION:
        raise ValueError(f"of version {version}, and this jitcnn reads version {VERSION}: a newer jitcnn wrote it")
    description = _field(document, "model", dict)
    _check_layers(description)
    digest = _field(document, "digest", str)
    entries = [_entry(entry) for entry in _field(document, "parameters", list)]
    if len({entry.name for entry in entries}) < len(entries):
        raise ValueError("two parameters have one name")
    return description, digest, entries


def dump_json(document: dict[str, Any]) -> bytes:
    """Return the object as UTF-8; a ValueError if it holds what JSON cannot spell."""
    try:
        return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False, default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the model's description cannot be written as JSON: {error}") from error


def parse_json(text: bytes) -> Any:
    """Parse JSON that need not be harmless: strict, and with bounded memory.

    Raises
    ------
    ValueError
        If it is not UTF-8 or not JSON, has a key twice, NaN or infinities, is nested too deeply, or holds too many values.
    """
    objects = text.count(b",") + text.count(b"[") + text.count(b"{")
    if objects > _MOST_OBJECTS:
        raise ValueError(f"{objects:,} values, more than the {_MOST_OBJECTS:,} that a model has at most")
    try:
        return json.loads(text.decode(), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"not valid JSON: {error}") from error


def _check_layers(description: dict[str, Any]) -> None:
    layers = _field(description, "architecture", list)
    if len(layers) > _MOST_LAYERS:
        raise ValueError(f"{len(layers):,} layers, more than the {_MOST_LAYERS:,} that a model's file may have")


def _entry(entry: Any) -> Entry:
    if not isinstance(entry, dict):
        raise ValueError('"parameters" holds something that is not an object')
    name = _field(entry, "name", str)
    shape = _field(entry, "shape", list)
    if len(shape) > _MOST_DIMENSIONS or not all(type(size) is int and size >= 1 for size in shape):
        raise ValueError(f"parameter {name!r}: its shape is not a list of at most {_MOST_DIMENSIONS} positive integers")
    dtype = _field(entry, "dtype", str)
    if dtype not in DTYPES:
        raise ValueError(f"parameter {name!r}: of type {dtype!r}, expected one of {', '.join(DTYPES)}")
    return Entry(name, tuple(shape), DTYPES[dtype], entry.get("data"))


def _field(container: dict[str, Any], name: str, kind: type) -> Any:
    value = container.get(name)
    if type(value) is not kind:
        found = "missing" if name not in container else f"of type {type(value).__name__}"
        raise ValueError(f'"{name}" is {found}, expected {kind.__name__}')
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is neither a number, a text, a list nor a dict")


def _writer() -> str:
    try:
        return f"jitcnn {metadata.version('jitcnn')}"
    except metadata.PackageNotFoundError:
        return "jitcnn"
