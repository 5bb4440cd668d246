"""Watching training for NaN and infinity, at next to no cost.

After every chunk of steps, the samples' losses are looked at, which lie there anyway. Now and then, so that it takes a small share of the
time, the parameters are looked at too, and a copy of them and of the optimizer's state is kept. A step gives the same bits whenever it is
done: so once something is not finite, the steps since the copy are done again one by one, and the first whose loss, gradient or new
parameters are not finite is found, exactly.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from jitcnn.diagnosis import first_strange, strange
from jitcnn.forms.geometry import choice
from jitcnn.passes import Passes, Trainer

ON_NAN = ("stop", "skip", "ignore")
PATIENCE = 400  # keeping a copy takes at most about one part in so many of the time


class State:
    """What a step changes: parameters, the optimizer's state, the number of steps."""

    def __init__(self, trainer: Trainer):
        self.trainer = trainer
        self.own = self._arrays()
        self.copies = [array.copy() for array in self.own]

    def _arrays(self) -> list[np.ndarray]:
        return [self.trainer.graph.values, *self.trainer.optimizer.buffers, self.trainer.steps]

    def is_of(self, trainer: Trainer) -> bool:
        """Whether these are the arrays that the trainer works on."""
        return self.trainer is trainer and all(old is new for old, new in zip(self.own, self._arrays(), strict=True))

    def keep(self) -> None:
        """Copy it as it is now."""
        for copy, array in zip(self.copies, self.own, strict=True):
            np.copyto(copy, array)

    def restore(self, steps: bool = True) -> None:
        """Put it back, the number of steps only if told."""
        for copy, array in list(zip(self.copies, self.own, strict=True))[: None if steps else -1]:
            np.copyto(array, copy)


class Watch:
    """Looks at a pass of training, and stops it at, or leaves out, steps that are not finite.

    Attributes
    ----------
    on_nan : "stop", "skip" or "ignore"
    epoch : int
        The epoch that is watched, from 0.
    looked : int
        Up to which image of the pass losses were looked at.
    kept : State
        The copy, made at the time `kept_when`, which took `kept_in` seconds. Each pass begins with one.
    again_from : int
        The image from which steps are to be done again: the first after the copy, then of the step that is done again.
    told : bool
        Whether somebody was warned.
    """

    def __init__(self, on_nan: str):
        self.on_nan = choice("on_nan", on_nan, ON_NAN)
        self.epoch = 0
        self.told = False
        self.kept: State | None = None

    def begin(self, passes: Passes, done: int) -> Callable[[int], None] | None:
        """A pass begins, its program is there, so many images in it are done: what `Passes.run` takes as `look`, None to ignore all."""
        if self.on_nan == "ignore":
            return None
        self.passes, self.looked = passes, done
        if not (self.kept and self.kept.is_of(passes.trainer)):
            self.kept = State(passes.trainer)
        self._keep(done, time.perf_counter())
        return self.look

    def _keep(self, done: int, started: float) -> None:
        assert self.kept is not None
        self.kept.keep()
        self.again_from, self.kept_when = done, time.perf_counter()
        self.kept_in = self.kept_when - started

    def look(self, done: int) -> None:
        """So many images are done: see that all is finite.

        Raises
        ------
        FloatingPointError
            If it is not, and training is to stop: parameters, and the optimizer's state, are those from before that step.
        """
        assert self.kept is not None
        started = time.perf_counter()
        due = done == len(self.passes.order) or started - self.kept_when > PATIENCE * self.kept_in
        losses = self.passes.measured["loss"][self.looked : done]
        fine = np.isfinite(losses).all() and (not due or strange(self.kept.own[0]) is None)
        if not fine:
            self.again(done)
        if (due or not fine) and done < len(self.passes.order):
            self._keep(done, started if fine else time.perf_counter())
        self.looked = done

    def again(self, done: int) -> None:
        """Do the steps since the copy again, one by one, until so many images are done."""
        passes, trainer, program = self.passes, self.passes.trainer, self.passes.prepare().program
        assert self.kept is not None
        self.kept.restore()
        program.prepare()
        before = State(trainer)
        while self.again_from < done:
            count = min(passes.batch_size, done - self.again_from)
            before.keep()
            program.run(self.again_from, 1, count)
            losses = passes.measured["loss"][self.again_from : self.again_from + count]
            if strange(losses) or strange(trainer.graph.gradients) or strange(trainer.graph.values):
                self.refuse(before, count)
                program.prepare()
            self.again_from += count

    def refuse(self, before: State, count: int) -> None:
        """Stop at a step of `count` images, or leave its update out."""
        passes, trainer, number = self.passes, self.passes.trainer, int(self.passes.trainer.steps[0])
        after = {name: strange(parameter.flat) for name, parameter in trainer.graph.parameters.items()}
        before.restore()
        if not self.told:
            where = first_strange(
                trainer.graph,
                trainer.objective,
                trainer.augmenter,
                passes.arrays,
                self.again_from,
                count,
                number,
                trainer.engine,
                trainer.threads,
            )
            moved = next((f"{kind} in {name}, after an update with a finite gradient" for name, kind in after.items() if kind), None)
            when = f"step {number} (epoch {self.epoch + 1}, images {self.again_from:,} to {self.again_from + count - 1:,})"
            self.tell(f"{where or moved or 'NaN or infinity'} at {when}")
        trainer.steps[0] = number
        passes.measured["loss"][self.again_from : self.again_from + count] = np.nan

    def tell(self, what: str) -> None:
        """Raise, or warn once."""
        if self.on_nan == "stop":
            advice = "training stopped with the weights from before it; lower learning_rate, give clip_norm, or on_nan='skip'"
            raise FloatingPointError(f"{what}: {advice}")
        self.told = True
        warnings.warn(f"{what}: its update is left out; further ones are only counted, in history['skipped']", RuntimeWarning, stacklevel=2)


def skipped(measured: dict[str, Any], batch_size: int) -> int:
    """How many steps of a pass were left out: their losses are NaN."""
    return int(np.isnan(measured["loss"][::batch_size]).sum())
