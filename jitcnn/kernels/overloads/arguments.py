"""What public forms do with their arguments, inside compiled code: the twin of `jitcnn.forms`.

Types (dtype, number of axes, memory order) are checked when the caller is compiled; sizes when it runs, as a ValueError with a fixed
message. Overlap of `out` with an input is not looked for.
"""

import numpy as np
from numba import types
from numba.core.errors import TypingError

from jitcnn.forms.codes import AVERAGE, EDGE, MAX, MIN, ZERO
from jitcnn.kernels.overloads.compiled import by_type, literal, serial
from jitcnn.kernels.overloads.prepared import run

FLOATS = (types.float32, types.float64)


def require_array(value: types.Type, like: types.Type, axes: int, written: bool = False, orders: str = "CFA") -> None:
    """Raise a TypingError unless compiled code can take `value` as an array like `like`; axes 0: any number from one up."""
    if not isinstance(value, types.Array) or value.dtype not in FLOATS:
        raise TypingError(f"expected an array of float32 or float64, not {value}")
    if value.dtype != like.dtype:
        raise TypingError(f"expected one dtype in a call, not {like.dtype} and {value.dtype}")
    if value.ndim != axes if axes else value.ndim == 0:
        raise TypingError(f"expected an array of {axes or 'some'} axes, not {value}")
    if written and not (value.mutable and value.layout in orders):
        raise TypingError(f"expected a contiguous array that can be written, not {value}")


@by_type
def floating(value, axes, like):
    """A C-contiguous array of so many axes (0: any number) and of the dtype of `like`: `value` itself, or a copy."""
    require_array(value, like, literal(axes))

    def take(value, axes, like):
        if value.size == 0:
            raise ValueError("an array is empty: every axis needs at least one entry")
        return np.ascontiguousarray(value)

    return take


@by_type
def bias(b, w):
    """A bias with one number for each column of w; an empty array for None."""
    if isinstance(b, types.NoneType):
        return lambda b, w: np.empty(0, w.dtype)

    def take(b, w):
        if b.size != w.shape[-1]:
            raise ValueError("b and w differ in their filters or units")
        return floating(b, 1, w)

    return take


@by_type
def output(out, shape, like, orders="C"):
    """The array to write: `out`, of this shape and of the dtype of `like`, or a new one."""
    if isinstance(out, types.NoneType):
        return lambda out, shape, like, orders="C": np.empty(shape, like.dtype)
    require_array(out, like, len(shape), True, orders if isinstance(orders, str) else literal(orders))

    def take(out, shape, like, orders="C"):
        if out.shape != shape:
            raise ValueError("out has another shape than the result")
        return out

    return take


@by_type
def changed(w, out, like):
    """What an update changes, as one line: `w`, or `out` with the numbers of w; of the shape of `like`."""
    require_array(w, like, like.ndim, isinstance(out, types.NoneType), "C")

    def take(w, out, like):
        if w.shape != like.shape:
            raise ValueError("the arrays of an update differ in shape")
        if out is None:
            return w.reshape(w.size)
        new = output(out, like.shape, like)
        new[...] = w
        return new.reshape(new.size)

    return take


@by_type
def pair(value):
    """(rows, columns), both positive, from an integer or a pair."""
    if isinstance(value, types.Integer):
        return lambda value: positive(np.int64(value), np.int64(value))
    if isinstance(value, types.BaseTuple) and len(value) == 2:
        return lambda value: positive(np.int64(value[0]), np.int64(value[1]))
    raise TypingError(f"expected an integer or a pair (rows, columns), not {value}")


@serial
def positive(rows, columns):
    """The pair itself, of positive numbers."""
    if rows < 1 or columns < 1:
        raise ValueError("a size, stride or factor is below 1")
    return rows, columns


@by_type
def sides(padding):
    """(top, bottom, left, right), none negative, from an integer, a pair, or a pair of pairs."""
    if isinstance(padding, types.Integer):
        return lambda padding: not_negative(np.int64(padding), np.int64(padding), np.int64(padding), np.int64(padding))
    if isinstance(padding, types.BaseTuple) and len(padding) == 2:
        if all(isinstance(side, types.Integer) for side in padding):
            return lambda padding: not_negative(np.int64(padding[0]), np.int64(padding[0]), np.int64(padding[1]), np.int64(padding[1]))
        return lambda padding: not_negative(
            np.int64(padding[0][0]), np.int64(padding[0][1]), np.int64(padding[1][0]), np.int64(padding[1][1])
        )
    raise TypingError(f"expected an integer, (rows, columns) or ((top, bottom), (left, right)), not {padding}")


@serial
def not_negative(top, bottom, left, right):
    """The four themselves, none of them negative."""
    if min(top, bottom, left, right) < 0:
        raise ValueError("padding is negative")
    return top, bottom, left, right


@serial
def window_counts(height, width, kernel, stride, around):
    """How many windows fit along rows and columns."""
    room_h, room_w = height + around[0] + around[1] - kernel[0], width + around[2] + around[3] - kernel[1]
    if room_h < 0 or room_w < 0:
        raise ValueError("the kernel is larger than the padded image")
    return room_h // stride[0] + 1, room_w // stride[1] + 1


@serial
def pool_code(kind):
    """The code of "max", "min" or "average"."""
    if kind == "max":
        return MAX
    if kind == "min":
        return MIN
    if kind == "average":
        return AVERAGE
    raise ValueError("kind is none of max, min and average")


@serial
def padding_code(mode):
    """The code of "zero" or "edge"."""
    if mode == "zero":
        return ZERO
    if mode == "edge":
        return EDGE
    raise ValueError("mode is neither zero nor edge")


@by_type
def activate(activation, y):
    """Run an activation in place."""
    if isinstance(activation, types.NoneType):
        return lambda activation, y: None

    def by_name(activation, y):
        if activation == "relu":
            run("relu", y, y)
        elif activation == "sigmoid":
            run("sigmoid", y, y)
        elif activation == "tanh":
            run("tanh", y, y)
        elif activation == "softmax":
            run("softmax", y, y)
        elif activation != "linear":
            raise ValueError("activation is none of linear, relu, sigmoid, tanh and softmax")

    return by_name


@by_type
def class_numbers(labels, logits):
    """Labels as int64, each below the number of classes: from numbers (images,) or one-hot rows (images, classes)."""

    def from_numbers(labels, logits):
        if labels.size != logits.shape[0]:
            raise ValueError("labels and logits differ in their images")
        numbers = np.empty(labels.size, np.int64)
        for n in range(labels.size):
            numbers[n] = labels[n]
            if numbers[n] != labels[n] or not 0 <= numbers[n] < logits.shape[1]:
                raise ValueError("a label is no class number")
        return numbers

    def from_rows(labels, logits):
        if labels.shape != logits.shape:
            raise ValueError("labels and logits differ in shape")
        numbers = np.empty(labels.shape[0], np.int64)
        for n in range(labels.shape[0]):
            ones = 0
            for k in range(labels.shape[1]):
                if labels[n, k] == 1:
                    ones, numbers[n] = ones + 1, k
                elif labels[n, k] != 0:
                    ones = 2
            if ones != 1:
                raise ValueError("a row of labels is not one-hot")
        return numbers

    return (from_numbers, from_rows)[require_labels(labels) - 1]


@by_type
def probabilities(targets, logits):
    """Targets as numbers from 0 to 1 of the shape and dtype of the logits; (images,) is one class."""
    if require_labels(targets) == 1:
        return lambda targets, logits: probabilities(targets.reshape((targets.size, 1)), logits)

    def take(targets, logits):
        if targets.shape != logits.shape:
            raise ValueError("targets and logits differ in shape")
        numbers = np.empty(logits.shape, logits.dtype)
        for n in range(targets.shape[0]):
            for k in range(targets.shape[1]):
                numbers[n, k] = targets[n, k]
                if not 0 <= numbers[n, k] <= 1:
                    raise ValueError("a target is not between 0 and 1")
        return numbers

    return take


def require_labels(labels: types.Type) -> int:
    """The number of axes of labels, 1 or 2."""
    if not (isinstance(labels, types.Array) and labels.ndim in (1, 2) and isinstance(labels.dtype, types.Number | types.Boolean)):
        raise TypingError(f"expected labels or targets of one or two axes, not {labels}")
    return labels.ndim


@serial
def mean(losses):
    """The mean, in float64."""
    total = 0.0
    for n in range(losses.size):
        total += losses[n]
    return total / losses.size
