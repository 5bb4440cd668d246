"""Mean and deviation of each channel over many images, of which a part at a time is read."""

import math
from collections.abc import Iterator

import numpy as np

from jitcnn.engine.forward import as_four_axes
from jitcnn.mapped import give_back

PART = 1 << 22  # numbers that are converted at a time


def channel_statistics(images: np.ndarray, order: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation (of the population) of each channel over the images in `order`.

    Parameters
    ----------
    images : uint8, float32 or float64 array (images, rows, columns, channels), or (rows, features), which are one channel
    order : int64 array
        Numbers of images; the result does not depend on their order.

    Returns
    -------
    mean, deviation : tuple of float
        Exact but for the last rounding of bytes, whose sums are whole numbers. A channel without deviation has 1, so that it becomes zeros.
    """
    numbers, four = np.sort(order), as_four_axes(images)
    count = len(numbers) * four[0, ..., 0].size
    if four.dtype == np.uint8:
        totals, squares = sums_of_bytes(four, numbers)
        means = [total / count for total in totals]
        spreads = [(count * square - total * total) / count**2 for total, square in zip(totals, squares, strict=True)]
    else:
        means = [total / count for total in sums(four, numbers, np.zeros(four.shape[3]), 1)]
        spreads = [total / count for total in sums(four, numbers, np.array(means), 2)]
    deviations = [math.sqrt(spread) for spread in spreads]
    return tuple(map(float, means)), tuple(deviation or 1.0 for deviation in deviations)


def parts(images: np.ndarray, numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The images, a part at a time, each as (numbers, channels)."""
    step = max(1, PART // images[0].size)
    for first in range(0, len(numbers), step):
        yield images[numbers[first : first + step]].reshape(-1, images.shape[3])
        give_back(images)


def sums_of_bytes(images: np.ndarray, numbers: np.ndarray) -> tuple[list[int], list[int]]:
    """Of each channel, the sum of all numbers and that of their squares, without rounding."""
    counts = np.zeros((images.shape[3], 256), np.int64)
    for part in parts(images, numbers):
        for channel, own in enumerate(counts):
            own += np.bincount(part[:, channel], minlength=256)
    totals, squares = ([sum(n * value**power for value, n in enumerate(own.tolist())) for own in counts] for power in (1, 2))
    return totals, squares


def sums(images: np.ndarray, numbers: np.ndarray, means: np.ndarray, power: int) -> list[float]:
    """Of each channel, the sum of the differences from its mean, each to a power, added up part by part."""
    found = [power_sums(part, means, power) for part in parts(images, numbers)]
    return [math.fsum(column) for column in zip(*found, strict=True)]


def power_sums(part: np.ndarray, means: np.ndarray, power: int) -> list[float]:
    """The same for one part, channel by channel."""
    return [float(((part[:, channel].astype(np.float64) - mean) ** power).sum()) for channel, mean in enumerate(means)]
