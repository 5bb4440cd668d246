"""Folders of picture files, one a class: which parts and classes there are, and what lies in none."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jitcnn.data import files
from jitcnn.data.splits import natural
from jitcnn.decoding import shown

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "testing": "test"}
MOST_NAMES = 20  # that an error lists


class Labelled(NamedTuple):
    """Files, the class of each, and the names of the classes."""

    paths: list[Path]
    labels: np.ndarray
    classes: list[str]


def inside(path: Path, root: Path) -> Path:
    """The path; a ValueError if it leaves the folder, by a symbolic link or by dots."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise ValueError(f"{shown(path)}: leaves the folder {shown(root)}; links to elsewhere are not followed")
    return path


def folders_in(folder: Path) -> list[Path]:
    """Its folders, but those whose names begin with a dot."""
    return [path for path in files.entries_of(folder) if path.is_dir() and not path.name.startswith(".")]


def picture_files(folder: Path) -> list[Path]:
    """Its picture files, told by their suffixes, but those whose names begin with a dot."""
    return [path for path in files.find(folder) if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]


def pictures_in(folder: Path, root: Path) -> list[Path]:
    """Its picture files in natural order, none of which may leave the root."""
    found = {path.name: path for path in picture_files(folder)}
    return [inside(found[name], root) for name in natural(found)]


def parts_of(folder: Path) -> dict[str, Path]:
    """The folders "train", "val" and "test" by these names; {"train": folder} if its folders are classes.

    Raises
    ------
    ValueError
        If a name is nearly that of a part, if a part is there twice, or if there is nothing to train on.
    """
    folders = folders_in(folder)
    found: dict[str, Path] = {}
    for path in folders:
        part = PARTS.get(path.name.lower())
        if part is None:
            continue
        if part in found:
            raise ValueError(f"{shown(folder)}: holds both {shown(found[part].name)} and {shown(path.name)}, which mean the same")
        found[part] = inside(path, folder)
    for path in folders:
        near = difflib.get_close_matches(path.name.lower(), [name for name in PARTS if PARTS[name] not in found], 1, 0.75)
        if near and path not in found.values() and folders_in(path) and not pictures_in(path, folder):
            raise ValueError(f"{shown(folder)}: holds a folder {shown(path.name)}, did you mean {near[0]}?")
    if found and "train" not in found:
        raise ValueError(f"{shown(folder)}: holds {shown(' and '.join(path.name for path in found.values()))}, but no train to learn from")
    return found or {"train": folder}


def labelled(folder: Path, root: Path, classes: list[str] | None = None) -> Labelled:
    """The files of a part, one folder a class; classes take turns, so that the first n files have nearly the same share of each.

    Parameters
    ----------
    folder, root
        The part, and the whole data's folder, which nothing may leave.
    classes
        Names of the classes that there are; those of the folders if None.

    Raises
    ------
    ValueError
        If there are no classes, one is empty, or one is not among `classes`.
    """
    folders = {shown(path.name): inside(path, root) for path in folders_in(folder)}
    names = natural(folders)
    if classes is None and len(names) < 2:
        there = f"only {names[0]}" if names else "none"
        inner = folders[names[0]] if names and len(folders_in(folders[names[0]])) > 1 else None
        meant = f": did you mean {shown(inner)}?" if inner else ""
        raise ValueError(f"{shown(folder)}: a folder of pictures needs a folder for each class, at least two, and there is {there}{meant}")
    known = names if classes is None else classes
    paths: list[Path] = []
    labels: list[int] = []
    turns: list[float] = []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            expected = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known[:MOST_NAMES])}"
            raise ValueError(f"{shown(folder)}: the class {name} is not one of those that are learnt, {expected}")
        found = pictures_in(folders[name], root)
        if not found:
            raise ValueError(f"{shown(folders[name])}: the class is empty, there is no picture ({', '.join(SUFFIXES)}) in it")
        paths += found
        labels += [known.index(name)] * len(found)
        turns += [(number + 0.5) / len(found) for number in range(len(found))]
    if not paths:
        raise ValueError(f"{shown(folder)}: there are no folders of classes in it: put pictures into them, or remove it")
    order = np.argsort(turns, kind="stable")
    return Labelled([paths[number] for number in order], np.array(labels, np.int64)[order], known)


def passed_over(folder: Path, parts: Mapping[str, Path]) -> list[str]:
    """A line for each folder that holds pictures, and for the pictures beside folders, which are in no class of any part."""
    beside = [] if folder in parts.values() else [path for path in folders_in(folder) if path not in parts.values()]
    lines = [f"{shown(path)}: neither train nor val nor test" for path in beside if any(map(picture_files, [path, *folders_in(path)]))]
    lines += [f"{shown(path)}: pictures beside the folders of classes" for path in {folder, *parts.values()} if picture_files(path)]
    for part in parts.values():
        within = [inner for path in folders_in(part) for inner in folders_in(path) if picture_files(inner)]
        lines += [f"{shown(inner)}: a folder in a class's folder, whose pictures belong there" for inner in within]
    return lines
