"""A program together with the arrays it reads and writes, which may be exchanged from one run to the next."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn.engine import build_program


class Session:
    """A step, made into a program once, over data that change from run to run.

    Attributes
    ----------
    data : namespace
        The arrays, `data.order` among them, that `record(step, data)` looks up. Between runs they are placeholders of one row, so that
        nobody's data are kept in memory.
    """

    def __init__(
        self,
        kind: str,
        record: Callable[[Any, SimpleNamespace], None],
        arrays: Mapping[str, np.ndarray],
        batch_size: int,
        dtype: Any,
        training: bool = False,
        step_number: np.ndarray | None = None,
        threads: int | None = None,
    ):
        """Make the program.

        Parameters
        ----------
        record
            `record(step, data)` makes the step's calls.
        arrays
            The arrays by name, `order` and those of `step.output` among them.
        kind, batch_size, dtype, training, step_number, threads
            As for `jitcnn.engine.build_program`.
        """
        self._placeholders = {name: np.zeros((1, *array.shape[1:]), array.dtype) for name, array in arrays.items()}
        self.batch_size = batch_size
        self.data = SimpleNamespace(**self._placeholders, position=np.zeros(1, np.int64))
        step_number = np.zeros(1, np.int64) if step_number is None else step_number
        self.program = build_program(
            kind,
            lambda step: record(step, self.data),
            batch_size,
            dtype,
            training,
            self.data.order,
            self.data.position,
            step_number,
            threads,
        )

    @contextmanager
    def using(self, arrays: Mapping[str, np.ndarray]) -> Iterator[None]:
        """Work on these arrays meanwhile: same names, dtypes and shapes of one row as at the start."""
        self._bind(arrays)
        try:
            yield
        finally:
            self._bind(self._placeholders)

    def _bind(self, arrays: Mapping[str, np.ndarray]) -> None:
        for name, new in arrays.items():
            old = getattr(self.data, name)
            if new.dtype != old.dtype or new.shape[1:] != old.shape[1:]:
                raise ValueError(f"{name} is {new.shape} of {new.dtype}, expected rows of {old.shape[1:]} of {old.dtype}")
            if new is not old:
                self.program.bind(old, new)
                setattr(self.data, name, new)

    def run_all(self) -> None:
        """Perform one pass over the whole order; the last batch may be smaller."""
        images = len(self.data.order)
        whole, rest = divmod(images, self.batch_size)
        if whole:
            self.program.run(0, whole)
        if rest:
            self.program.run(whole * self.batch_size, 1, rest)
