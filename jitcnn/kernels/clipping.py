"""The limit to the length of a gradient: one task goes over all numbers twice, when the gradients of all parameters are there.

Sums by tasks would want two more parallel regions. The numbers lie in the cache, just written, and a vector holds many of them.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import address_of
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import AT, float64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import only, record

Clip = record(g=int, limit=int, y=int, size=int)


@functools.cache
def clip_norm_kernel(real: type):
    """y = g * min(1, limit / (norm + 1e-6)); the sum of the squares is kept in float64, and its order depends on nothing."""
    at = AT[real]

    @kernel(Clip, real.__name__, f"clipped gradient {real.__name__}")
    def clip(arguments, first, last, worker):
        a = only(arguments)
        g, y = carray(at(a.g), (a.size,)), carray(at(a.y), (a.size,))
        total = 0.0
        for i in range(g.size):
            total += np.float64(g[i]) * np.float64(g[i])
        scale = carray(float64_at(a.limit), (1,))[0] / (math.sqrt(total) + 1e-6)
        if a.g != a.y:
            for i in range(g.size):
                y[i] = g[i]
        if not scale >= 1.0:
            factor = real(scale)
            for i in range(y.size):
                y[i] *= factor

    return clip


def clip_norm(program: Program, g: np.ndarray, limit: np.ndarray, y: np.ndarray) -> None:
    """Write the limit down, in a segment of its own behind all rows that write a part of the gradient."""
    start = address_of(g)
    parts = {memory for row in program.rows for memory in row.touched() if isinstance(memory, int) and start <= memory < start + g.nbytes}
    program.row(
        clip_norm_kernel, {"real": g.dtype.type}, Clip, ("y",), "batch", slot=program.batch, beside=frozenset(parts),
        g=g, limit=limit, y=y, size=g.size,
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"clip_norm": clip_norm}
