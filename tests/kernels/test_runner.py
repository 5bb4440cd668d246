"""The threads of a region: every segment begins when the one before it is done, however long a task takes and however few threads come."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import carray

from jitcnn.kernels import runner
from jitcnn.kernels.buffers import address_of
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import int64_at
from jitcnn.kernels.records import only, record
from jitcnn.kernels.threads import num_threads

ITEMS, STEPS = 7, 30
Work = record(values=int, right=int, step=int, slow=int)


@inline()
def wait(turns):
    """Take long, where no compiler knows better."""
    value = np.uint64(turns)
    for _ in range(turns):
        value ^= value << np.uint64(13)
        value ^= value >> np.uint64(7)
    return value


@kernel(Work, (), "test: write")
def write(arguments, first, last, worker):
    """The step's number into each value; the first takes long."""
    a = only(arguments)
    values, step = carray(int64_at(a.values), (ITEMS,)), int64_at(a.step)[0]
    for i in range(first, last):
        values[i] = step + (i == 0 and wait(a.slow) == 1)


@kernel(Work, (), "test: read")
def read(arguments, first, last, worker):
    """Count the steps in which all values are there; the last takes long."""
    a = only(arguments)
    values, right, step = carray(int64_at(a.values), (ITEMS,)), carray(int64_at(a.right), (ITEMS,)), int64_at(a.step)[0]
    for i in range(first, last):
        count = 0
        for k in range(ITEMS):
            count += values[k] == step
        right[i] += count == ITEMS + (i == ITEMS - 1 and wait(a.slow) == 1)


def replay(*threads, slow):
    """How often each task of the second segment found all of the first done, and the counters, after as many runs of the same tables."""
    values, right, counters = np.zeros(ITEMS, np.int64), np.zeros(ITEMS, np.int64), np.zeros(4, np.int64)
    arguments = np.zeros(1, Work)
    arguments["values"], arguments["right"], arguments["step"] = address_of(values), address_of(right), address_of(counters)
    arguments["slow"] = slow
    rows = np.array([(function.address, address_of(arguments)) for function in (write, read)])
    tasks = np.array([(row, row + 1, item, item + 1, 1) for row in (0, 1) for item in range(ITEMS)])
    segments = np.array([(0, ITEMS), (ITEMS, 2 * ITEMS)])
    counters[runner.BATCH] = 10
    tables = runner.Replay(rows, tasks, segments, counters, max(threads))
    for count in threads:
        tables.run(STEPS, True, count)
    return right, counters


@pytest.mark.parametrize("slow", [0, 1_000, 1_000_000])  # the last one outlasts all patience
@pytest.mark.parametrize("threads", [(1,), (2,), (2, 1, 2), (1, 1)])
def test_segments_begin_when_the_one_before_is_done(threads, slow):
    if max(threads) > num_threads():
        pytest.skip(f"{num_threads()} threads")
    right, counters = replay(*threads, slow=slow)
    assert right.tolist() == [STEPS * len(threads)] * ITEMS
    assert counters[runner.STEP] == STEPS * len(threads)
    assert counters[runner.POSITION] == 10 * STEPS * len(threads)


@pytest.mark.parametrize("settings", [{"OMP_THREAD_LIMIT": "1"}, {"NUMBA_THREADING_LAYER": "workqueue"}, {"NUMBA_NUM_THREADS": "5"}])
def test_threads_that_do_not_come_are_not_waited_for(settings):
    """Fewer threads than were asked for, another way to have them, and more than there are processors."""
    threads = (2, 5) if "NUMBA_NUM_THREADS" in settings else (2,)
    script = f"from tests.kernels.test_runner import replay; print(*(n for t in {threads} for n in replay(t, slow=30_000)[0]))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"NUMBA_NUM_THREADS": "2"} | settings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(STEPS)] * ITEMS * len(threads)
