"""Whether several threads are faster than one: found by timing the steps themselves, while they run.

It depends on more than the work: a region of parallel work costs microseconds, and many times that while another process keeps a core
busy.  The results are the same either way, to the bit.
"""

import time
from collections import deque
from collections.abc import Callable

ONE, ALL = 0, 1
TRIALS, TRIAL_SECONDS = 4, 0.0005  # of each way, at first
LONG_SECONDS = 0.005  # on one thread: within this time a thread that had to wait for its core is back, and others have taken its tasks
RECENT = 3  # measurements of a way that count, and of a look at the other one
CLEARLY = 1.25  # so many times the seconds of the way in use, and one measurement is look enough
WINDOW_SECONDS, PROBE_SECONDS = 0.02, 0.002  # over which the way in use, and the other one, are measured
SOON_SECONDS, AGAIN_SECONDS = 0.02, 0.5  # from one look at the other way to the next: soon after a change, then less and less often
AGAIN_STEPS = 20  # of the other way: looks take a small share of the time however long a step is


class Pace:
    """The faster of two ways to run steps."""

    def __init__(self) -> None:
        self.recent = [deque([float("inf")], RECENT), deque([float("inf")], RECENT)]  # seconds a step, on one thread and on all
        self.trials = [0, 0]
        self.way = ONE  # in use
        self.looks, self.waking = 0, False  # measurements of the other way to be made, and whether its threads are still to wake up
        self.since, self.again = 0.0, SOON_SECONDS  # seconds since the other way was looked at, and until it is again
        self.elapsed, self.steps = 0.0, 0  # of the measurement under way

    def seconds(self, way: int) -> float:
        """A step's, the median of late: a core that is slow for a moment must not make the way look bad that happened to run."""
        return sorted(self.recent[way])[(len(self.recent[way]) - 1) // 2]

    def run(self, perform: Callable[[int, int], None], steps: int) -> None:
        """Perform steps with perform(way, steps)."""
        while steps:
            if self.trials[ONE] > 1 and self.seconds(ONE) > LONG_SECONDS:
                perform(ALL, steps)
                return
            trying = min(self.trials) < TRIALS
            way = self.trials.index(min(self.trials)) if trying else 1 - self.way if self.looks else self.way
            limit = TRIAL_SECONDS if trying else PROBE_SECONDS
            count = min(steps, max(1, int(limit / self.seconds(way)))) if trying or self.looks else steps
            count = 1 if self.waking else count  # threads that sleep take long to wake up: the steps after that count
            started = time.perf_counter()
            perform(way, count)
            elapsed = max(time.perf_counter() - started, 1e-9)
            steps -= count
            if self.waking:
                self.waking = False
            elif trying:
                self.trials[way] += 1
                self.recent[way].append(elapsed / count)
                self._choose()
            else:
                self._measure(way, elapsed, count)

    def _choose(self) -> None:
        self.way = ONE if self.seconds(ONE) < self.seconds(ALL) else ALL

    def _measure(self, way: int, elapsed: float, count: int) -> None:
        self.elapsed, self.steps = self.elapsed + elapsed, self.steps + count
        if self.elapsed < (PROBE_SECONDS if self.looks else WINDOW_SECONDS):
            return
        if self.looks == RECENT:
            self.recent[way].clear()
        self.recent[way].append(self.elapsed / self.steps)
        self.since += self.elapsed
        self.elapsed, self.steps = 0.0, 0
        if self.looks > 1 and self.seconds(way) < CLEARLY * self.seconds(self.way):
            self.looks -= 1
            return
        before, looked, self.looks = self.way, self.looks, 0
        self._choose()
        if looked or self.way != before:  # a change is perhaps for a moment only, in which something else kept the machine busy
            self.since, self.again = 0.0, SOON_SECONDS if self.way != before else min(2 * self.again, AGAIN_SECONDS)
        elif self.since > max(self.again, AGAIN_STEPS * self.seconds(1 - self.way)):
            self.looks, self.waking = RECENT, self.way == ONE
