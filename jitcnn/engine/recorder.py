"""The "fast" engine: a step's calls are written down once, and the finished program is replayed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jitcnn.engine.eager import with_batch_axis
from jitcnn.engine.parameter import Parameter
from jitcnn.forms.prepared import check
from jitcnn.kernels import runner
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.image import store
from jitcnn.kernels.lowering import LOWERINGS
from jitcnn.kernels.program import Program

Array = np.ndarray


class Recorder:
    """One step being written down. What it offers is described at `jitcnn.engine.eager.EagerStep`."""

    def __init__(self, program: Program, dtype: np.dtype, training: bool, position: Array, step_number: Array):
        self.program = program
        self.batch_size = program.batch
        self.dtype = dtype
        self.training = training
        self.step_number = step_number
        self.position = position
        counters = program.counters
        self.own = {id(position): counters[runner.POSITION :][:1], id(step_number): counters[runner.STEP :][:1]}
        self.outputs: list[tuple[Buffer, Array]] = []

    def buffer(self, shape: Sequence[int], dtype: Any = None) -> Buffer:
        """A new buffer for every image of the batch."""
        return self.program.buffer(with_batch_axis(shape, self.batch_size), self.dtype if dtype is None else dtype)

    def labels_buffer(self) -> Buffer:
        """A buffer for one class number an image."""
        return self.buffer((), np.int64)

    def gradient_buffer(self, x: Buffer) -> Buffer:
        """A buffer for the loss's gradient with respect to `x`."""
        return self.program.buffer(x.shape, x.dtype)

    def gradient(self, parameter: Parameter) -> Array:
        """The array of a parameter's gradient."""
        return parameter.gradient

    def reshape(self, x: Buffer, shape: Sequence[int]) -> Buffer:
        """The same numbers under another shape of an image."""
        return x.reshaped(with_batch_axis(shape, self.batch_size))

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Write down a kernel's call, or one of anybody's function, which will be called between two segments of the program."""
        values = [argument.value if isinstance(argument, Parameter) else argument for argument in arguments]
        current = [self.own.get(id(value), value) for value in values]  # the program counts steps and positions itself
        name = getattr(function, "prepared_name", None)
        if name is None:
            self.program.call(function, tuple(current))
            return
        check(name, *values)
        LOWERINGS[name](self.program, *current)

    def output(self, buffer: Buffer, array: Array) -> None:
        """After each step, keep what `buffer` then holds in the rows of `array` that belong to the batch."""
        self.outputs.append((buffer, array))

    def finish(self) -> Program:
        """Write down what is kept, then make the program."""
        for buffer, array in self.outputs:
            store(self.program, buffer, array, self.own[id(self.position)])
        return self.program.finish()


class RecordedProgram:
    """A finished program behind the interface that the engines share (`jitcnn.engine.Program`)."""

    def __init__(self, program: Program, training: bool, position: Array, step_number: Array):
        self.program = program
        self.training = training
        self.position = position
        self.step_number = step_number

    def prepare(self) -> None:
        """Rebuild whatever is derived from weights."""
        self.program.prepare()

    def bind(self, old: Array, new: Array) -> None:
        """Use `new` wherever `old` was used."""
        self.program.bind(old, new)

    def run(self, first: int, steps: int, batch: int | None = None) -> None:
        """Perform consecutive steps from position `first` of the order."""
        counters = self.program.counters
        counters[runner.POSITION], counters[runner.STEP] = first, self.step_number[0]
        try:
            self.program.run(steps, batch, advance=int(self.training))
        finally:
            self.step_number[0] = counters[runner.STEP]
            self.position[0] = counters[runner.POSITION]


def build(
    record: Callable[[Recorder], None],
    batch_size: int,
    dtype: np.dtype,
    training: bool,
    order: Array,
    position: Array,
    step_number: Array,
    threads: int | None,
) -> RecordedProgram:
    """Record a step. Arguments as for `jitcnn.engine.build_program`."""
    recorder = Recorder(Program(batch_size, threads, assume_finite=True), dtype, training, position, step_number)
    record(recorder)
    return RecordedProgram(recorder.finish(), training, position, step_number)
