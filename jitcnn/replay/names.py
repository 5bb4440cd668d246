"""Names of single weights, as people write them."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

_WRITTEN = re.compile(r"([^\[\]]+?)\s*\[([^\[\]]*)\]")


@dataclass(frozen=True)
class WeightName:
    """One number of a parameter.

    Attributes
    ----------
    parameter : str
        As in `model.parameters`: `conv1/weights`.
    index : tuple of int
        Where in it, by axis, each from 0.
    """

    parameter: str
    index: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.parameter}[{','.join(map(str, self.index))}]"


def find_weight(shapes: Mapping[str, tuple[int, ...]], text: str) -> WeightName:
    """The weight that a text names.

    Parameters
    ----------
    shapes
        The model's parameters, `model.parameter_shapes`.
    text
        `conv1/weights[0,0,0,3]` or `conv1/bias[3]`, as in `model.parameters`. A layer's name alone, `conv1[0,0,0,3]`, means its `weights`,
        or its only parameter. A convolution's weights are [row, column, channel, filter], a dense layer's [input, unit]; negative
        numbers count from the end.

    Raises
    ------
    ValueError
        If it names none.

    Examples
    --------
    >>> str(find_weight({"conv1/weights": (3, 3, 1, 4), "conv1/bias": (4,)}, "conv1[0, 0, 0, -1]"))
    'conv1/weights[0,0,0,3]'
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"why is {text!r}, expected a parameter and an index, such as {_example(shapes)}")
    name = _parameter(shapes, match[1])
    shape = shapes[name]
    try:
        index = tuple(int(number) for number in match[2].split(","))
    except ValueError:
        raise ValueError(f"why is {text!r}: [{match[2]}] is no index, expected whole numbers such as {_example(shapes)}") from None
    size = f"{name} is {' x '.join(map(str, shape))}"
    if len(index) != len(shape):
        raise ValueError(f"why is {text!r}, and {size}: give {len(shape)} {'number' if len(shape) == 1 else 'numbers'} in brackets")
    for axis, (number, length) in enumerate(zip(index, shape, strict=True), 1):
        if not -length <= number < length:
            raise ValueError(f"why is {text!r}, and {size}: number {axis} goes from 0 to {length - 1}")
    return WeightName(name, tuple(number % length for number, length in zip(index, shape, strict=True)))


def _parameter(shapes: Mapping[str, tuple[int, ...]], name: str) -> str:
    """The parameter's full name; a ValueError if there is none."""
    if name in shapes:
        return name
    own = [full for full in shapes if full.rpartition("/")[0] == name]
    if f"{name}/weights" in own or len(own) == 1:
        return f"{name}/weights" if f"{name}/weights" in own else own[0]
    near = difflib.get_close_matches(name, [*shapes, *(full.rpartition("/")[0] for full in shapes)], 1)
    meant = f"; {near[0]} was perhaps meant" if near else ""
    raise ValueError(f"why names {name!r}, and the model's parameters are {', '.join(shapes) or 'none at all'}{meant}")


def _example(shapes: Mapping[str, tuple[int, ...]]) -> str:
    name, shape = next(iter(shapes.items()), ("conv1/weights", (3, 3, 1, 8)))
    return str(WeightName(name, (0,) * len(shape)))
