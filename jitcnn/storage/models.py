"""Models to files and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.data import files, npz
from jitcnn.storage import formats
from jitcnn.storage.atomic import replace_file
from jitcnn.storage.content import Content

if TYPE_CHECKING:
    from jitcnn.layers import Layer
    from jitcnn.model import CNN

JSON_PARAMETERS = 300_000  # above this a model goes into an `.npz` unless its name says otherwise


def suffix_for(parameters: int) -> str:
    """Return the suffix of a file for a model with so many parameters: ".json" up to 300,000, ".npz" above."""
    return ".json" if parameters <= JSON_PARAMETERS else ".npz"


def save(model: CNN, path: str | os.PathLike) -> None:
    """Write a model to a file, exact to the bit; see `jitcnn.storage` for the schema.

    Parameters
    ----------
    model
        The model.
    path
        The file. `.json` and `.npz` decide the format; with any other name it is JSON up to 300,000 parameters and `.npz` above. What is
        there is replaced when the new file is whole, and not before.

    Raises
    ------
    ValueError
        If the path is a folder, if the model's description cannot be written, or if it is too large for JSON.
    OSError
        If the file cannot be written.
    """
    parameters = {name: np.ascontiguousarray(value) for name, value in model.parameters.items()}
    content = Content(model.describe(), model.digest(), parameters)
    suffix = Path(path).suffix.lower()
    if suffix not in (".json", ".npz"):
        suffix = suffix_for(sum(value.size for value in parameters.values()))
    write = formats.write_json if suffix == ".json" else formats.write_npz
    replace_file(path, lambda stream: write(stream, content))


def load(path: str | os.PathLike, layers: Mapping[str, type[Layer]] | None = None) -> CNN:
    """Read a model from a file.

    Parameters
    ----------
    path
        The file; its contents tell its format, whatever its name is.
    layers
        Classes of layers of one's own, by the name of the class.

    Returns
    -------
    CNN
        Ready to predict, evaluate and train on; its predictions have the bits of those before it was saved.

    Raises
    ------
    ValueError
        If the file is missing, damaged, truncated, of a later version, or not a model. No code in it is run, and sizes are compared with
        the file before memory is taken.
    """
    with files.open_file(path) as stream:
        is_npz = stream.read(2) == npz.ZIP_MAGIC
    content = formats.read_npz(path) if is_npz else formats.read_json(path)
    model = _from_description(content.description, path, layers)
    _check_shapes(model, content, path)
    for name, value in content.parameters.items():
        model.parameters[name][...] = value
    if model.digest() != content.digest:
        raise ValueError(f"{path}: the parameters' digest is {model.digest()}, and the file says {content.digest}; it is damaged")
    return model


def _from_description(description: dict[str, Any], path: str | os.PathLike, layers: Mapping[str, type[Layer]] | None) -> CNN:
    from jitcnn.model import CNN  # models are above storage: they save themselves through it

    try:
        return CNN.from_description(description, layers=layers)
    except Exception as error:
        # A description that no model wrote can fail in any way; to whoever loads it, it is a file that cannot be used.
        raise ValueError(f"{path}: no model can be made of its description: {_one_line(error)}") from error


def _check_shapes(model: CNN, content: Content, path: str | os.PathLike) -> None:
    """Compare what the layers need with what the file really holds; only after this may parameters take memory."""
    needed = {name: (shape, model.dtype) for name, shape in model.parameter_shapes.items()}
    found = {name: (value.shape, value.dtype) for name, value in content.parameters.items()}
    for name in sorted(needed.keys() | found.keys()):
        if needed.get(name) != found.get(name):
            text = [f"{item[0]} of {item[1]}" if item else "nothing" for item in (needed.get(name), found.get(name))]
            raise ValueError(f"{path}: the layers need {text[0]} for {name!r}, and the file holds {text[1]}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
