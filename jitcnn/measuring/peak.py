"""The most that the processor can multiply and add: what every GFLOP/s figure is compared with, measured in the same run."""

import functools
import time

import numba
import numpy as np

from jitcnn.kernels import compiling
from jitcnn.kernels.buffers import aligned_zeros
from jitcnn.kernels.pointers import float32_at
from jitcnn.kernels.threads import limited_threads, num_threads
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import most_rows
from jitcnn.kernels.vectors import full_lanes

VECTORS = 2
DEPTH = 64  # steps of the inner loop: both operands stay in the first-level cache
GIGAFLOP = 1.0  # of one measurement and thread: some ten milliseconds


@functools.cache
def _tiles():
    """The compiled loop: one of the kernels' own tiles on each thread, over the same operands again and again."""
    rows, columns = most_rows(VECTORS), VECTORS * full_lanes(np.float32)
    tile = make_tile(Shape(np.float32, 1, rows, VECTORS, full_lanes(np.float32), a_row=DEPTH, n_k=DEPTH))

    def run(memory, repetitions):
        for thread in numba.prange(memory.shape[0]):
            a = memory[thread].ctypes.data
            b = a + 4 * rows * DEPTH
            c = b + 4 * DEPTH * columns
            tile(
                float32_at(c), 0, columns, float32_at(a), 0, DEPTH, 0, 1, float32_at(b), 0, columns, 0,
                repetitions, DEPTH, float32_at(c), 0, 0, columns, 0, 0,
            )  # fmt: skip

    signature = numba.types.void(numba.float32[:, ::1], numba.int64)
    return compiling.njit(signature, parallel=True, error_model="numpy")(run), rows, columns


def fma_peak(threads: int | None = None) -> float:
    """GFLOP/s in float32 of the register tile on numbers that never leave the first-level cache, the best of three short runs.

    Parameters
    ----------
    threads
        How many of them compute; as many as Numba uses if missing.
    """
    run, rows, columns = _tiles()
    threads = threads or num_threads()
    memory = aligned_zeros(threads * (rows * DEPTH + DEPTH * columns + rows * columns), np.float32).reshape(threads, -1)
    memory[:] = 0.5
    repetitions = max(1, round(GIGAFLOP * 1e9 / (2 * rows * columns * DEPTH)))
    with limited_threads(threads):
        run(memory, 1)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            run(memory, repetitions)
            seconds.append(time.perf_counter() - start)
    return threads * repetitions * 2 * rows * columns * DEPTH / min(seconds) / 1e9
