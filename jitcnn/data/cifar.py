"""CIFAR's binary files (https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version").

One record an image: a byte with its class (CIFAR-100: two bytes, the coarse and the fine class), then 1,024 red, 1,024 green and 1,024 blue
bytes, row by row.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from jitcnn.data import files

SIDE, COLOURS = 32, 3
PIXELS = SIDE * SIDE * COLOURS
# which files of a folder: training, test, names of the classes, bytes before the pixels, classes
KINDS = (
    (r"data_batch_\d+\.bin", "test_batch.bin", "batches.meta.txt", 1, 10),
    (r"train\.bin", "test.bin", "fine_label_names.txt", 2, 100),
)


def kind_of(folder: Path) -> tuple[list[Path], Path | None, list[Path], int, int] | None:
    """Files to train on, to test with and with the names, bytes before the pixels, number of classes; None if there are no such files."""
    present = {path.name: path for path in files.find(folder)}
    for train, test, names, label_bytes, classes in KINDS:
        found = [present[name] for name in sorted(present) if re.fullmatch(train, name)]
        if found:
            return found, present.get(test), [present[names]] if names in present else [], label_bytes, classes
    return None


def count(path: Path, label_bytes: int) -> int:
    """How many images a file holds, told by its size."""
    size, record = files.size_of(path), label_bytes + PIXELS
    if size == 0 or size % record:
        raise ValueError(f"{path}: {size:,} bytes are no multiple of the {record:,} that an image of CIFAR takes; the file is damaged")
    return size // record


def read(paths: list[Path], label_bytes: int, classes: int, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) of the files one after the other, at most `limit`, and all labels int64.

    Raises
    ------
    ValueError
        If a file's size is not that of whole images, or a label is none.
    """
    counts = [count(path, label_bytes) for path in paths]
    wanted = files.entries(sum(counts), limit)
    files.check_memory(wanted * PIXELS, str(paths[0].parent))
    images, labels, done = np.empty((wanted, SIDE, SIDE, COLOURS), np.uint8), [], 0
    for path, records in zip(paths, counts, strict=True):
        mapped = np.memmap(path, np.uint8, "r", shape=(records, label_bytes + PIXELS))
        labels.append(mapped[:, label_bytes - 1].astype(np.int64))
        if labels[-1].max() >= classes:
            raise ValueError(f"{path}: image {int(labels[-1].argmax())} is of class {labels[-1].max()}, expected 0 to {classes - 1}")
        part = mapped[: wanted - done, label_bytes:].reshape(-1, COLOURS, SIDE, SIDE)
        images[done : done + len(part)] = part.transpose(0, 2, 3, 1)
        done += len(part)
    return images, np.concatenate(labels)


def class_names(paths: list[Path], classes: int) -> list[str]:
    """Their names, a line each; numbers where there is no such file."""
    for path in paths:
        if files.size_of(path) > 2**16:
            raise ValueError(f"{path}: {files.size_of(path):,} bytes, too many for the names of {classes} classes")
        with files.open_file(path) as stream:
            names = stream.read().decode(errors="backslashreplace").split()
        if len(names) == classes == len(set(names)):
            return names
    return [str(number) for number in range(classes)]
