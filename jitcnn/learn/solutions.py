"""A learner's file: its functions, run so that whatever goes wrong in them is one line with the line's number in that file."""

import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np


class LessonError(Exception):
    """What is wrong in a learner's file, in one line."""


class Solution:
    """The functions of a file, as attributes.

    Parameters
    ----------
    path
        The file's name, for messages.
    text
        What it holds.
    functions
        Names of those that it must define.

    Raises
    ------
    LessonError
        If it cannot be run or lacks one; and from then on whenever one of them fails or returns nothing.
    """

    def __init__(self, path: Path, text: bytes, functions: Iterable[str]):
        self.path = path
        names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
        self._guarded(lambda: exec(compile(text, str(path), "exec"), names))()
        for name in functions:
            if not callable(names.get(name)):
                raise LessonError(f"{path} has no function {name}: write it, the lesson's file shows how it begins")
            setattr(self, name, self._checked(name, names[name]))

    def _checked(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        guarded = self._guarded(function)

        def call(*arguments: Any) -> Any:
            copies = [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]
            result = guarded(*copies)
            if result is None:
                raise LessonError(f"{self.path}: {name} returns nothing: end it with `return` and the result")
            return result

        return call

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except (Exception, SystemExit) as error:
                raise LessonError(self._in_a_line(error)) from error

        return call

    def _in_a_line(self, error: BaseException) -> str:
        if isinstance(error, SyntaxError) and error.filename == str(self.path) and error.lineno:
            return f"{self.path}, line {error.lineno}: {error.msg}"
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.path)]
        said = re.search(rf'File "{re.escape(self.path.name)}", line (\d+)', str(error))  # Numba compiles a line that no frame stands at
        number = said[1] if said else frames[-1].lineno if frames else None
        where = f"{self.path}, line {number}" if number else str(self.path)
        if isinstance(error, NotImplementedError) and not str(error) and frames:
            return f"{where}: {frames[-1].name} is still empty: write it, its formula stands at the top of the file"
        text = " ".join([line.strip() for line in str(error).splitlines() if line.strip()][:2])  # Numba's say what is wrong in the second
        return f"{where}: {type(error).__name__}{': ' if text else ''}{text}"
