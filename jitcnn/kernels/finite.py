"""Whether results are finite: what a faster way needs to know that gives the same numbers only then."""

import functools

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.elementwise import lines
from jitcnn.kernels.pointers import int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

Watch = record(x=Images, found=int, rows=int, width=int)


@functools.cache
def watch_kernel(real: type):
    """found = 1 if any number is infinite or NaN."""
    line, zero = ACCESS[real][0], real(0)

    @kernel(Watch, real.__name__, f"watch {real.__name__}")
    def watch(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            for r in range(a.rows):
                x = line(a.x, n, first, worker, r, a.width)
                zeros = zero
                for i in range(a.width):
                    zeros += zero * x[i]  # NaN from infinity and NaN; as fast as the memory is read
                if zeros != zero:
                    carray(int64_at(a.found), (1,))[0] = 1

    return watch


def watch(program: Program, buffer: Buffer, found: np.ndarray) -> None:
    """Write down that found[0] becomes 1 if the buffer holds an infinity or NaN."""
    program.row(watch_kernel, {"real": buffer.dtype.type}, Watch, ("found",), x=buffer, found=found, **lines(buffer))
