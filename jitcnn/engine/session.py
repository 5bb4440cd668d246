"""A program together with the arrays it reads and writes, which may be exchanged from one run to the next."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn.engine import build_program
from jitcnn.mapped import Reading

CHUNK_SECONDS = 0.04


class Session:
    """A step, made into a program once, over data that change from run to run.

    Attributes
    ----------
    data : namespace
        The arrays, `data.order` among them, that `record(step, data)` looks up. Between runs they are placeholders of `rows` rows, so
        that nobody's data are kept in memory.
    sound : bool
        False once Ctrl-C came while arrays were exchanged: the program may name memory that is no more, so make another.
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
        rows: int = 1,
    ):
        """Make the program.

        Parameters
        ----------
        record
            `record(step, data)` makes the step's calls.
        arrays
            The arrays by name, `order` and those of `step.output` among them.
        rows
            Of the placeholders.
        kind, batch_size, dtype, training, step_number, threads
            As for `jitcnn.engine.build_program`.
        """
        self._placeholders = {name: np.zeros((rows, *array.shape[1:]), array.dtype) for name, array in arrays.items()}
        self._placeholders["order"][...] = np.arange(rows)
        self.batch_size, self.sound = batch_size, True
        self._steps_a_chunk = 1
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
        """Work on these arrays meanwhile."""
        self.bind(arrays)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Let go of all arrays."""
        self.bind(self._placeholders)

    def bind(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Work on these arrays from now on: same names, dtypes and shapes of one row as at the start."""
        sound, self.sound = self.sound, False
        for name, new in arrays.items():
            old = getattr(self.data, name)
            if new.dtype != old.dtype or new.shape[1:] != old.shape[1:]:
                raise ValueError(f"{name} is {new.shape} of {new.dtype}, expected rows of {old.shape[1:]} of {old.dtype}")
            if new is not old:
                self.program.bind(old, new)
                setattr(self.data, name, new)
        self.sound = sound

    def run_all(
        self, after_chunk: Callable[[int], None] | None = None, first: int = 0, limit: Callable[[], int | None] = lambda: None
    ) -> None:
        """Perform one pass over the whole order; the last batch may be smaller.

        Steps run in chunks of about `CHUNK_SECONDS`, between which Ctrl-C is heard, and memory of large files is given back. How many
        that are changes no result.

        Parameters
        ----------
        after_chunk
            Called with the number of images done so far.
        first
            How many images are done already: all, or those of whole steps.
        limit
            How many steps the next chunk may have at most; None for any number.
        """
        images = len(self.data.order)
        whole = images // self.batch_size
        reading = Reading(self.data.images)
        done = first // self.batch_size
        while done < whole:
            most = max(1, (reading.rows() or images) // self.batch_size)
            steps = min(self._steps_a_chunk, whole - done, most, limit() or whole)
            started = time.perf_counter()
            self.program.run(done * self.batch_size, steps)
            seconds = (time.perf_counter() - started) / steps
            self._steps_a_chunk = max(1, min(2 * self._steps_a_chunk, int(CHUNK_SECONDS / max(seconds, 1e-9))))
            done += steps
            reading.done(steps * self.batch_size)
            if after_chunk is not None:
                after_chunk(done * self.batch_size)
        rest = images - whole * self.batch_size
        if rest and first < images:
            self.program.run(whole * self.batch_size, 1, rest)
            if after_chunk is not None:
                after_chunk(images)
