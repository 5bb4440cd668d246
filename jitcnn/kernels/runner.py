"""The compiled loop that replays a program: the same machine code for every network, because addresses are data.

A parallel region lasts for many steps.  Within it the threads meet at the end of every segment: the one that ends its last task hands out
the next segment's, while the others wait for that.  Nobody waits long: a thread whose patience is over goes to sleep, the region ends with
the segment, and another begins.  Nor does anybody wait for a thread that never came, as where the system gives fewer than were asked for:
those that are there do all tasks.
"""

import functools
from typing import Any

import numba
import numpy as np
from numba import get_thread_id, njit, prange, types

from jitcnn.kernels import compiling
from jitcnn.kernels.buffers import aligned_zeros
from jitcnn.kernels.pointers import call_kernel, fetch_add, flush_denormals, look, pause, publish, restore_control
from jitcnn.kernels.threads import enter, lock, num_threads

TABLE = types.Array(types.int64, 2, "C")
COUNTERS = types.Array(types.int64, 1, "C")

# Columns of the three tables.
KERNEL, RECORD = 0, 1  # a row: address of a kernel and of its arguments
FIRST_ROW, LAST_ROW, FIRST, LAST, BLOCK = range(5)  # a task: its rows, its share of the items, and how many items at a time
FIRST_TASK, LAST_TASK = 0, 1  # a segment
# Entries of the counters.
STEP, POSITION, BATCH, SLOTS = range(4)

LINE = 8  # numbers on the board from one that a thread writes to the next: a cache line, which would otherwise go to and fro
# Entries of the board, through which the threads of a region meet; segments are counted on from step to step.
SEGMENT, DONE, NEXT, TIRED = (LINE * i for i in range(4))  # the one under way, its tasks done, the next region's first, whether to end it
DRAWN = 4 * LINE  # of each thread's part of the segment, its number and the next task
NUMBER_BITS = 32  # a drawn task's number of the segment stands that far left
PATIENCE = 12_000  # looks at the board, of some tens of cycles: 300 microseconds


@njit(error_model="numpy")
def _run_task(rows, task, worker):
    """A task takes its items a block at a time through all of its rows, so that a block's numbers stay in the cache."""
    for begin in range(task[FIRST], task[LAST], task[BLOCK]):
        end = min(begin + task[BLOCK], task[LAST])
        for row in range(task[FIRST_ROW], task[LAST_ROW]):
            call_kernel(rows[row, KERNEL], rows[row, RECORD], begin, end, worker)


@njit(error_model="numpy")
def _edge(segment, part, threads):
    """The first task of a thread's part of a segment."""
    return segment[FIRST_TASK] + (segment[LAST_TASK] - segment[FIRST_TASK]) * part // threads


@njit(error_model="numpy")
def _begin(number, segments, counters, board, advance, threads):
    """Hand out the tasks of a segment."""
    if number % len(segments) == 0:
        counters[STEP] += advance
    board[DONE] = 0
    for part in range(threads):
        first = _edge(segments[number % len(segments)], part, threads)
        publish(board, DRAWN + part * LINE, (number << NUMBER_BITS) + first)
    publish(board, SEGMENT, number)


@njit(error_model="numpy")
def _end(number, end, segments, counters, board, advance, threads):
    """After the last task of a segment: hand out the next one's, or end the region."""
    if (number + 1) % len(segments) == 0:
        counters[POSITION] += counters[BATCH]
    if number + 1 < end and not look(board, TIRED):
        _begin(number + 1, segments, counters, board, advance, threads)
    else:
        board[NEXT] = number + 1
        publish(board, SEGMENT, end)


@njit(error_model="numpy")
def _run_part(part, end, rows, tasks, segments, counters, board, advance, threads, worker):
    """Do what is left of a part of the segment under way, and of the next ones should they begin meanwhile."""
    drawn = fetch_add(board, DRAWN + part * LINE, 1)
    number, task = drawn >> NUMBER_BITS, drawn & ((1 << NUMBER_BITS) - 1)
    segment = segments[number % len(segments)]
    while task < _edge(segment, part + 1, threads):
        _run_task(rows, tasks[task], worker)
        if fetch_add(board, DONE, 1) + 1 == segment[LAST_TASK] - segment[FIRST_TASK]:
            _end(number, end, segments, counters, board, advance, threads)
        drawn = fetch_add(board, DRAWN + part * LINE, 1)
        number, task = drawn >> NUMBER_BITS, drawn & ((1 << NUMBER_BITS) - 1)
        segment = segments[number % len(segments)]


@njit(error_model="numpy")
def _take_part(own, end, rows, tasks, segments, counters, board, advance, threads, worker):
    """In every segment a thread's own part, the same in every step, whose numbers are in its cache; then what others have left over.

    Cores are rarely equally fast: another program or another virtual machine slows one of them down.
    """
    control = flush_denormals()
    number, patience = look(board, SEGMENT), PATIENCE
    while number < end and patience:
        for k in range(threads):
            _run_part((own + k) % threads, end, rows, tasks, segments, counters, board, advance, threads, worker)
        patience = PATIENCE
        while look(board, SEGMENT) == number and patience:
            patience -= 1
            pause()
        number = look(board, SEGMENT)
    if not patience:
        publish(board, TIRED, 1)
    restore_control(control)


def _run(rows, tasks, segments, counters, steps, advance, board, threads):
    end = steps * len(segments)
    board[NEXT] = 0
    while board[NEXT] < end:
        board[TIRED] = 0
        _begin(board[NEXT], segments, counters, board, advance, threads)
        for part in prange(threads):
            _take_part(part, end, rows, tasks, segments, counters, board, advance, threads, get_thread_id())


def _run_serially(rows, tasks, segments, counters, steps, advance, board, threads):
    control = flush_denormals()
    for _ in range(steps):
        counters[STEP] += advance
        for s in range(len(segments)):
            for task in range(segments[s, FIRST_TASK], segments[s, LAST_TASK]):
                _run_task(rows, tasks[task], 0)
        counters[POSITION] += counters[BATCH]
    restore_control(control)


SIGNATURE = types.void(TABLE, TABLE, TABLE, COUNTERS, types.int64, types.int64, COUNTERS, types.int64)


@functools.cache
def compiled(parallel: bool):
    """The loop, on one thread or on several."""
    compiling.announce("runner")
    return compiling.njit(SIGNATURE, parallel=parallel, error_model="numpy")(_run if parallel else _run_serially)


def variants(threads: int) -> list[tuple[Any, dict[str, bool]]]:
    """What a program on up to so many threads needs: factory and arguments."""
    return [(compiled, {"parallel": parallel}) for parallel in (False, True)[: min(threads, 2)]]


_board = aligned_zeros(DRAWN + numba.config.NUMBA_NUM_THREADS * LINE, np.int64)


def run(rows: np.ndarray, tasks: np.ndarray, segments: np.ndarray, counters: np.ndarray, steps: int, advance: bool, threads: int) -> None:
    """Replay a program `steps` times on `threads` threads."""
    if threads == 1:
        compiled(parallel=False)(rows, tasks, segments, counters, steps, int(advance), _board, 1)
        return
    function = compiled(parallel=True)
    with lock:
        enter()
        saved = num_threads()
        if saved == threads:
            function(rows, tasks, segments, counters, steps, int(advance), _board, threads)
            return
        numba.set_num_threads(threads)
        try:
            function(rows, tasks, segments, counters, steps, int(advance), _board, threads)
        finally:
            numba.set_num_threads(saved)
