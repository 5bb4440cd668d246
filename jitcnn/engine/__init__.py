"""What runs a step: eagerly ("python", "loops"), or recorded once and replayed ("fast")."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from jitcnn.engine.parameter import FlatLayout, Parameter

__all__ = ["ENGINES", "FlatLayout", "Parameter", "Program", "build_program"]

ENGINES = ("fast", "loops", "python")


class Program(Protocol):
    """What `build_program` returns."""

    def run(self, first: int, steps: int, batch: int | None = None) -> None:
        """Perform `steps` consecutive steps of `batch` images from position `first` of the order."""

    def prepare(self) -> None:
        """Rebuild whatever is derived from weights: they may have been written from outside."""

    def bind(self, old: np.ndarray, new: np.ndarray) -> None:
        """Use `new` (same dtype, same shape of an image) wherever `old` was used."""


def build_program(
    kind: str,
    record: Callable[[Any], None],
    batch_size: int,
    dtype: Any,
    training: bool,
    order: np.ndarray,
    position: np.ndarray,
    step_number: np.ndarray,
    threads: int | None = None,
) -> Program:
    """Make a program of a step.

    Parameters
    ----------
    kind
        "fast", "loops" or "python".
    record
        `record(step)` makes the step's calls. "fast" calls it once, now; the others at every step. Arrays of the caller's that
        `bind` exchanges must be looked up in it, not captured.
    batch_size
        The largest number of images in a batch.
    dtype
        Of buffers: float32 or float64.
    training
        Whether steps train: `step.training`, and the step number advances by one before each.
    order : int64 array
        Numbers of the images, in the order in which batches take them.
    position, step_number : int64 array (1,)
        Written by the program: where in `order` the batch starts, and the number of the step.
    threads
        How many threads to use; None for all.

    Raises
    ------
    ValueError
        If `kind` is unknown.
    """
    if kind == "fast":
        from jitcnn.engine.recorder import build  # compiles kernels: not before somebody wants them

        return build(record, batch_size, np.dtype(dtype), training, order, position, step_number, threads)
    if kind in ENGINES:
        from jitcnn.engine.eager import EagerProgram

        return EagerProgram(kind, record, batch_size, np.dtype(dtype), training, position, step_number, threads)
    raise ValueError(f"engine is {kind!r}, expected one of {', '.join(map(repr, ENGINES))}")
