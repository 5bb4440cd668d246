"""Training by the clock: as many epochs as the time allows, and a schedule that follows the time instead of the epochs."""

import time
from collections.abc import Mapping
from typing import Any

from jitcnn.checks import positive, real
from jitcnn.progress import ENDLESS
from jitcnn.schedules import Schedule

FINE = 1_000_000  # parts of the time that a schedule tells apart


class ByClock(Schedule):
    """A schedule and a callback in one, given to `CNN.train` as both, with `epochs=jitcnn.progress.ENDLESS`.

    An epoch is taken to last as long as the one before; the first one is trained at the rates of the schedule's beginning. Training ends
    with the epoch whose end is nearest to the end of the time. What callbacks and checkpoints take counts too, compiling does not.

    Parameters
    ----------
    schedule : Schedule
        How the rate changes over the time.
    seconds : float
        How long to train, validation included.
    """

    name = "by-clock"

    def __init__(self, schedule: Schedule, seconds: float):
        self.schedule, self.seconds = schedule, positive("seconds", seconds)
        self.shares = (0.0, 0.0)  # of the time, at the beginning and at the end of the epoch
        self.elapsed = self.epoch_seconds = self.began = 0.0
        self.preparing = 0.0
        self.model: Any = None

    def rate(self, step: int, steps: int, base: float) -> float:
        """The schedule's, at the time when the step is expected."""
        return self.schedule.rate(self._place(step, steps), FINE, base)

    def momentum(self, step: int, steps: int) -> float | None:
        """The schedule's."""
        return self.schedule.momentum(self._place(step, steps), FINE)

    def to_dict(self) -> dict[str, Any]:
        """What tells it from others."""
        return {"type": self.name, "seconds": self.seconds, "schedule": self.schedule.to_dict()}

    def on_epoch_begin(self, model: Any, epoch: int) -> None:
        """Expect when it ends."""
        saving = self._since()  # after the epoch before
        self.elapsed, self.epoch_seconds = self.elapsed + saving, self.epoch_seconds + saving
        self._start(model)
        left = self.seconds - self.elapsed - self.epoch_seconds
        last = self.epoch_seconds > 0 and left < self.epoch_seconds / 2
        end = 1.0 if last else (self.elapsed + self.epoch_seconds) / self.seconds
        self.shares = min(1.0, self.elapsed / self.seconds), min(1.0, end)

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> bool:
        """Whether the time is over."""
        if self.model is None:  # the rest of an epoch that was interrupted
            self._start(model)
        spent = self._since()
        self.epoch_seconds, self.elapsed = max(spent, logs["seconds"]), self.elapsed + spent
        self._start(model)
        return self.seconds - self.elapsed < self.epoch_seconds / 2

    def on_train_end(self, model: Any) -> None:
        """Stop the clock."""
        self.model = None

    def state(self) -> dict[str, Any]:
        """What a later run needs to go on."""
        return {"elapsed": self.elapsed + self._since(), "epoch_seconds": self.epoch_seconds, "shares": list(self.shares)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises
        ------
        ValueError
            If it is no such state.
        """
        if set(state) != {"elapsed", "epoch_seconds", "shares"} or not isinstance(state["shares"], list) or len(state["shares"]) != 2:
            raise ValueError("state is not that of a training by the clock")
        self.elapsed, self.epoch_seconds = real("elapsed", state["elapsed"]), real("epoch_seconds", state["epoch_seconds"])
        self.shares = real("shares", state["shares"][0]), real("shares", state["shares"][1])

    def _place(self, step: int, steps: int) -> int:
        """Where a step stands among the parts of the time."""
        count = max(1, steps // ENDLESS)  # steps of an epoch
        begin, end = self.shares
        return min(FINE - 1, int((begin + (end - begin) * (step % count) / count) * FINE))

    def _start(self, model: Any) -> None:
        self.model, self.began, self.preparing = model, time.perf_counter(), model.spent["preparing"]

    def _since(self) -> float:
        """Seconds of the epoch so far."""
        if self.model is None:
            return 0.0
        return time.perf_counter() - self.began - (self.model.spent["preparing"] - self.preparing)
