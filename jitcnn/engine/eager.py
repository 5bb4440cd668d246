"""The engines that run every call at once, on whole batches of NumPy arrays: "python" and "loops".

"python" runs the plain loops of `jitcnn.reference`, which a debugger steps through. "loops" runs the same loops compiled.
The recorder of the "fast" engine offers the same step and the same program; what a layer or an optimizer says to them is the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jitcnn.engine.parameter import Parameter
from jitcnn.forms.prepared import check, without_hints
from jitcnn.kernels.threads import enter, limited_threads, lock
from jitcnn.reference.codes import SERIAL
from jitcnn.reference.compiled import compiled
from jitcnn.reference.prepared import PREPARED

Array = np.ndarray


class EagerStep:
    """One step over one batch: buffers, and calls that run as they are made.

    Attributes
    ----------
    training : bool
        Whether this is a training step; dropout does nothing otherwise.
    batch_size : int
        Images in this batch.
    dtype : numpy.dtype
        The model's.
    step_number : int64 array (1,)
        The number of this training step, from 1.
    """

    def __init__(self, kind: str, batch_size: int, dtype: np.dtype, training: bool, step_number: Array):
        self.kind = kind
        self.batch_size = batch_size
        self.dtype = dtype
        self.training = training
        self.step_number = step_number
        self.outputs: list[tuple[Array, Array]] = []

    def buffer(self, shape: Sequence[int], dtype: Any = None) -> Array:
        """A new buffer for every image of the batch, with what happens to be in memory.

        Parameters
        ----------
        shape
            The shape of one image: (), (features,) or (rows, columns, channels). A shape of 2 or 4 entries has the batch axis in
            front, as in `x.shape`.
        dtype
            The model's dtype unless told otherwise.
        """
        return np.empty(with_batch_axis(shape, self.batch_size), self.dtype if dtype is None else dtype)

    def labels_buffer(self) -> Array:
        """A buffer for one class number an image, int64."""
        return self.buffer((), np.int64)

    def gradient_buffer(self, x: Array) -> Array:
        """A buffer for the loss's gradient with respect to `x`; not cleared."""
        return np.empty(x.shape, x.dtype)

    def gradient(self, parameter: Parameter) -> Array:
        """The array of a parameter's gradient, under its public shape."""
        return parameter.gradient

    def reshape(self, x: Array, shape: Sequence[int]) -> Array:
        """The same numbers under another shape of an image."""
        return x.reshape(with_batch_axis(shape, x.shape[0]))

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Run a kernel, or anybody's function.

        Parameters
        ----------
        function
            A kernel of `jitcnn.kernels` or `jitcnn.reference`, or any function that writes into the arrays it is given.
        *arguments
            A kernel's prepared form: arrays and integers. A `Parameter` stands for its array.
        """
        values = [argument.value if isinstance(argument, Parameter) else argument for argument in arguments]
        name = getattr(function, "prepared_name", None)
        if name is None:
            function(*values)
        else:
            check(name, *values)
            arguments = without_hints(name, values)
            if self.kind == "python":
                PREPARED[name](*arguments)
            else:
                with lock:
                    if name not in SERIAL:
                        enter()
                    compiled(name)(*arguments)

    def output(self, buffer: Array, array: Array) -> None:
        """After this step, keep what `buffer` then holds in the rows of `array` that belong to the batch."""
        self.outputs.append((buffer, array))


def with_batch_axis(shape: Sequence[int], batch_size: int) -> tuple[int, ...]:
    """The shape of a buffer: that of one image behind the batch axis, unless it is there already (2 or 4 entries)."""
    shape = tuple(int(size) for size in shape)
    if len(shape) not in (2, 4):
        return (batch_size, *shape)
    if shape[0] != batch_size:
        raise ValueError(f"a buffer of shape {shape} was asked for in a batch of {batch_size}: give the shape of one image, {shape[1:]}")
    return shape


class EagerProgram:
    """Runs `record` anew at every step. Arguments as for `jitcnn.engine.build_program`."""

    def __init__(
        self,
        kind: str,
        record: Callable[[EagerStep], None],
        batch_size: int,
        dtype: np.dtype,
        training: bool,
        position: Array,
        step_number: Array,
        threads: int | None,
    ):
        self.kind = kind
        self.record = record
        self.batch_size = batch_size
        self.dtype = dtype
        self.training = training
        self.position = position
        self.step_number = step_number
        self.threads = threads

    def prepare(self) -> None:
        """Nothing to do: nothing here is derived from the weights."""

    def bind(self, old: Array, new: Array) -> None:
        """Nothing to do: `record` runs anew at every step and finds the new array where the caller keeps it."""

    def run(self, first: int, steps: int, batch: int | None = None) -> None:
        """Perform consecutive steps.

        Parameters
        ----------
        first
            Where in the order the first batch starts.
        steps
            How many steps.
        batch
            Images in each of them, at most the program's batch size, which is the default.
        """
        batch = self.batch_size if batch is None else batch
        with np.errstate(all="ignore"), limited_threads(self.threads):  # NaN and overflow travel on as numbers, without a warning
            for number in range(steps):
                self.position[0] = first + number * batch
                if self.training:
                    self.step_number[0] += 1
                self._step(batch)

    def _step(self, batch: int) -> None:
        step = EagerStep(self.kind, batch, self.dtype, self.training, self.step_number)
        self.record(step)
        start = int(self.position[0])
        for buffer, array in step.outputs:
            array[start : start + batch] = buffer
