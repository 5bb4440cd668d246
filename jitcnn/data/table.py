"""CSV files: a label and its pixels in each row, as on Kaggle, or a picture's path and its label."""

from __future__ import annotations

import csv
import itertools
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from jitcnn.data import files
from jitcnn.data.class_folders import SUFFIXES, Labelled, inside
from jitcnn.data.splits import natural
from jitcnn.decoding import shown

CELLS = 2**20  # read at a time
LONGEST_ROW = 2**24  # characters: 1000 x 1000 pixels in colour take less
MOST_PATHS = 2**20
LABELS = ("label", "labels", "class", "target")  # how headings call that column


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number of the line, cells) of each row that is not empty; the first one may be a heading.

    Raises
    ------
    ValueError
        If it is no text, no CSV, or has a row that would take much memory.
    """
    files.check_memory(files.size_of(path), str(path))
    taken = 0

    def lines(stream: IO[str]) -> Iterator[str]:
        nonlocal taken
        while line := stream.readline(LONGEST_ROW + 1):
            taken += len(line)
            if taken > LONGEST_ROW:
                raise ValueError(f"{path}: a row of more than {LONGEST_ROW:,} characters, expected a label and the pixels of one image")
            yield line

    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            reader = csv.reader(lines(stream))
            for cells in reader:
                taken = 0
                if any("\0" in cell for cell in cells):
                    raise ValueError(f"{path}: line {reader.line_num} holds a zero byte: not a text file")
                if cells:
                    yield reader.line_num, [cell.strip() for cell in cells]
    except (csv.Error, OSError) as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from error


def is_number(text: str) -> bool:
    """Whether a cell is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def has_heading(first: list[str]) -> bool:
    """Whether the first row names columns: none of its cells is a number, and the first one names no picture."""
    return not any(map(is_number, first)) and not first[0].lower().endswith(SUFFIXES)


def names_files(path: Path) -> bool:
    """Whether the table's first column has paths of pictures, told by the first row below a heading.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    beginning = [cells for _, cells in itertools.islice(rows_of(path), 2)]
    if not beginning or (len(beginning) == 1 and has_heading(beginning[0])):
        raise ValueError(f"{path}: holds no rows below its heading")
    cells = beginning[-1]
    pictured = [number for number, cell in enumerate(cells, 1) if cell.lower().endswith(SUFFIXES)]
    if pictured and pictured[0] > 1:
        raise ValueError(f"{path}: names pictures in column {pictured[0]}, expected them in the first, and their classes in the second")
    return cells[0].lower().endswith(SUFFIXES) or (not is_number(cells[0]) and (path.parent / cells[0]).is_file())


def body(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows without the heading."""
    for number, (line, cells) in enumerate(rows_of(path)):
        if number or not has_heading(cells):
            yield line, cells


def read_paths(path: Path, known: Sequence[str] | None = None) -> Labelled:
    """Files and their classes, numbered as in `known`; paths count from the table's folder, which they must not leave.

    Raises
    ------
    ValueError
        Which names the line.
    """
    paths: list[Path] = []
    names: list[str] = []
    for line, cells in body(path):
        if len(cells) < 2 or not cells[1]:
            raise ValueError(f"{path}: line {line} has no label, expected a picture's path and its class")
        picture = path.parent / cells[0]
        if not picture.is_file():
            raise ValueError(f"{path}: line {line} names {shown(cells[0])}, and there is no such file in {shown(path.parent)}")
        if len(paths) == MOST_PATHS:
            raise ValueError(f"{path}: names more than {MOST_PATHS:,} pictures; put them into folders, one a class")
        paths.append(inside(picture, path.parent))
        names.append(shown(cells[1]))
    classes = natural(set(names)) if known is None else list(known)
    if unknown := set(names).difference(classes):
        raise ValueError(f"{path}: has the class {min(unknown)}, which is none of {', '.join(classes[:20])}")
    if len(classes) < 2:
        raise ValueError(f"{path}: all pictures are of one class, {classes[0]}; at least two are needed")
    numbers = {name: number for number, name in enumerate(classes)}
    return Labelled(paths, np.array([numbers[name] for name in names], np.int64), classes)


def read_pixels(path: Path, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
    """Images (n, rows, columns, channels), uint8 if all are whole numbers from 0 to 255, else float32; labels; names of the classes.

    Parameters
    ----------
    path
        A label and pixels a row. Labels are class numbers, or names.
    size
        Rows and columns, for images that are no squares.

    Raises
    ------
    ValueError
        Which names the line.
    """
    check_label_first(path)
    rows, names, parts = body(path), [], []
    width, taken = None, 0
    while chunk := some_of(rows):
        for line, cells in chunk:
            width = width or len(cells)
            if len(cells) != width:
                raise ValueError(f"{path}: line {line} has {len(cells)} cells, and those before have {width}")
        names += [cells[0] for _, cells in chunk]
        parts.append(as_pixels(path, chunk))
        taken += parts[-1].nbytes + 100 * len(chunk)
        if 2 * taken > files.DECOMPRESSED_LIMIT:
            limit = files.DECOMPRESSED_LIMIT // 2
            raise ValueError(f"{path}: more than {limit:,} bytes of pixels and labels; save them as x.npy and y.npy")
    assert width is not None
    if width == 1:
        raise ValueError(
            f"{path}: has one cell a row, expected a label and pixels, or a picture's path and its class, with commas between them"
        )
    shape = image_shape(path, width - 1, size)
    pixels = np.concatenate([part.astype(np.result_type(*(part.dtype for part in parts)), copy=False) for part in parts])
    labels, classes = as_labels(names)
    return pixels.reshape(-1, *shape), labels, classes


def check_label_first(path: Path) -> None:
    """A ValueError if the heading says that labels are in another column than the first."""
    _, first = next(rows_of(path))
    labels = [number for number, cell in enumerate(first, 1) if cell.lower() in LABELS]
    if labels and has_heading(first) and labels[0] > 1:
        raise ValueError(f"{path}: its heading has {first[labels[0] - 1]} in column {labels[0]}, expected it first, then pixels alone")


def some_of(rows: Iterator[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The next rows, until they have `CELLS` cells."""
    found, cells = [], 0
    for row in rows:
        found.append(row)
        cells += len(row[1])
        if cells >= CELLS:
            break
    return found


def as_pixels(path: Path, chunk: list[tuple[int, list[str]]]) -> np.ndarray:
    """Numbers of some rows."""
    try:
        numbers = np.array([cells[1:] for _, cells in chunk], np.float64)
    except ValueError:
        line, cell = next((line, cell) for line, cells in chunk for cell in cells[1:] if not is_number(cell))
        raise ValueError(f"{path}: line {line} has {shown(cell)[:40]!r}, expected a label and then pixels, all numbers") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        narrow = numbers.astype(np.float32)
    if not np.isfinite(narrow).all():
        line = chunk[int(np.argmin(np.isfinite(narrow).all(axis=1)))][0]
        raise ValueError(f"{path}: line {line} has NaN, infinity or a number too large; remove or repair it")
    whole = ((numbers >= 0) & (numbers <= 255) & (numbers == np.rint(numbers))).all()
    return numbers.astype(np.uint8) if whole else narrow


def image_shape(path: str | os.PathLike, pixels: int, size: tuple[int, int] | None) -> tuple[int, int, int]:
    """Rows, columns and channels of so many numbers."""
    side = int(np.sqrt(pixels))
    rows, columns = size or (side, side)
    for channels in (1, 3):
        if pixels and rows * columns * channels == pixels and (channels == 1 or size):
            return rows, columns, channels
    expected = "a square" if size is None else f"{rows} x {columns}, grey or in colour"
    raise ValueError(f"{path}: {pixels} pixels behind each label, which is not {expected}: give --size HxW, rows and columns")


def as_labels(names: list[str]) -> tuple[np.ndarray, list[str] | None]:
    """Class numbers, and names where the labels are no class numbers themselves."""
    if all(name.isascii() and name.isdigit() and len(name) < 6 for name in names):
        return np.array([int(name) for name in names], np.int64), None
    classes = natural({shown(name) for name in names})
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[shown(name)] for name in names], np.int64), classes
