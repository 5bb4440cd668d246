"""Integers, words, sizes, strides and paddings as people write them, made plain; sizes of outputs."""

import math
import operator
from collections.abc import Collection, Sequence
from typing import Any

Pair = int | tuple[int, int]
Padding = int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
LARGEST = 2**63 - 1  # what fits where compiled code keeps an integer
Sides = tuple[tuple[int, int], tuple[int, int]]


def integer(name: str, value: Any, at_least: int | None = None) -> int:
    """`value` as a Python int; a ValueError unless it is an integer (not a bool) of at least `at_least`, at most 2**63 - 1."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}, expected an integer") from None
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} is {number}, expected at least {at_least}")
    if number > LARGEST:
        raise ValueError(f"{name} is {number}, expected at most {LARGEST}")
    return number


def pair(name: str, value: Any, at_least: int = 1) -> tuple[int, int]:
    """(rows, columns) from an integer, which counts for both, or a pair of integers."""
    if type(value) is int or not is_sequence(value):
        number = integer(name, value, at_least)
        return number, number
    if len(value) != 2:
        raise ValueError(f"{name} is {value!r}, expected an integer or a pair (rows, columns)")
    return integer(name, value[0], at_least), integer(name, value[1], at_least)


def sides(padding: Any) -> Sides:
    """((top, bottom), (left, right)) from an integer, a pair (rows, columns), or the two pairs themselves."""
    if isinstance(padding, str):
        raise ValueError(f"padding is {padding!r}: kernels take numbers, an integer, (rows, columns) or ((top, bottom), (left, right))")
    if is_sequence(padding) and len(padding) == 2 and any(is_sequence(side) for side in padding):
        top_bottom, left_right = (pair("padding", side, at_least=0) for side in padding)
        return top_bottom, left_right
    rows, columns = pair("padding", padding, at_least=0)
    return (rows, rows), (columns, columns)


def is_sequence(value: Any) -> bool:
    """Whether `value` is a list, a tuple, or an array of one axis or more."""
    return isinstance(value, list | tuple) or bool(getattr(value, "shape", ()))


def count(what: str, shape: Sequence[int]) -> int:
    """How many numbers there are; a ValueError if no computer has an address for each of them."""
    numbers = math.prod(shape)
    if numbers > LARGEST // 8:
        raise ValueError(f"{what} would hold {' x '.join(map(str, shape))} numbers, more than can be addressed")
    return numbers


def shape(name: str, value: Any, axes: Sequence[str]) -> tuple[int, ...]:
    """A tuple of positive integers, one an axis."""
    if not is_sequence(value) or len(value) != len(axes):
        raise ValueError(f"{name} is {value!r}, expected {len(axes)} integers ({', '.join(axes)})")
    if all(type(size) is int and 0 < size <= LARGEST for size in value):  # messages take longer to write than all else that is checked
        return tuple(value)
    return tuple(integer(f"{name}: {axis}", size, at_least=1) for axis, size in zip(axes, value, strict=True))


def no_empty_axis(name: str, sizes: Sequence[int], axes: Sequence[str] | None = None) -> None:
    """Raise a ValueError if an axis has no entries."""
    if all(sizes):
        return
    for axis, size in enumerate(sizes):
        if size < 1:
            word = axes[axis] if axes else f"axis {axis}"
            raise ValueError(f"{name} is {tuple(sizes)}, which has no {word}: every axis needs at least one entry")


def window_count(size: int, kernel: int, stride: int, padding: tuple[int, int], axis: str) -> int:
    """How many windows fit along one axis: floor((size + padding - kernel) / stride) + 1.

    Raises
    ------
    ValueError
        If not even one fits; `axis` ("rows" or "columns") says where.
    """
    room = size + sum(padding)
    if kernel > room:
        raise ValueError(
            f"the kernel has {kernel} {axis}, the image only {size} and {sum(padding)} of padding, so nothing is left of it: "
            f"give a kernel of at most {room} {axis}, or padding of at least {kernel - size} {axis} in all"
        )
    return (room - kernel) // stride + 1


def window_counts(image: Sequence[int], kernel: tuple[int, int], stride: tuple[int, int], padding: Sides) -> tuple[int, int]:
    """`window_count` of rows and of columns; `image` is (rows, columns)."""
    rows = window_count(image[0], kernel[0], stride[0], padding[0], "rows")
    return rows, window_count(image[1], kernel[1], stride[1], padding[1], "columns")


def choice(name: str, value: Any, allowed: Collection[Any]) -> Any:
    """`value`, or a ValueError that lists what is allowed."""
    if not (value is None or isinstance(value, str)) or value not in allowed:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(repr(word) for word in allowed)}")
    return value
