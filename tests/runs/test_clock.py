"""Training by the clock, with a clock that the test turns."""

from types import SimpleNamespace

import pytest

from jitcnn.progress import ENDLESS
from jitcnn.runs import clock
from jitcnn.runs.clock import ByClock
from jitcnn.schedules import Cosine, Linear


@pytest.fixture
def now(monkeypatch):
    """The time, which `now.seconds` says."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(clock, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    return now


def epoch(by_clock, now, seconds, compiling=0.0, steps=10):
    """Train an epoch: (rates of its steps, whether it was the last)."""
    model = SimpleNamespace(spent={"preparing": 5.0})
    by_clock.on_epoch_begin(model, 0)
    rates = [by_clock.rate(step, steps * ENDLESS, 1.0) for step in range(30, 30 + steps)]
    now.seconds += seconds + compiling
    model.spent["preparing"] += compiling
    return rates, by_clock.on_epoch_end(model, 0, {"seconds": seconds})


def test_the_schedule_follows_the_time(now):
    """Epochs of 10 s in 40 s: the first at the first rate, then each as long as the one before; compiling is not counted."""
    by_clock = ByClock(Linear(), 40)
    first, stop = epoch(by_clock, now, 10, compiling=100)
    assert (first, stop) == ([1.0] * 10, False)
    second, stop = epoch(by_clock, now, 10)
    assert (second, stop) == (pytest.approx([0.75 - 0.025 * step for step in range(10)], abs=1e-5), False)
    epoch(by_clock, now, 10)
    last, stop = epoch(by_clock, now, 10)
    assert (last, stop) == (pytest.approx([0.25 - 0.025 * step for step in range(10)], abs=1e-5), True)


def test_it_ends_with_the_epoch_nearest_to_the_end(now):
    assert epoch(ByClock(Linear(), 14), now, 10)[1]
    by_clock = ByClock(Linear(), 16)
    assert not epoch(by_clock, now, 10)[1]
    assert by_clock.elapsed == 10
    rates, stop = epoch(by_clock, now, 10)
    assert stop and rates[0] == pytest.approx(6 / 16, abs=1e-5) and rates[-1] > 0


def test_the_last_epoch_comes_to_the_schedules_end(now):
    """It is the last one if less than half of another would fit behind it."""
    by_clock = ByClock(Linear(), 24)
    epoch(by_clock, now, 10)
    assert epoch(by_clock, now, 10)[0][-1] == pytest.approx((1 - 10 / 24) / 10, abs=1e-5)


def test_what_is_done_between_epochs_counts_too(now):
    """Saving, for example; what comes after training does not."""
    by_clock = ByClock(Linear(), 40)
    epoch(by_clock, now, 10)
    now.seconds += 5
    rates, stop = epoch(by_clock, now, 10)
    assert (rates[0], stop) == (pytest.approx(1 - 15 / 40, abs=1e-5), False)
    assert by_clock.elapsed == 25
    now.seconds += 5
    assert epoch(by_clock, now, 10)[1]
    by_clock.on_train_end(None)
    now.seconds += 100
    assert by_clock.state()["elapsed"] == 40


def test_a_run_goes_on_where_its_clock_stood(now):
    by_clock = ByClock(Cosine(), 40)
    epoch(by_clock, now, 10)
    by_clock.on_epoch_begin(SimpleNamespace(spent={"preparing": 0.0}), 1)
    now.seconds += 4
    saved = by_clock.state()
    assert saved == {"elapsed": 14.0, "epoch_seconds": 10.0, "shares": [0.25, 0.5]}
    again = ByClock(Cosine(), 40)
    again.restore(saved)
    assert again.rate(7, 10 * ENDLESS, 1.0) == by_clock.rate(7, 10 * ENDLESS, 1.0)
    with pytest.raises(ValueError, match="state is not that of a training by the clock"):
        again.restore({"elapsed": 1.0})
