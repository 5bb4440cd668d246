"""Numba's threads: how many of them compute, one parallel region at a time, and what a fork leaves of them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# For 100 microseconds a thread waits for the next region, which then begins at once; for as long as libgomp does by itself, each region
# beside a busy process would take many times its time. Read at the first region.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

import numba
from numba.np.ufunc import parallel

from jitcnn.kernels.compiling import hold_across_forks

#: Held in a parallel region, of which the workqueue layer has one at a time or aborts the process, and while Numba is asked for its
#: threads, for which it takes a lock that a fork would lose.
lock = threading.RLock()
hold_across_forks(lock)
_left_behind = False


def _after_fork() -> None:
    global _left_behind
    try:
        _left_behind = numba.threading_layer() == "omp"
    except ValueError:  # none was started yet
        _left_behind = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def enter() -> None:
    """To be called with the lock, before a parallel region.

    Raises
    ------
    RuntimeError
        In a process forked from one that had started threads: those of GNU OpenMP do not survive the fork.
    """
    if _left_behind:
        raise RuntimeError(
            "this process was forked from one that had already started threads for parallel kernels, which do not survive a fork: "
            'start processes with multiprocessing.get_context("spawn"), or use engine="fast" on one thread'
        )


def num_threads() -> int:
    """How many threads compute: asked for without Numba's locks, which take microseconds, where its threads are started."""
    if getattr(parallel, "_is_initialized", False) and hasattr(parallel, "_get_num_threads"):
        return parallel._get_num_threads()
    with lock:
        return numba.get_num_threads()


@contextmanager
def limited_threads(threads: int | None) -> Iterator[None]:
    """Let so many threads compute meanwhile; None for as many as do."""
    if threads is None:
        yield
        return
    with lock:
        saved = num_threads()
        numba.set_num_threads(threads)
    try:
        yield
    finally:
        with lock:
            numba.set_num_threads(saved)
