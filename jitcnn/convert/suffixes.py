"""Which file is written, by its suffix."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jitcnn import storage
from jitcnn.convert import c_header, python_file
from jitcnn.storage.atomic import replace_file

if TYPE_CHECKING:
    from jitcnn.model import CNN

SOURCES = {".py": python_file.source, ".h": c_header.source}
SUFFIXES = (".json", ".npz", *SOURCES)


def convert(model: CNN, path: str | os.PathLike) -> None:
    """Write a model as the kind of file that the suffix of its name says.

    Parameters
    ----------
    model
        With or without training; its parameters are written.
    path
        `.json` or `.npz`: a model's file. `.py`: a program and module that needs NumPy only, exact but for the order of sums. `.h`: a C
        header that needs no library but C's own, in float32.

    Raises
    ------
    ValueError
        If the suffix is none of these, or the model cannot be written so: a layer of one's own has no forward pass in other languages.
    OSError
        If the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: the suffix says what is written: .json or .npz (a model's file), .py (NumPy only) or .h (C)")
    if suffix in SOURCES:
        text = SOURCES[suffix](model, Path(path).stem).encode()
        replace_file(path, lambda stream: stream.write(text))
    else:
        storage.save(model, path)
