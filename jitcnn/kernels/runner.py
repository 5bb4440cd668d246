"""The compiled loop that replays a program: the same machine code for every network, because addresses are data.

A parallel region lasts for many steps.  Within it the threads meet at the end of every segment: the one that ends its last task hands out
the next segment's, while the others wait for that.  Nobody waits long: a thread whose patience is over goes to sleep, the region ends with
the segment, and another begins.  Nor does anybody wait for a thread that never came, as where the system gives fewer than were asked for:
those that are there do all tasks.
"""

import functools
from typing import Any

import numpy as np
from numba import get_thread_id, prange, types

from jitcnn.kernels import compiling
from jitcnn.kernels.buffers import address_of, aligned_zeros
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import MOVE, call_kernel, fetch_add, flush_denormals, int64_at, look, pause, publish, restore_control
from jitcnn.kernels.records import only, record
from jitcnn.kernels.threads import enter, limited_threads, lock, num_threads

# Columns of the three tables.
KERNEL, RECORD = 0, 1  # a row: address of a kernel and of its arguments
FIRST_ROW, LAST_ROW, FIRST, LAST, BLOCK = range(5)  # a task: its rows, its share of the items, and how many items at a time
FIRST_TASK, LAST_TASK = 0, 1  # a segment
ROW_COLUMNS, TASK_COLUMNS, SEGMENT_COLUMNS = 2, 5, 2
# Entries of the counters.
STEP, POSITION, BATCH, SLOTS = range(4)

LINE = 8  # numbers on the board from one that a thread writes to the next: a cache line, which would otherwise go to and fro
# Entries of the board, through which the threads of a region meet; segments are counted on from step to step.
SEGMENT, DONE, NEXT, TIRED = (LINE * i for i in range(4))  # the one under way, its tasks done, the next region's first, whether to end it
DRAWN = 4 * LINE  # of each thread's part of the segment, its number and the next task
NUMBER_BITS = 32  # a drawn task's number of the segment stands that far left
PATIENCE = 12_000  # looks at the board, of some tens of cycles: 300 microseconds

#: Addresses; `count` segments; they are replayed up to number `end`, by so many threads; what each step adds to its counter.
Tables = record(rows=int, tasks=int, segments=int, counters=int, board=int, count=int, end=int, advance=int, threads=int)
move = MOVE[np.int64]


@inline()
def segment_of(a, number):
    """A segment's line of the table."""
    return move(int64_at(a.segments), number % a.count * SEGMENT_COLUMNS)


@inline()
def edge(segment, part, threads):
    """The first task of a thread's part of a segment."""
    return segment[FIRST_TASK] + (segment[LAST_TASK] - segment[FIRST_TASK]) * part // threads


@inline()
def hand_out(a, number):
    """Let the tasks of a segment begin."""
    board, segment = int64_at(a.board), segment_of(a, number)
    if number % a.count == 0:
        int64_at(a.counters)[STEP] += a.advance
    board[DONE] = 0
    for part in range(a.threads):
        publish(board, DRAWN + part * LINE, (number << NUMBER_BITS) + edge(segment, part, a.threads))
    publish(board, SEGMENT, number)


@functools.cache
def thread_kernel():
    """What a thread of a region does. `own`: its number; -1 before they begin, to hand out their first segment.

    In every segment it takes its own part, the same in every step, whose numbers are in its cache; then what others have left over. Cores
    are rarely equally fast: another program or another virtual machine slows one of them down.
    """

    @kernel(Tables, (), "runner")
    def thread(arguments, own, unused, worker):
        a = only(arguments)
        board, counters, tasks = int64_at(a.board), int64_at(a.counters), int64_at(a.tasks)
        if own < 0:
            hand_out(a, board[NEXT])
            return
        control = flush_denormals()
        number, patience = look(board, SEGMENT), PATIENCE
        while number < a.end and patience:
            k = 0
            while k < a.threads:
                part = (own + k) % a.threads
                drawn = fetch_add(board, DRAWN + part * LINE, 1)
                at, t = drawn >> NUMBER_BITS, drawn & ((1 << NUMBER_BITS) - 1)
                segment = segment_of(a, at)
                if t >= edge(segment, part + 1, a.threads):
                    k += 1
                    continue
                # A task takes its items a block at a time through all of its rows, so that a block's numbers stay in the cache.
                task = move(tasks, t * TASK_COLUMNS)
                for begin in range(task[FIRST], task[LAST], task[BLOCK]):
                    for number_of_row in range(task[FIRST_ROW], task[LAST_ROW]):
                        row = move(int64_at(a.rows), number_of_row * ROW_COLUMNS)
                        call_kernel(row[KERNEL], row[RECORD], begin, min(begin + task[BLOCK], task[LAST]), worker)
                if fetch_add(board, DONE, 1) + 1 < segment[LAST_TASK] - segment[FIRST_TASK]:
                    continue
                if (at + 1) % a.count == 0:
                    counters[POSITION] += counters[BATCH]
                if at + 1 < a.end and not look(board, TIRED):
                    hand_out(a, at + 1)
                else:
                    board[NEXT] = at + 1
                    publish(board, SEGMENT, a.end)
            patience = PATIENCE
            while look(board, SEGMENT) == number and patience:
                patience -= 1
                pause()
            number = look(board, SEGMENT)
        if not patience:
            publish(board, TIRED, 1)
        restore_control(control)

    return thread


def _run(thread, tables, threads):
    call_kernel(thread, tables, -1, 0, 0)
    for own in prange(threads):
        call_kernel(thread, tables, own, 0, get_thread_id())


def _run_alone(thread, tables, threads):
    call_kernel(thread, tables, -1, 0, 0)
    call_kernel(thread, tables, 0, 0, 0)


@functools.cache
def region(parallel: bool):
    """The call of one or several threads."""
    compiling.announce("runner on all threads" if parallel else "runner on one thread")
    signature = types.void(types.int64, types.int64, types.int64)
    return compiling.njit(signature, parallel=parallel, error_model="numpy")(_run if parallel else _run_alone)


def variants(threads: int) -> list[tuple[Any, dict[str, bool]]]:
    """What a program on up to so many threads needs: factory and arguments."""
    return [(thread_kernel, {}), *((region, {"parallel": parallel}) for parallel in (False, True)[: min(threads, 2)])]


class Replay:
    """Tables, ready to be replayed on up to `threads` threads; int64 arrays, which it keeps alive."""

    def __init__(self, rows: np.ndarray, tasks: np.ndarray, segments: np.ndarray, counters: np.ndarray, threads: int):
        self.board = aligned_zeros(DRAWN + threads * LINE, np.int64)
        self.kept = rows, tasks, segments, counters
        self.tables = np.zeros(1, Tables)
        for name, array in zip(("rows", "tasks", "segments", "counters", "board"), (*self.kept, self.board), strict=True):
            self.tables[name] = address_of(array)
        self.tables["count"] = self.count = len(segments)
        self.end, self.advance, self.threads = (self.tables[name] for name in ("end", "advance", "threads"))
        self.addresses = thread_kernel().address, address_of(self.tables)

    def run(self, steps: int, advance: bool, threads: int) -> None:
        """Replay all segments `steps` times."""
        end = steps * self.count
        self.end[0], self.advance[0], self.threads[0] = end, advance, threads
        self.board[NEXT] = 0
        if threads == 1:
            self._perform(end, 1)
            return
        with lock:
            enter()
            if num_threads() == threads:
                self._perform(end, threads)
            else:
                with limited_threads(threads):
                    self._perform(end, threads)

    def _perform(self, end: int, threads: int) -> None:
        function = region(parallel=threads > 1)
        while self.board[NEXT] < end:
            self.board[TIRED] = 0
            function(*self.addresses, threads)
