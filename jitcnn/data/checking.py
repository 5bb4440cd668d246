"""What may be wrong with images and labels: copies, leaks between parts, blank pictures, small classes, labels that a model doubts."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jitcnn.data.class_folders import SUFFIXES
from jitcnn.data.dataset import Dataset
from jitcnn.data.pictures import of_headers

CHUNK = 2**21  # numbers at a time
FEWEST = 10  # images of a class
ODD_AREA, ODD_SHAPE, ODD_SPREAD = 4, 2, 5
BLANK = 0.02  # standard deviation of a picture that shows nothing, as a share of the data's range

AREAS = 8  # rows and columns of areas that a hash compares
THUMBNAIL = 16  # rows and columns in which near duplicates are compared
NEIGHBOURS = 8  # how many of the next ones in sorted order a picture is compared with
CLEARLY = 0.1  # standard deviations of a picture's areas
MOST_BITS = 6  # of 64 that may differ between hashes
MOST_DIFFERENCE = 0.1  # root mean square, in standard deviations: a correlation of 0.995


class Pair(NamedTuple):
    """Two pictures of a data set, by their numbers; those of a part follow those of the parts before it, see `parts`."""

    first: int
    second: int


def parts(dataset: Dataset) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images and labels of "train", and of "val" and "test" where there are such, in this order."""
    pairs = {"train": (dataset.x, dataset.y), "val": (dataset.x_val, dataset.y_val), "test": (dataset.x_test, dataset.y_test)}
    return {name: (x, y) for name, (x, y) in pairs.items() if x is not None and y is not None}


def chunks(images: list[np.ndarray]) -> Iterator[np.ndarray]:
    """All images, some at a time."""
    for part in images:
        step = max(1, CHUNK // part[0].size)
        for first in range(0, len(part), step):
            yield part[first : first + step]


def take(images: list[np.ndarray], numbers: np.ndarray) -> np.ndarray:
    """The images of these numbers, which are in ascending order."""
    chosen, offset = [], 0
    for part in images:
        chosen.append(part[numbers[(offset <= numbers) & (numbers < offset + len(part))] - offset])
        offset += len(part)
    return np.concatenate(chosen)


def exact_duplicates(images: list[np.ndarray]) -> list[Pair]:
    """Each picture whose numbers are those of an earlier one, with the first such one."""
    digests = [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).digest() for chunk in chunks(images) for image in chunk]
    _, first, which = np.unique(np.frombuffer(b"".join(digests), np.uint64), return_index=True, return_inverse=True)
    later = np.flatnonzero(first[which] != np.arange(len(which)))
    pairs = [Pair(int(first[which[number]]), int(number)) for number in later]
    return [pair for pair in pairs if np.array_equal(*take(images, np.array(pair)))]


def shares(size: int, parts: int) -> np.ndarray:
    """A matrix (parts, size) that averages `size` pixels over equal stretches, pixels at their edges in part.

    >>> shares(3, 2)
    array([[0.66666667, 0.33333333, 0.        ],
           [0.        , 0.33333333, 0.66666667]])
    """
    edges = np.arange(parts + 1) * size / parts
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.clip(overlap, 0, None) * parts / size


def shrink(images: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Grey images (n, rows, columns) of images (n, …): means over areas and channels."""
    grey = images.mean(axis=3, dtype=np.float32)
    by_rows, by_columns = (shares(size, n).astype(np.float32) for size, n in zip(grey.shape[1:], (rows, columns), strict=True))
    return by_rows @ grey @ by_columns.T


def difference_hashes(images: list[np.ndarray]) -> np.ndarray:
    """Two "dHashes" a picture, uint64 (2, n): which of 8 x 8 areas are darker than their right neighbours, and which than those below.

    By `CLEARLY` at least, so that compression decides nothing where areas are alike. Copies in another size, light or compression differ
    in few bits.
    """
    across, down = [], []
    for chunk in chunks(images):
        small = shrink(chunk, AREAS + 1, AREAS + 1)
        least = CLEARLY * small.std(axis=(1, 2), keepdims=True)
        across.append(pack(small[:, :-1, 1:] - small[:, :-1, :-1] > least))
        down.append(pack(small[:, 1:, :-1] - small[:, :-1, :-1] > least))
    return np.stack([np.concatenate(across), np.concatenate(down)])


def pack(bits: np.ndarray) -> np.ndarray:
    """64 booleans a row as uint64 (n,)."""
    return np.packbits(bits.reshape(len(bits), -1), axis=1).view(np.uint64)[:, 0]


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Standardised grey pictures, float32 (n, 256); of one colour: zeros."""
    small = shrink(images, THUMBNAIL, THUMBNAIL).reshape(len(images), -1)
    small -= small.mean(axis=1, keepdims=True)
    deviation = small.std(axis=1, keepdims=True)
    return small / np.where(deviation > 0, deviation, 1)


def near_duplicates(images: list[np.ndarray]) -> list[Pair]:
    """Pairs of pictures that look alike: their hashes are near, and so are their thumbnails.

    Not every picture is compared with every other: each of their two hashes is sorted, four times with another quarter of its bits
    in front, and each picture is compared with the next `NEIGHBOURS` ones. The time is that of sorting.
    """
    hashes = difference_hashes(images)
    near: set[tuple[int, int]] = set()
    for key, turn in itertools.product(hashes, range(0, 64, 16)):
        order = np.argsort(np.roll(key.view(np.uint16).reshape(-1, 4), turn // 16, axis=1).copy().view(np.uint64)[:, 0], kind="stable")
        for step in range(1, min(NEIGHBOURS, len(order) - 1) + 1):
            one, other = order[:-step], order[step:]
            close = (np.bitwise_count(hashes[:, one] ^ hashes[:, other]) <= MOST_BITS).all(axis=0)
            near.update(zip(np.minimum(one, other)[close].tolist(), np.maximum(one, other)[close].tolist(), strict=True))
    return list(alike(images, np.array(sorted(near), np.int64).reshape(-1, 2)))


def alike(images: list[np.ndarray], pairs: np.ndarray) -> Iterator[Pair]:
    """Those of the pairs (n, 2) whose thumbnails are nearly the same."""
    step = max(1, CHUNK // images[0][0].size)
    for first in range(0, len(pairs), step):
        numbers, where = np.unique(pairs[first : first + step], return_inverse=True)
        small = thumbnails(take(images, numbers))
        one, other = where.reshape(-1, 2).T
        same = np.square(small[one] - small[other]).mean(axis=1) <= MOST_DIFFERENCE**2
        yield from itertools.starmap(Pair, pairs[first : first + step][same].tolist())


def nearly_blank(images: list[np.ndarray]) -> list[int]:
    """Numbers of the pictures that show next to nothing: every channel is nearly the same all over."""
    low, high = (choose(float(choose_in(part)) for part in images) for choose, choose_in in ((min, np.min), (max, np.max)))
    deviations = np.concatenate([chunk.std(axis=(1, 2), dtype=np.float64).max(axis=1) for chunk in chunks(images)])
    return np.flatnonzero(deviations <= BLANK * (high - low)).tolist()


def odd_sizes(folder: str | os.PathLike) -> dict[str, tuple[int, int]]:
    """(width, height) of the picture files in a folder, and in those within it, that differ much from most of them, by path.

    Much is more than `ODD_AREA` times as many or as few pixels as the median, or `ODD_SHAPE` times as wide or as high for its height or
    width; where pictures differ among themselves, `ODD_SPREAD` times as much as half of them do. What is no picture, or a broken one, is
    left out. Needs Pillow if there are picture files.
    """
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    sizes = {str(path.relative_to(folder)): size for path, size in of_headers(paths, lambda picture: picture.size)} if paths else {}
    if not sizes:
        return {}
    width, height = np.log2(np.array(list(sizes.values()))).T
    odd = far(width + height, np.log2(ODD_AREA)) | far(width - height, np.log2(ODD_SHAPE))
    return {path: size for (path, size), is_odd in zip(sizes.items(), odd, strict=True) if is_odd}


def far(values: np.ndarray, least: float) -> np.ndarray:
    """Which values differ from the median by more than `least` and than `ODD_SPREAD` times the median of such differences."""
    differences = np.abs(values - np.median(values))
    return differences > max(least, ODD_SPREAD * np.median(differences))


def small_classes(labels: np.ndarray, classes: list[str]) -> dict[str, int]:
    """Name and number of pictures of each class of fewer than `FEWEST`."""
    counts = np.bincount(labels, minlength=len(classes))
    return {name: int(count) for name, count in zip(classes, counts, strict=True) if count < FEWEST}


class Suspect(NamedTuple):
    """A picture whose label a model doubts."""

    number: int
    label: int
    predicted: int
    probability: float  # of the predicted class
    loss: float


def suspects(outputs: np.ndarray, labels: np.ndarray, most: int) -> list[Suspect]:
    """The pictures whose own class a model finds least likely, among those for which it prefers another, most suspect first.

    Parameters
    ----------
    outputs
        A row of probabilities a picture.
    labels
        Its class number.
    most
        How many to name.
    """
    own = outputs[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(own, np.finfo(outputs.dtype).tiny))
    predicted = outputs.argmax(axis=1)
    doubted = np.flatnonzero(predicted != labels)
    worst = doubted[np.argsort(-losses[doubted], kind="stable")][:most]
    return [Suspect(int(n), int(labels[n]), int(predicted[n]), float(outputs[n, predicted[n]]), float(losses[n])) for n in worst]
