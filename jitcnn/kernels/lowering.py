"""How each kernel's prepared form is written down in a program, by name; and programs of a single call."""

from collections.abc import Callable
from typing import Any

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
from jitcnn.kernels.program import Program
from jitcnn.kernels.update import LOWERINGS as UPDATE
from jitcnn.kernels.upsample import LOWERINGS as UPSAMPLE

#: lowering(program, *prepared arguments) by kernel
LOWERINGS: dict[str, Callable[..., None]] = {
    **CONV, **CONV_WEIGHTS, **PADDING, **POOL, **DENSE, **UPSAMPLE, **ELEMENTWISE, **ACTIVATION, **DROPOUT, **LOSS, **UPDATE, **IMAGE,
}  # fmt: skip


def over_images(axes: tuple[str, ...]) -> bool:
    """Whether an argument's first axis is the batch."""
    return axes[0] in ("images", "...")


def run_alone(name: str, *arguments: Any) -> None:
    """Check a prepared call, then run it as a program of its own."""
    check(name, *arguments)
    declared = ARGUMENTS[name]
    batch = next((len(v) for v, a in zip(arguments, declared, strict=True) if a.axes and over_images(a.axes)), 1)
    program = Program(batch)
    results = []
    values = []
    for value, argument in zip(arguments, declared, strict=True):
        if argument.axes is None or not over_images(argument.axes):
            if argument.any_order and argument.written and not value.flags.f_contiguous:
                results.append((value, np.asfortranarray(value)))
                value = results[-1][1]
            values.append(value)
        else:
            values.append(program.external(value))
    LOWERINGS[name](program, *values)
    program.finish()
    program.counters[runner.POSITION] = 0
    program.prepare()
    program.run()
    for target, source in results:
        target[...] = source
