"""Names in natural order, images dealt into folds, and those that a training set apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from jitcnn import initializers
from jitcnn.checks import real
from jitcnn.data.dataset import Dataset
from jitcnn.forms.geometry import integer
from jitcnn.labels import validation_split


def natural(names: Iterable[str]) -> list[str]:
    """Names in the order in which people count: 2 before 10.

    >>> natural(["b10", "b2", "a"])
    ['a', 'b2', 'b10']
    """

    def key(name: str) -> tuple[list[tuple[bool, int, str]], str]:
        parts = [part for part in re.split(r"([0-9]+)", name) if part]
        return [
            (not part[0].isdigit() or not part.isascii(), int(part) if part.isascii() and part.isdigit() else 0, part) for part in parts
        ], name

    return sorted(names, key=key)


def folds(y: np.ndarray, count: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Numbers of images to train on and to validate on, `count` times: each image is validated once.

    Parameters
    ----------
    y : int array (n,)
        The class of each image: every fold has the same share of each class, as near as whole images allow.
    count : int
        How many folds, from 2 on.
    seed : int
        What is drawn from.

    Returns
    -------
    list of (int64 array, int64 array)
        Both in ascending order.

    Raises
    ------
    ValueError
        If there are fewer images than folds.
    """
    integer("folds", count, at_least=2)
    if len(y) < count:
        raise ValueError(f"folds is {count} and there are {len(y)} images: give at most that")
    shuffled = initializers.generator(seed, 0, initializers.VALIDATION).permutation(len(y))
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold = np.empty(len(y), np.int64)
    fold[by_class] = np.arange(len(y)) % count  # dealt class after class, so that sizes differ by one at most
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(count)]


def kept_and_held_out(y: np.ndarray, record: Mapping[str, Any], seed: int) -> tuple[np.ndarray | slice, np.ndarray | None]:
    """Which of the images, whose labels are `y`, were trained on, and which were set apart, None if none; `divided` tells the record."""
    if "validation" in record:
        draws = initializers.generator(seed, 0, initializers.VALIDATION)
        return validation_split(len(y), real("validation", record["validation"]), y, draws)
    if "folds" not in record:
        return slice(len(y)), None
    dealt = folds(y, record["folds"], seed)
    fold = integer("fold", record.get("fold"), at_least=1)
    if fold > len(dealt):
        raise ValueError(f"fold is {fold}, and there are {len(dealt)} of them")
    return dealt[fold - 1]


def divided(dataset: Dataset, record: Mapping[str, Any], seed: int, part: str) -> Dataset:
    """The data as a training divided them.

    Parameters
    ----------
    dataset
        All of them.
    record
        What a model says of its data: their `digest`, how many `images` training was given, and if it set some of these apart to validate
        on, which: `validation`, the share, or `folds` and `fold`, of so many parts the one with this number, from 1.
    seed
        The model's.
    part
        "train" leaves, of the images to train on, those that were trained on. Any other makes those that were set apart `x_val`.

    Returns
    -------
    Dataset
        As it was, if it has another digest or fewer images, or nothing is known.

    Raises
    ------
    ValueError
        If the record makes no sense.
    """
    images = record.get("images")
    if images is None or record.get("digest") != dataset.digest or len(dataset.x) < integer("images", images, at_least=1):
        return dataset
    kept, held_out = kept_and_held_out(dataset.y[:images], record, seed)
    if part == "train":
        files = {name: paths if name != "train" else np.array(paths, object)[kept].tolist() for name, paths in dataset.files.items()}
        return replace(dataset, x=dataset.x[kept], y=dataset.y[kept], files=files)
    if held_out is None:
        return dataset
    files = {name: paths for name, paths in dataset.files.items() if name != "val"}
    if "train" in files:
        files["val"] = np.array(files["train"], object)[held_out].tolist()
    return replace(dataset, x_val=dataset.x[held_out], y_val=dataset.y[held_out], files=files)
