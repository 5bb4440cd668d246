"""Picture files: decoded once, and kept as one file of images that is mapped into memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from jitcnn.data import files
from jitcnn.data.download import data_folder
from jitcnn.decoding import FORMATS, MOST_PIXELS, import_pillow, shown
from jitcnn.preparation import DIGIT, Preparation

LONGEST = 64  # rows or columns, unless a size is asked for: networks that train on a CPU in minutes
GREY_MODES = ("1", "L", "LA", "I", "F")
AHEAD = 64  # pictures that may be decoded and not yet written


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


def of_headers(paths: Iterable[Path], look: Callable[[Any], Any]) -> list[tuple[Path, Any]]:
    """Files that Pillow recognises, and what `look` sees in Pillow's picture, of which only the header is read."""
    Image = import_pillow("reading pictures")
    found = []
    for path in paths:
        with warnings.catch_warnings(), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as picture:
                found.append((path, look(picture)))
    return found


def look_of(picture: Any) -> tuple[int, int, bool]:
    """Rows, columns, and whether it is grey."""
    columns, rows = picture.size
    is_turned = picture.getexif().get(0x0112, 1) >= 5
    is_grey = picture.mode in GREY_MODES or picture.mode.startswith("I;")
    return (columns, rows, is_grey) if is_turned else (rows, columns, is_grey)


def chosen(preparation: Preparation, paths: list[Path]) -> Preparation:
    """With a size and channels, where none is asked for.

    The size is the one that at least half of the pictures have, or else a square of their median shorter side; both are made smaller until
    no side is longer than `LONGEST`. Pictures all of which are grey have one channel. Digits that are found become 28 x 28 grey pixels.
    """
    if preparation.resize == "digit":
        return replace(preparation, size=DIGIT, channels=1)
    if preparation.size is not None and preparation.channels is not None:
        return preparation
    looks = [look for _, look in of_headers(paths, look_of)]
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
        with pixels.share(sum(rows * columns for _, (rows, columns, _) in of_headers([path], look_of))):
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
