"""Names in natural order, and images dealt into folds."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from jitcnn import initializers
from jitcnn.forms.geometry import integer


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
