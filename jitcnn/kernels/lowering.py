"""How each kernel's prepared form is written down in a program, by name; and programs of a single call."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from jitcnn.forms.prepared import ARGUMENTS, check
from jitcnn.kernels import runner
from jitcnn.kernels.activation import LOWERINGS as ACTIVATION
from jitcnn.kernels.augment import LOWERINGS as AUGMENT
from jitcnn.kernels.bias import LOWERINGS as BIAS
from jitcnn.kernels.buffers import Buffer, address_of, point
from jitcnn.kernels.clipping import LOWERINGS as CLIPPING
from jitcnn.kernels.compiling import hold_across_forks
from jitcnn.kernels.conv import LOWERINGS as CONV
from jitcnn.kernels.conv_weights import LOWERINGS as CONV_WEIGHTS
from jitcnn.kernels.dense import LOWERINGS as DENSE
from jitcnn.kernels.dropout import LOWERINGS as DROPOUT
from jitcnn.kernels.elementwise import LOWERINGS as ELEMENTWISE
from jitcnn.kernels.finite import small, watch
from jitcnn.kernels.image import LOWERINGS as IMAGE
from jitcnn.kernels.loss import LOWERINGS as LOSS
from jitcnn.kernels.padding import LOWERINGS as PADDING
from jitcnn.kernels.pool import LOWERINGS as POOL
from jitcnn.kernels.program import Program
from jitcnn.kernels.scaling import LOWERINGS as SCALING
from jitcnn.kernels.threads import num_threads
from jitcnn.kernels.update import LOWERINGS as UPDATE
from jitcnn.kernels.upsample import LOWERINGS as UPSAMPLE

#: lowering(program, *prepared arguments) by kernel
LOWERINGS: dict[str, Callable[..., None]] = {
    **CONV, **CONV_WEIGHTS, **BIAS, **PADDING, **POOL, **DENSE, **UPSAMPLE, **ELEMENTWISE, **ACTIVATION, **DROPOUT, **LOSS, **UPDATE,
    **CLIPPING, **IMAGE, **AUGMENT, **SCALING,
}  # fmt: skip


def over_images(axes: tuple[str, ...]) -> bool:
    """Whether an argument's first axis is the batch."""
    return axes[0] in ("images", "...")


MOST_PROGRAMS = 64


def run_alone(name: str, *arguments: Any) -> None:
    """Check a prepared call, then run it as a program of its own, which is kept for calls of the same sizes.

    What was checked once is not checked again: the key holds all that a check looks at.
    """
    key: list[Any] = [name]
    arrays, addresses = [], []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            arrays.append(argument)
            addresses.append(address_of(argument))
            key += (argument.shape, argument.dtype, argument.flags.num, addresses.index(addresses[-1]))
        else:
            key.append(argument)
    with _programs_lock:
        known = (*key, num_threads())
        program = _programs.pop(known, None)
        if program is None:
            check(name, *arguments)
            program = Single(name, arguments)
        _programs[known] = program
        if len(_programs) > MOST_PROGRAMS:
            del _programs[next(iter(_programs))]
        program.run(arguments, arrays, addresses)


class Single:
    """A program of one call, for any arrays of these sizes.

    Where the fast way gives other numbers than the exact one from infinities and NaN, its results or arguments are looked through, and the
    call is done again the exact way if there are any.
    """

    def __init__(self, name: str, arguments: tuple[Any, ...], assume_finite: bool = True):
        declared = ARGUMENTS[name][: len(arguments)]
        batch = next((len(v) for v, a in zip(arguments, declared, strict=True) if a.axes and over_images(a.axes)), 1)
        self.program = Program(batch, assume_finite=assume_finite)
        self.name = name
        self.strange = np.zeros(1, np.int64)
        self.exact: Single | None = None
        values: list[Any] = []
        arrays: list[np.ndarray] = []
        for value, argument in zip(arguments, declared, strict=True):
            if isinstance(value, np.ndarray):
                arrays.append(value)
            if argument.axes is None or not over_images(argument.axes):
                values.append(value)
            else:
                values.append(self.program.external(value))
        LOWERINGS[name](self.program, *values)
        self.watched = [n for n, array in enumerate(arrays) if any(array is result for result in self.program.only_if_finite)]
        for result in self.program.only_if_finite:
            if isinstance(result, Buffer):
                watch(self.program, result, self.strange)
        self.program.finish()
        self.uses = self.program.release(arrays)

    def run(self, arguments: tuple[Any, ...], arrays: list[np.ndarray], addresses: list[int]) -> None:
        """Run on these arguments, whose arrays and their addresses are given too."""
        for uses, address in zip(self.uses, addresses, strict=True):
            for use in uses:
                point(use, address)
        self.program.counters[runner.POSITION] = 0
        self.program.prepare()
        self.program.run()
        if self.strange[0] or not all(small(arrays[n]) for n in self.watched):
            self.strange[0] = 0
            self.exact = self.exact or Single(self.name, arguments, assume_finite=False)
            self.exact.run(arguments, arrays, addresses)


_programs: dict[tuple, Single] = {}
_programs_lock = threading.Lock()
hold_across_forks(_programs_lock)  # after the compiler's, so taken before it, as in `run_alone`
