"""Whether numbers are finite: what a faster way needs to know that gives the same results only then."""

import functools
from typing import Any

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.elementwise import lines
from jitcnn.kernels.pointers import int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

#: Larger ones are no better than infinities: a faster way's sums of products of them may overflow where others do not.
LIMIT: dict[Any, float] = {np.float32: 2.0**40, np.float64: 2.0**400}

Watch = record(x=Images, found=int, rows=int, width=int)


@functools.cache
def watch_kernel(real: type):
    """found = 1 if any number is NaN or not below the limit."""
    line, zero, one, limit = ACCESS[real][0], real(0), real(1), real(LIMIT[real])

    @kernel(Watch, real.__name__, f"watch {real.__name__}")
    def watch(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            for r in range(a.rows):
                x = line(a.x, n, first, worker, r, a.width)
                strange = zero
                for i in range(a.width):
                    strange += zero if abs(x[i]) < limit else one  # as fast as the memory is read
                if strange != zero:
                    carray(int64_at(a.found), (1,))[0] = 1

    return watch


def watch(program: Program, buffer: Buffer, found: np.ndarray) -> None:
    """Write down that found[0] becomes 1 if the buffer holds NaN or a number that is not below the limit."""
    program.row(watch_kernel, {"real": buffer.dtype.type}, Watch, ("found",), x=buffer, found=found, **lines(buffer))


def small(array: np.ndarray) -> bool:
    """Whether an array of few numbers holds none of these."""
    return bool(np.vdot(array, array) < LIMIT[array.dtype.type] ** 2)
