"""Picture files: found in folders, decoded once, and kept as one file of images that is mapped into memory."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from jitcnn.data import files
from jitcnn.data.download import data_folder
from jitcnn.data.splits import natural
from jitcnn.decoding import FORMATS, MOST_PIXELS, import_pillow, shown
from jitcnn.preparation import DIGIT, Preparation

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "testing": "test"}
LONGEST = 64  # rows or columns, unless a size is asked for: networks that train on a CPU in minutes
GREY_MODES = ("1", "L", "LA", "I", "F")
MOST_NAMES = 20  # that an error lists
AHEAD = 64  # pictures that may be decoded and not yet written


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


def pictures_in(folder: Path, root: Path) -> list[Path]:
    """Its picture files in natural order, told by their suffixes."""
    found = {path.name: path for path in files.find(folder) if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")}
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
    lines = [f"{shown(path)}: neither train nor val nor test" for path in beside if any(map(has_pictures, [path, *folders_in(path)]))]
    lines += [f"{shown(path)}: pictures beside the folders of classes" for path in {folder, *parts.values()} if has_pictures(path)]
    for part in parts.values():
        within = [inner for path in folders_in(part) for inner in folders_in(path) if has_pictures(inner)]
        lines += [f"{shown(inner)}: a folder in a class's folder, whose pictures belong there" for inner in within]
    return lines


def has_pictures(folder: Path) -> bool:
    """Whether there is a picture file in a folder."""
    return any(path.suffix.lower() in SUFFIXES and not path.name.startswith(".") for path in files.find(folder))


def digest_of(paths: Iterable[Path], root: Path) -> str:
    """64 hexadecimal digits over names and contents of files."""
    digest = hashlib.sha256()
    for path in paths:
        size = files.size_of(path)
        digest.update(os.fsencode(os.path.relpath(path, root)) + b"\0" + size.to_bytes(8, "little"))
        with files.open_file(path) as stream:
            while chunk := stream.read(2**20):
                digest.update(chunk)
    return digest.hexdigest()


def looked_at(paths: list[Path]) -> list[tuple[int, int, bool]]:
    """Rows, columns, and whether it is grey, of each file that Pillow recognises, as its header says."""
    Image = import_pillow("reading pictures")
    found = []
    for path in paths:
        with warnings.catch_warnings(), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as picture:
                columns, rows = picture.size
                is_turned = picture.getexif().get(0x0112, 1) >= 5
                is_grey = picture.mode in GREY_MODES or picture.mode.startswith("I;")
                found.append((columns, rows, is_grey) if is_turned else (rows, columns, is_grey))
    return found


def chosen(preparation: Preparation, paths: list[Path]) -> Preparation:
    """With a size and channels, where none is asked for.

    The size is the one that at least half of the pictures have, or else a square of their median shorter side; both are made smaller until
    no side is longer than `LONGEST`. Pictures all of which are grey have one channel. Digits that are found become 28 x 28 grey pixels.
    """
    if preparation.resize == "digit":
        return replace(preparation, size=DIGIT, channels=1)
    if preparation.size is not None and preparation.channels is not None:
        return preparation
    looks = looked_at(paths)
    if not looks:
        raise ValueError(f"{shown(paths[0])}: neither it nor any of the other {len(paths) - 1:,} files is a picture that Pillow reads")
    sizes = Counter(look[:2] for look in looks)
    rows, columns = min(sizes, key=lambda size: (-sizes[size], size))
    if 2 * sizes[rows, columns] < len(looks):
        rows = columns = int(np.median([min(look[:2]) for look in looks]))
    longer = max(rows, columns, LONGEST)
    size = preparation.size or (max(1, rows * LONGEST // longer), max(1, columns * LONGEST // longer))
    return replace(preparation, size=size, channels=preparation.channels or (1 if all(look[2] for look in looks) else 3))


class Decoded(NamedTuple):
    """Images (n, rows, columns, channels) mapped into memory, which of the files they are of, and a line for each of the others."""

    images: np.ndarray
    kept: np.ndarray
    broken: list[str]


def decoded(paths: list[Path], digest: str, preparation: Preparation, *, strict: bool = False, progress: bool = False) -> Decoded:
    """All pictures as images: decoded now, or found in the cache, `data_folder("decoded")`.

    Parameters
    ----------
    paths
        The files.
    digest
        Of their contents.
    preparation
        How they become images.
    strict
        Whether a broken file is a ValueError; otherwise it is left out.
    progress
        Whether to show a bar.
    """
    assert preparation.size is not None and preparation.channels is not None
    shape = (*preparation.size, preparation.channels)
    pixels = int(np.prod(shape))
    path = data_folder("decoded") / f"{key_of(digest, preparation)}.images"
    if not is_whole(path, len(paths), pixels):
        from jitcnn.storage.atomic import replace_file  # whose package reads files with this one

        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda stream: write_images(stream, paths, preparation, progress))
    whole = np.memmap(path, np.uint8, "r")
    kept = np.flatnonzero(whole[len(whole) - len(paths) :])
    broken = [reason for number in np.flatnonzero(whole[len(whole) - len(paths) :] == 0) if (reason := fault(paths[number], preparation))]
    if broken and strict:
        raise ValueError(broken[0])
    if not len(kept):
        raise ValueError(f"none of {len(paths):,} files can be read: {broken[0]}")
    return Decoded(whole[: len(whole) - len(paths)].reshape(-1, *shape), kept, broken)


def key_of(digest: str, preparation: Preparation) -> str:
    """What tells images apart in the cache: contents, what is done to them, and by which Pillow."""
    import_pillow("reading pictures")
    import PIL

    steps = {name: value for name, value in preparation.to_dict().items() if name not in ("normalize", "mean", "deviation", "classes")}
    return hashlib.sha256(json.dumps([digest, steps, PIL.__version__], sort_keys=True).encode()).hexdigest()


def is_whole(path: Path, count: int, pixels: int) -> bool:
    """Whether a file of the cache is there and as long as its last bytes, one a picture, say."""
    try:
        flags = np.fromfile(path, np.uint8, offset=max(0, path.stat().st_size - count))
        return len(flags) == count and path.stat().st_size == count + pixels * int(flags.sum())
    except OSError:
        return False


def write_images(stream: IO[bytes], paths: list[Path], preparation: Preparation, progress: bool) -> None:
    """The images one after the other, then for each file 1, or 0 if it is broken."""
    from tqdm import tqdm

    pixels = files.Budget(MOST_PIXELS)

    def prepare(path: Path) -> np.ndarray | None:
        with pixels.share(sum(rows * columns for rows, columns, _ in looked_at([path]))):
            try:
                return as_bytes(preparation.prepare(path))
            except ValueError:
                return None

    flags = bytearray()
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(paths), desc="reading", unit="picture", disable=None if progress else True) as bar,
    ):
        for image in in_order(pool, prepare, paths):
            flags.append(image is not None)
            if image is not None:
                stream.write(image.tobytes())
            bar.update()
    stream.write(flags)


def in_order(pool: ThreadPoolExecutor, work: Callable[[Path], np.ndarray | None], paths: list[Path]) -> Iterator[np.ndarray | None]:
    """What `work` makes of each path, in their order, with at most `AHEAD` of them waiting."""
    rest = iter(paths)
    waiting = [pool.submit(work, path) for path in islice(rest, AHEAD)]
    while waiting:
        yield waiting.pop(0).result()
        waiting += [pool.submit(work, path) for path in islice(rest, 1)]


def as_bytes(image: np.ndarray) -> np.ndarray:
    """Floats of a picture, which go to 1 or to 255, as bytes."""
    if image.dtype == np.uint8:
        return image
    return np.clip(np.rint(image * (255 if image.max() <= 1 else 1)), 0, 255).astype(np.uint8)


def fault(path: Path, preparation: Preparation) -> str | None:
    """Why a picture cannot be read."""
    try:
        preparation.prepare(path)
    except ValueError as error:
        return str(error)
    return None
