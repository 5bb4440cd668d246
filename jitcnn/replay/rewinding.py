"""Training that goes on to a step, is looked at there, and ends: from the start, or from a checkpoint before the step."""

import copy
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitcnn.forms.geometry import integer
from jitcnn.model import CNN
from jitcnn.passes import Passes
from jitcnn.replay.looking import look
from jitcnn.replay.names import WeightName, find_weight
from jitcnn.replay.result import Replay
from jitcnn.runs.checkpointing import Checkpointing, Saver, remembering
from jitcnn.storage.checkpoints import read_checkpoint


def replay(
    model: CNN, x: Any, y: Any, *, step: int, why: str | None = None, checkpoint: str | os.PathLike | None = None, **training: Any
) -> Replay:
    """Do one step of a training once more.

    Parameters
    ----------
    model : CNN
        As it was before `train` was called: the same layers, seed and `compile`. It stays as it is, a copy is trained.
    x, y : arrays
        As `train` was given them.
    step : int
        Which step, from 1 since `compile`.
    why : str, optional
        A weight to look at: `conv1/weights[0,0,0,3]`, or `conv1[0,0,0,3]` (see `jitcnn.naming.find_weight`).
    checkpoint : path, optional
        The folder that `train` saved checkpoints in: the steps before the one in it need not be done again. Nothing is written there.
    **training
        All other arguments that `train` was given: `epochs`, `batch_size`, `validation`, `augment`, `schedule` and so on; of `callbacks`
        those that change training, as `ReduceOnPlateau`.

    Returns
    -------
    Replay

    Raises
    ------
    ValueError
        If there is no such step or weight, or the checkpoint belongs to another training.
    FloatingPointError
        If training stops before at NaN or infinity.
    """
    integer("step", step, at_least=1)
    model.require_compiled("replay")
    model.check_images(x)  # layers know their shapes then
    model.parameters  # noqa: B018 (takes memory, so that the copy has the model's values)
    weight = None if why is None else find_weight(model.parameter_shapes, why)
    if model.steps[0] >= step:
        raise ValueError(f"step is {step}, and the model has done {model.steps[0]} already: give it as it was before that training")
    where = _Rewinding(checkpoint or "", step=step, weight=weight)
    try:
        copy.deepcopy(model).train(x, y, checkpoint=where, **training)
    except _Reached as reached:
        return reached.found
    raise ValueError(f"step is {step}, and the training ended before")


class _Reached(Exception):
    """Ends training at the step."""

    def __init__(self, found: Replay):
        super().__init__()
        self.found = found


@dataclass(frozen=True)
class _Rewinding(Checkpointing):
    """Goes on from a checkpoint in the folder, "" for none, up to a step; saves nothing."""

    step: int = field(default=1, kw_only=True)
    weight: WeightName | None = field(default=None, kw_only=True)

    def saver(self, model: CNN, epochs: int) -> Saver:
        """What a call of `train` asks instead of one that saves."""
        return _Rewinder(self, model, epochs)


class _Rewinder(Saver):
    """Ends training before a step, and looks at it."""

    settings: _Rewinding
    passes: Passes

    def open(self, resume: bool, identity: Mapping[str, Any]) -> None:
        """Read the checkpoint, if there is one; go on from it if it is from before the step."""
        self.identity = dict(identity)
        if not self.settings.folder or not self.settings.path.exists():
            return
        start = self.first_epoch, self.epoch, self.stopped
        self.go_on_with(read_checkpoint(self.settings.path), self.settings.path)
        if self.saved is not None and self.saved.state["steps"] >= self.settings.step:
            self.saved, (self.first_epoch, self.epoch, self.stopped) = None, start

    def restore(self, callbacks: Iterable[Any]) -> None:
        """As ever; callbacks that were there need not be."""
        told = remembering(callbacks)
        if self.saved is not None and len(self.saved.state["callbacks"]) != len(told):
            self.saved.state["callbacks"] = [None] * len(told)
        super().restore(told)

    def begin_epoch(self, passes: Passes) -> int:
        """Look if the step is the next one."""
        done = super().begin_epoch(passes)
        self.passes = passes
        steps = int(self.model.steps[0])
        last = steps + passes.steps * (self.first_epoch + self.wanted - self.epoch) - -(-done // passes.batch_size)
        if last < self.settings.step:
            raise ValueError(f"step is {self.settings.step}, and the training has {last}")
        self._look(done)
        return done

    def steps_left(self) -> int:
        """How many there are before the step."""
        return max(1, self.settings.step - 1 - int(self.model.steps[0]))

    def step(self, arrays: Mapping[str, np.ndarray], images: int, seconds: float) -> None:
        """Look if the step is the next one."""
        self.signals.deliver()
        if images < len(self.passes.order):
            self._look(images)

    def _save(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Save nothing."""

    def _look(self, done: int) -> None:
        if self.model.steps[0] == self.settings.step - 1:
            raise _Reached(look(self.passes, self.epoch, done, self.settings.weight))
