"""What users pass as labels: integers, booleans, one-hot rows or numbers, checked and made into what a loss takes."""

import math
from typing import Any, NamedTuple

import numpy as np

from jitcnn.forms.arrays import take
from jitcnn.inputs import check_finite


class Targets(NamedTuple):
    """Labels, ready for a loss.

    Attributes
    ----------
    targets : int64 array (n,), or float array (n, outputs)
        What the loss compares outputs with: class numbers, or a number for each output.
    classes : int64 array (n,), or None
        The class of each sample, where it has one: for counting right answers, and for a stratified validation share.
    weights : float array (n, 1), or None
        How much each sample's loss counts; all the same if None.
    """

    targets: np.ndarray
    classes: np.ndarray | None
    weights: np.ndarray | None = None


def as_targets(
    y: Any, images: int, output_shape: tuple[int, ...], *, wants_classes: bool, shares: bool, accuracy: bool, dtype: Any, name: str = "y"
) -> Targets:
    """Labels as a loss takes them.

    Parameters
    ----------
    y
        Class numbers or booleans (n,), one-hot rows (n, classes), or numbers (n, *output_shape).
    images
        How many images they belong to.
    output_shape
        Of one output of the model.
    wants_classes
        Whether the loss takes class numbers; floats otherwise.
    shares
        Whether floats must lie from 0 to 1.
    accuracy
        Whether right answers are counted, which takes a class, or a yes or no, for each sample.
    dtype
        The model's, for floats.
    name
        The argument's name, for messages.

    Raises
    ------
    ValueError
        If the number of labels, their width, their range or their kind does not fit.
    """
    labels = take(name, y)
    if labels.dtype.kind not in "biuf" or labels.ndim == 0:
        raise ValueError(f"{name} is {labels.dtype} of shape {labels.shape}, expected class numbers, booleans, one-hot rows or floats")
    if len(labels) != images:
        raise ValueError(f"x has {images} images and {name} has {len(labels)} labels: give one label for each image")
    check_finite(name, labels, "label")
    outputs = math.prod(output_shape)
    if outputs > 1 and is_column(labels) and labels.dtype.kind in "biu":
        classes = class_numbers(name, labels, outputs)
    elif wants_classes:
        classes = one_hot_classes(name, labels, outputs, insist=True)
    else:
        return float_targets(name, labels, output_shape, shares, accuracy, np.dtype(dtype))
    if wants_classes:
        return Targets(classes, classes)
    return Targets(np.equal.outer(classes, np.arange(outputs)).astype(dtype), classes)


def is_column(labels: np.ndarray) -> bool:
    """Whether there is one number a sample."""
    return labels.size == len(labels)


def class_numbers(name: str, labels: np.ndarray, outputs: int) -> np.ndarray:
    """Class numbers as int64 (n,), within the range that the output has."""
    column = labels.reshape(-1)
    outside = (column < 0) | (column >= outputs)
    if outside.any():
        at = int(np.argmax(outside))
        advice = (
            f"labels from 1 to {outputs} become {name} - 1"
            if column.min() >= 1 and column.max() == outputs
            else "see the last layer's size"
        )
        raise ValueError(f"{name} has the label {column[at]} at {at}, and the model {outputs} classes, 0 to {outputs - 1}: {advice}")
    return np.ascontiguousarray(column, dtype=np.int64)


def one_hot_classes(name: str, labels: np.ndarray, outputs: int, insist: bool) -> Any:
    """Class numbers of one-hot rows; None, or with `insist` a ValueError, where rows are something else."""
    if insist and is_column(labels):
        raise ValueError(
            f"{name} is {labels.dtype} of shape {labels.shape}, expected class numbers: give {name}.astype(int), or one-hot rows"
        )
    rows = labels.reshape(len(labels), -1)
    if insist and rows.shape[1] != outputs:
        raise ValueError(f"{name} is {labels.shape}, and the model has {outputs} outputs: give class numbers, or rows of {outputs}")
    right = ((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)
    if right.all():
        return np.argmax(rows, axis=1).astype(np.int64)
    if insist:
        at = int(np.argmin(right))
        raise ValueError(f"{name} has {rows[at]} at {at}, which is not one-hot: a row needs one 1 and otherwise 0")
    return None


def float_targets(name: str, labels: np.ndarray, output_shape: tuple[int, ...], shares: bool, accuracy: bool, dtype: np.dtype) -> Targets:
    """A number for each output, and classes where there are any."""
    outputs = math.prod(output_shape)
    shapes = [output_shape, (outputs,)] + ([()] if outputs == 1 else [])
    if labels.shape[1:] not in shapes:
        expected = f"(n, {', '.join(map(str, output_shape))})"
        raise ValueError(f"{name} is {labels.shape}, and the model's output is {output_shape}: give {expected}, or class numbers (n,)")
    rows = labels.reshape(len(labels), outputs)
    if shares and ((rows < 0) | (rows > 1)).any():
        at = int(np.argmax(((rows < 0) | (rows > 1)).any(axis=1)))
        raise ValueError(f"{name} has {rows[at] if outputs > 1 else rows[at, 0]} at {at}: targets of a sigmoid lie from 0 to 1")
    if outputs == 1:
        classes = rows[:, 0].astype(np.int64) if ((rows == 0) | (rows == 1)).all() else None
    else:
        classes = one_hot_classes(name, rows, outputs, insist=False)
    if accuracy and classes is None and not shares:
        raise ValueError(f"{name} holds numbers, not classes, so there is no accuracy: compile with metrics=()")
    return Targets(np.ascontiguousarray(rows, dtype=dtype), classes)


def validation_split(
    images: int, share: float, classes: np.ndarray | None, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the images to train on and to validate on, each in ascending order: drawn without repetition, disjoint.

    Parameters
    ----------
    images
        How many there are.
    share
        The part to validate on, between 0 and 1.
    classes
        The class of each image: each keeps its share, as near as whole images allow. None draws from all alike.
    generator
        What is drawn from.

    Raises
    ------
    ValueError
        If nothing would be left to train or to validate on.
    """
    wanted = round(images * share)
    if not 0 < wanted < images:
        raise ValueError(f"validation is {share} of {images} images, which leaves none to {'validate' if wanted == 0 else 'train'} on")
    shuffled = generator.permutation(images)
    groups = [shuffled] if classes is None else [shuffled[classes[shuffled] == c] for c in np.unique(classes)]
    counts = proportional(np.array([len(group) for group in groups]), wanted)
    validation = np.sort(np.concatenate([group[:count] for group, count in zip(groups, counts, strict=True)]))
    trained_on = np.ones(images, bool)
    trained_on[validation] = False
    return np.flatnonzero(trained_on), validation


def proportional(sizes: np.ndarray, wanted: int) -> np.ndarray:
    """How many of each group, `wanted` in all, in proportion to their sizes; the largest remainders take what is left over.

    One of each group stays behind if that is possible.

    >>> proportional(np.array([50, 30, 1]), 27)
    array([17, 10,  0])
    """
    exact = sizes * wanted / sizes.sum()
    counts = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(counts - exact, kind="stable")
    for limit in (sizes - 1, sizes):
        while counts.sum() < wanted and (counts < limit).any():
            for group in by_remainder:
                if counts.sum() < wanted and counts[group] < limit[group]:
                    counts[group] += 1
    return counts
