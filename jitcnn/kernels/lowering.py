"""How each kernel's prepared form is written down in a program, by name; and programs of a single call."""

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from jitcnn.forms.prepared import ARGUMENTS, check
from jitcnn.kernels import runner
from jitcnn.kernels.activation import LOWERINGS as ACTIVATION
from jitcnn.kernels.conv import LOWERINGS as CONV
from jitcnn.kernels.conv_weights import LOWERINGS as CONV_WEIGHTS
from jitcnn.kernels.dense import LOWERINGS as DENSE
from jitcnn.kernels.dropout import LOWERINGS as DROPOUT
from jitcnn.kernels.elementwise import LOWERINGS as ELEMENTWISE
from jitcnn.kernels.image import LOWERINGS as IMAGE
from jitcnn.kernels.loss import LOWERINGS as LOSS
from jitcnn.kernels.padding import LOWERINGS as PADDING
from jitcnn.kernels.pool import LOWERINGS as POOL
from jitcnn.kernels.program import Program, point
from jitcnn.kernels.update import LOWERINGS as UPDATE
from jitcnn.kernels.upsample import LOWERINGS as UPSAMPLE

#: lowering(program, *prepared arguments) by kernel
LOWERINGS: dict[str, Callable[..., None]] = {
    **CONV, **CONV_WEIGHTS, **PADDING, **POOL, **DENSE, **UPSAMPLE, **ELEMENTWISE, **ACTIVATION, **DROPOUT, **LOSS, **UPDATE, **IMAGE,
}  # fmt: skip


def over_images(axes: tuple[str, ...]) -> bool:
    """Whether an argument's first axis is the batch."""
    return axes[0] in ("images", "...")


MOST_PROGRAMS = 64


def run_alone(name: str, *arguments: Any) -> None:
    """Check a prepared call, then run it as a program of its own, which is kept for calls of the same sizes."""
    check(name, *arguments)
    arrays = [argument for argument in arguments if isinstance(argument, np.ndarray)]
    addresses = [array.__array_interface__["data"][0] for array in arrays]
    key = (
        name,
        numba.get_num_threads(),
        *((a.shape, a.dtype.char, a.flags.c_contiguous) if isinstance(a, np.ndarray) else int(a) for a in arguments),
        *map(addresses.index, addresses),  # which arguments are one array
    )
    with _programs_lock:
        program = _programs.pop(key, None) or Single(name, arguments)
        _programs[key] = program
        if len(_programs) > MOST_PROGRAMS:
            del _programs[next(iter(_programs))]
        program.run(arrays, addresses)


class Single:
    """A program of one call, for any arrays of these sizes."""

    def __init__(self, name: str, arguments: tuple[Any, ...]):
        declared = ARGUMENTS[name]
        batch = next((len(v) for v, a in zip(arguments, declared, strict=True) if a.axes and over_images(a.axes)), 1)
        self.program = Program(batch)
        self.transposed: list[tuple[int, np.ndarray]] = []  # number of an array that the kernel writes in the other memory order
        values: list[Any] = []
        arrays: list[np.ndarray] = []
        for value, argument in zip(arguments, declared, strict=True):
            if isinstance(value, np.ndarray):
                arrays.append(value)
            if argument.axes is None or not over_images(argument.axes):
                if argument.any_order and argument.written and not value.flags.f_contiguous:
                    self.transposed.append((len(arrays) - 1, np.empty(value.shape, value.dtype, order="F")))
                    value = self.transposed[-1][1]
                values.append(value)
            else:
                values.append(self.program.external(value))
        LOWERINGS[name](self.program, *values)
        self.program.finish()
        self.uses = self.program.release(arrays)

    def run(self, arrays: list[np.ndarray], addresses: list[int]) -> None:
        """Run on these arrays."""
        for uses, address in zip(self.uses, addresses, strict=True):
            for arguments, name in uses:
                point(arguments, name, address)
        self.program.counters[runner.POSITION] = 0
        self.program.prepare()
        self.program.run()
        for number, source in self.transposed:
            arrays[number][...] = source


_programs: dict[tuple, Single] = {}
_programs_lock = threading.Lock()
