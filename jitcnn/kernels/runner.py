"""The compiled loop that replays a program: the same machine code for every network, because addresses are data."""

import functools
from typing import Any

import numba
import numpy as np
from numba import get_thread_id, njit, prange, types

from jitcnn.kernels import compiling
from jitcnn.kernels.buffers import aligned_zeros
from jitcnn.kernels.pointers import call_kernel, fetch_add, flush_denormals, restore_control
from jitcnn.kernels.threads import enter, lock, num_threads

TABLE = types.Array(types.int64, 2, "C")
COUNTERS = types.Array(types.int64, 1, "C")

# Columns of the three tables.
KERNEL, RECORD = 0, 1  # a row: address of a kernel and of its arguments
FIRST_ROW, LAST_ROW, FIRST, LAST, BLOCK = range(5)  # a task: its rows, its share of the items, and how many items at a time
FIRST_TASK, LAST_TASK = 0, 1  # a segment: one parallel region
# Entries of the counters.
STEP, POSITION, BATCH, SLOTS = range(4)
LINE = 8  # counters from one that a thread adds to to the next: a cache line, which would otherwise go to and fro


@njit(error_model="numpy")
def _run_task(rows, task, worker):
    """A task takes its items a block at a time through all of its rows, so that a block's numbers stay in the cache."""
    control = flush_denormals()
    for begin in range(task[FIRST], task[LAST], task[BLOCK]):
        end = min(begin + task[BLOCK], task[LAST])
        for row in range(task[FIRST_ROW], task[LAST_ROW]):
            call_kernel(rows[row, KERNEL], rows[row, RECORD], begin, end, worker)
    restore_control(control)


@njit(error_model="numpy")
def _edge(segment, part, threads):
    """The first task of a thread's part of a segment."""
    return segment[FIRST_TASK] + (segment[LAST_TASK] - segment[FIRST_TASK]) * part // threads


@njit(error_model="numpy")
def _run_part(rows, tasks, segment, drawn, threads, own, worker):
    """A thread's own part of a segment's tasks, the same in every step, whose numbers are in its cache; then what others have left over.

    Cores are rarely equally fast: another program or another virtual machine slows one of them down.
    """
    for k in range(threads):
        part = (own + k) % threads
        last = _edge(segment, part + 1, threads)
        task = fetch_add(drawn, part * LINE, 1)
        while task < last:
            _run_task(rows, tasks[task], worker)
            task = fetch_add(drawn, part * LINE, 1)


def _run(rows, tasks, segments, counters, steps, advance, drawn, threads):
    for _ in range(steps):
        counters[STEP] += advance
        for s in range(segments.shape[0]):
            for part in range(threads):
                drawn[part * LINE] = _edge(segments[s], part, threads)
            for part in prange(threads):
                _run_part(rows, tasks, segments[s], drawn, threads, part, get_thread_id())
        counters[POSITION] += counters[BATCH]


def _run_serially(rows, tasks, segments, counters, steps, advance, drawn, threads):
    for _ in range(steps):
        counters[STEP] += advance
        for s in range(segments.shape[0]):
            for task in range(segments[s, FIRST_TASK], segments[s, LAST_TASK]):
                _run_task(rows, tasks[task], 0)
        counters[POSITION] += counters[BATCH]


SIGNATURE = types.void(TABLE, TABLE, TABLE, COUNTERS, types.int64, types.int64, COUNTERS, types.int64)


@functools.cache
def compiled(parallel: bool):
    """The loop, on one thread or on several."""
    compiling.announce("runner")
    return compiling.njit(SIGNATURE, parallel=parallel, error_model="numpy")(_run if parallel else _run_serially)


def variants(threads: int) -> list[tuple[Any, dict[str, bool]]]:
    """What a program on up to so many threads needs: factory and arguments."""
    return [(compiled, {"parallel": parallel}) for parallel in (False, True)[: min(threads, 2)]]


_drawn = aligned_zeros(numba.config.NUMBA_NUM_THREADS * LINE, np.int64)  # of each part of a segment, the next task


def run(rows: np.ndarray, tasks: np.ndarray, segments: np.ndarray, counters: np.ndarray, steps: int, advance: bool, threads: int) -> None:
    """Replay a program `steps` times on `threads` threads."""
    if threads == 1:
        compiled(parallel=False)(rows, tasks, segments, counters, steps, int(advance), _drawn, 1)
        return
    function = compiled(parallel=True)
    with lock:
        enter()
        saved = num_threads()
        if saved == threads:
            function(rows, tasks, segments, counters, steps, int(advance), _drawn, threads)
            return
        numba.set_num_threads(threads)
        try:
            function(rows, tasks, segments, counters, steps, int(advance), _drawn, threads)
        finally:
            numba.set_num_threads(saved)
