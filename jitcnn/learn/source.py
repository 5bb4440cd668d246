"""Functions read as text: where a line stands, and the same function with other lines."""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jitcnn

ROOT = Path(jitcnn.__file__).parent.parent


def source(function: Callable[..., Any], docstring: bool = True) -> str:
    """A function as it is written, without its docstring if wanted."""
    text = textwrap.dedent(inspect.getsource(function))
    if not docstring and function.__doc__:
        head, _, rest = text.partition('"""')
        text = head.rstrip().removesuffix("r").rstrip() + "\n" + rest.partition('"""')[2].lstrip("\n")
    return text


def place(function: Callable[..., Any], line: str = "def") -> str:
    """Where the first of these lines stands, or a function begins: "jitcnn/reference/conv.py, line 12"."""
    lines, start = inspect.getsourcelines(function)
    wanted = line.splitlines()[0].strip()
    number = next(number for number, text in enumerate(lines, start) if text.strip().startswith(wanted))
    return f"{Path(inspect.getfile(function)).relative_to(ROOT).as_posix()}, line {number}"


def with_lines(function: Callable[..., Any], right: str, wrong: str, more: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """The same function with other lines in one place.

    Parameters
    ----------
    function
        One whose source is a file.
    right, wrong
        Lines of its source, with the indentation of the first one left out, and what stands in their place.
    more
        Further names that the new lines use.

    Raises
    ------
    ValueError
        Unless the lines stand there exactly once.
    """
    text = source(function)
    if text.count(right) != 1:
        raise ValueError(f"{function.__name__} holds {right!r} {text.count(right)} times, expected once")
    start = text.index(right)
    margin = text[text.rindex("\n", 0, start) + 1 : start]
    names = {**function.__globals__, **(more or {})}
    exec(compile(text.replace(right, textwrap.indent(wrong, margin).lstrip()), f"<{function.__name__}, changed>", "exec"), names)
    return names[function.__name__]
