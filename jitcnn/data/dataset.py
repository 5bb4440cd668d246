"""Images and labels together, checked: what every kind of source ends in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jitcnn.data import files
from jitcnn.data.published import SETS
from jitcnn.mapped import give_back
from jitcnn.preparation import Preparation

NAMES = ("mnist", *SETS)
MOST_NAMES, MOST_NOTES = 20, 5  # that a description lists
_MOST_CLASSES = 65_536
_CHUNK = 2**20  # numbers


@dataclass(frozen=True)
class Dataset:
    """Images and their labels, for training and for testing.

    Attributes
    ----------
    name
        As it was asked for; of a file or folder the absolute path.
    x, x_test
        Images (n, rows, columns, channels), uint8, float32 or float64.
    y, y_test
        Labels int64 (n,), from 0.
    classes
        One name a class.
    digest
        Twelve hexadecimal digits that tell this data from other data (`jitcnn.data.files.fingerprint`).

    x_val, y_val
        Images to validate on, where the data has a folder of them.
    preparation
        How pictures from files became images; None where the data are arrays.
    notes
        A line for each file that was left out.
    files
        Where the images are from picture files: by part, "train", "val" and "test", the path of each image.

    Where the data has no test images, `x_test` and `y_test` are None.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None
    y_test: np.ndarray | None
    classes: list[str]
    digest: str
    x_val: np.ndarray | None = None
    y_val: np.ndarray | None = None
    preparation: Preparation | None = None
    notes: tuple[str, ...] = ()
    files: Mapping[str, list[str]] = field(default_factory=dict)

    def describe(self) -> str:
        """What was understood, for people: numbers, sizes, classes, and what was left out."""
        size = " x ".join(map(str, self.x.shape[1:]))
        parts = [(self.x_val, "to validate on"), (self.x_test, "to test with")]
        others = "".join(f", {len(x):,} {what}" for x, what in parts if x is not None)
        counts = np.bincount(self.y, minlength=len(self.classes))
        listed = [f"{name} {count:,}" for name, count in zip(self.classes, counts, strict=True)]
        lines = [f"{self.name}: {len(self.x):,} images of {size} in {len(self.classes)} classes{others}", f"classes: {shortened(listed)}"]
        if never := [name for name, count in zip(self.classes, counts, strict=True) if not count]:
            lines.append(f"without an image to train on: {shortened(never)}")
        if self.preparation is not None:
            colours = "in colour" if self.preparation.channels == 3 else f"in grey ({self.preparation.grey})"
            lines.append(f"pictures made {size} {colours}, other shapes by {self.preparation.resize}")
        lines += [f"left out: {note}" for note in self.notes[:MOST_NOTES]]
        if len(self.notes) > MOST_NOTES:
            lines.append(f"left out: {len(self.notes) - MOST_NOTES:,} more")
        return "\n".join(lines)


def shortened(names: list[str]) -> str:
    """Names with commas between them, the ones in the middle left out if there are many."""
    return ", ".join(names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES // 2], "…", *names[-MOST_NAMES // 2 :]])


def assembled(
    name: str, x: np.ndarray, labels: np.ndarray, x_test: np.ndarray | None, test_labels: np.ndarray | None, paths: list[Path]
) -> Dataset:
    """Put the parts together; the labels are those of all images, also of those that were not asked for."""
    classes = 1 + max(int(y.max()) for y in (labels, test_labels) if y is not None)
    y, y_test = labels[: len(x)], None
    if x_test is not None and test_labels is not None:
        if x_test.shape[1:] != x.shape[1:]:
            raise ValueError(
                f"{name}: images to train on are {x.shape[1:]}, those to test with {x_test.shape[1:]}; they have to be of one size"
            )
        y_test = test_labels[: len(x_test)]
    return Dataset(name, x, y, x_test, y_test, [str(number) for number in range(classes)], files.fingerprint(paths))


def checked_images(x: np.ndarray, what: str) -> np.ndarray:
    """The images with four axes; a ValueError says what is wrong with them."""
    if x.dtype not in (np.uint8, np.float32, np.float64):
        raise ValueError(f"{what}: images are {x.dtype}, expected uint8, float32 or float64")
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim == 4 and x.shape[1] in (1, 3) and x.shape[2] == x.shape[3] > 4:
        raise ValueError(f"{what}: images are {x.shape}, channels first, expected them last: save np.moveaxis(x, 1, 3)")
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(
            f"{what}: images are {x.shape}, expected (images, rows, columns) or (images, rows, columns, channels), none of them 0"
        )
    if x.dtype.kind == "f":
        check_finite(x, what)
    return x


def check_finite(x: np.ndarray, what: str) -> None:
    """Look for NaN and infinity a part at a time: no copy of large data is made."""
    step = max(1, _CHUNK // x[0].size)
    for first in range(0, len(x), step):
        bad = ~np.isfinite(x[first : first + step]).all(axis=(1, 2, 3))
        if bad.any():
            raise ValueError(f"{what}: there is NaN or infinity in image {first + int(bad.argmax())}; remove or repair it")
        give_back(x)


def checked_labels(y: np.ndarray, what: str) -> np.ndarray:
    """Class numbers, int64, from those or from one-hot rows; a ValueError says what is wrong with them."""
    if 0 in y.shape:
        raise ValueError(f"{what}: there are no labels, the shape is {y.shape}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf":
        if not (((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()):
            raise ValueError(f"{what}: labels are {y.shape}, but not every row has one 1 and zeros; expected class numbers or one-hot rows")
        return y.argmax(axis=1)
    if y.ndim != 1 or y.dtype.kind not in "biu":
        raise ValueError(f"{what}: labels are {y.shape} of {y.dtype}, expected (images,) of integers")
    if y.min() < 0 or y.max() >= _MOST_CLASSES:
        raise ValueError(f"{what}: labels go from {y.min()} to {y.max()}, expected class numbers from 0 to at most {_MOST_CLASSES - 1}")
    return y.astype(np.int64)
