"""How many threads steps are given: the faster way is found, and found again when the machine changes."""

import pytest

from jitcnn.kernels import pace
from jitcnn.kernels.pace import ALL, ONE, Pace


class Machine:
    """Steps that take as long as they are told to, by a clock of its own."""

    def __init__(self, monkeypatch, one, all_):
        self.seconds, self.now, self.done = {ONE: one, ALL: all_}, 0.0, {ONE: 0, ALL: 0}
        monkeypatch.setattr(pace.time, "perf_counter", lambda: self.now)

    def perform(self, way, steps):
        self.now += steps * self.seconds[way]
        self.done[way] += steps

    def run(self, chosen, calls, steps):
        before = dict(self.done)
        for _ in range(calls):
            chosen.run(self.perform, steps)
        return {way: self.done[way] - before[way] for way in (ONE, ALL)}


@pytest.mark.parametrize(("one", "all_", "best"), [(1e-5, 3e-5, ONE), (1e-3, 6e-4, ALL), (0.3, 0.2, ALL)])
@pytest.mark.parametrize("steps", [1, 7, 400])
def test_the_faster_way_takes_nearly_all_steps(monkeypatch, one, all_, best, steps):
    machine = Machine(monkeypatch, one, all_)
    done = machine.run(Pace(), max(1, 30_000 // steps), steps)
    assert sum(done.values()) == max(1, 30_000 // steps) * steps
    assert done[best] > 0.95 * sum(done.values()) - 6


def test_long_steps_take_all_threads_even_where_one_was_faster_for_a_moment(monkeypatch):
    machine, chosen = Machine(monkeypatch, 0.012, 0.02), Pace()
    assert machine.run(chosen, 100, 1)[ONE] == 2
    machine.seconds[ALL] = 0.007
    assert machine.run(chosen, 100, 1)[ONE] == 0


def test_a_machine_that_changes(monkeypatch):
    machine, chosen = Machine(monkeypatch, 1e-4, 6e-5), Pace()
    assert machine.run(chosen, 50, 400)[ALL] > 19_000
    machine.seconds[ALL] = 5e-4  # another process has come
    machine.run(chosen, 10, 400)
    assert machine.run(chosen, 50, 400)[ONE] > 19_000
    machine.seconds[ALL] = 6e-5  # and gone
    machine.run(chosen, 20, 400)
    assert machine.run(chosen, 50, 400)[ALL] > 19_000


def test_a_moment_of_disturbance_is_soon_forgotten(monkeypatch):
    machine, chosen = Machine(monkeypatch, 1e-3, 6e-4), Pace()
    machine.run(chosen, 2000, 1)
    machine.seconds[ALL] = 2e-3
    machine.run(chosen, 20, 1)
    machine.seconds[ALL] = 6e-4
    machine.run(chosen, 60, 1)
    assert machine.run(chosen, 1000, 1)[ONE] < 20


def test_a_look_ends_where_the_other_way_is_clearly_slower(monkeypatch):
    machine, chosen = Machine(monkeypatch, 1e-3, 4e-3), Pace()
    machine.run(chosen, 100, 1)
    assert 2 <= machine.run(chosen, 1000, 1)[ALL] <= 12  # of each look one step that wakes the threads up, and one that counts
