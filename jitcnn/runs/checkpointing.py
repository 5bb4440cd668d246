"""Training that can be killed at any moment and continued to the same bits.

A checkpoint holds all that the next step depends on: parameters, the optimizer's numbers and state, how many steps there were, where in
which epoch, and each image's loss so far in it. Generators need no place there: they are keyed by seed, epoch and step.
"""

import math
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from jitcnn.checks import positive
from jitcnn.forms.geometry import integer
from jitcnn.runs.restoring import check_arrays, check_state
from jitcnn.runs.signals import HeldSignals
from jitcnn.storage.checkpoints import Saved, read_checkpoint, remove_unfinished, write_checkpoint

if TYPE_CHECKING:
    from jitcnn.passes import Passes

FILE = "checkpoint.npz"


@dataclass(frozen=True)
class Checkpointing:
    """Where and how often training is saved: after every epoch, and more often if asked.

    Parameters
    ----------
    folder : path
        Holds `checkpoint.npz`; made if it is not there.
    steps : int, optional
        Save also after so many steps.
    minutes : float, optional
        Save also after so many minutes.
    """

    folder: str | os.PathLike
    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.steps is not None:
            integer("steps", self.steps, at_least=1)
        if self.minutes is not None:
            positive("minutes", self.minutes)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.folder) / FILE

    def saver(self, model: Any, epochs: int) -> "Saver":
        """What saves one call of `train` so."""
        return Saver(self, model, epochs)


def as_checkpointing(checkpoint: Any, resume: Any) -> Checkpointing | None:
    """The `checkpoint` argument of `train`; a ValueError if it is none, or if `resume` has nothing to go on with."""
    if not isinstance(resume, bool):
        raise ValueError(f"resume is {resume!r}, expected True or False: the folder is checkpoint=…")
    if checkpoint is None:
        if resume:
            raise ValueError("resume needs the folder of the run that was interrupted: give checkpoint=FOLDER too")
        return None
    if isinstance(checkpoint, Checkpointing):
        return checkpoint
    if not isinstance(checkpoint, str | os.PathLike):
        raise ValueError(f"checkpoint is {checkpoint!r}, expected a folder, or jitcnn.runs.Checkpointing(folder, steps=1000)")
    return Checkpointing(checkpoint)


def saver_for(checkpoint: Any, resume: Any, model: Any, epochs: int) -> "Saver":
    """What saves one call of `train` with these arguments."""
    settings = as_checkpointing(checkpoint, resume)
    return Saver(None, model, epochs) if settings is None else settings.saver(model, epochs)


def _place_of(callback: int) -> str:
    """What is in front of the names of a callback's arrays."""
    return f"callback/{callback}/"


def remembering(callbacks: Iterable[Any]) -> list[Any]:
    """Those that have a state to keep; others, which only watch, may come and go."""
    return [callback for callback in callbacks if hasattr(callback, "state")]


def _state_of(callback: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a callback wants to be kept: values, and arrays."""
    state = callback.state()
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in state.items() if name not in arrays}, arrays


class Saver:
    """Saves one call of `train`, or goes on with one that was interrupted; does nothing without settings.

    Use it in a `with` statement, in which signals wait for the end of a step.

    Attributes
    ----------
    images : int
        How many images of the current epoch are done.
    seconds : float
        How long they took.
    """

    def __init__(self, settings: Checkpointing | None, model: Any, epochs: int):
        """Look at what is there, change nothing.

        Parameters
        ----------
        settings
            Where and when to save; None for nowhere.
        model
            A compiled CNN.
        epochs
            How many epochs this call trains in all, those before an interruption included.
        """
        self.settings, self.model, self.wanted = settings, model, epochs
        self.identity: dict[str, Any] = {}
        self.first_epoch = self.epoch = model.epochs
        self.images, self.seconds = 0, 0.0
        self.stopped = False
        self.callbacks: list[Any] = []
        self.saved: Saved | None = None
        self.good = "there is none yet"
        self.signals = HeldSignals()
        self._steps, self._time = int(model.steps[0]), time.monotonic()

    def open(self, resume: bool, identity: Mapping[str, Any]) -> None:
        """Make the folder; read the checkpoint in it, if training is to go on with it.

        Parameters
        ----------
        resume
            Whether it is.
        identity
            What has to be the same then.

        Raises
        ------
        ValueError
            If the checkpoint is damaged, or belongs to another training.
        """
        assert self.settings is not None
        self.identity = dict(identity)
        Path(self.settings.folder).mkdir(parents=True, exist_ok=True)
        path = self.settings.path
        remove_unfinished(path)
        if resume and path.exists():
            self.go_on_with(read_checkpoint(path), path)

    def go_on_with(self, saved: Saved, path: Path) -> None:
        """Go on with what was read from `path`; a ValueError if it belongs to another training."""
        state = saved.state
        check_state(state, path)
        for name, value in self.identity.items():
            if state["identity"].get(name) != value:
                raise ValueError(f"{path}: {name} was {state['identity'].get(name)!r} in that run, and is {value!r} now")
        self.saved = saved
        self.first_epoch, self.epoch, self.stopped = state["first_epoch"], state["epoch"], state["stopped"]

    @property
    def epochs(self) -> range:
        """The numbers of the epochs that are still to come, the one that was interrupted first."""
        return range(self.epoch, self.epoch if self.stopped else max(self.epoch, self.first_epoch + self.wanted))

    def restore(self, callbacks: Iterable[Any]) -> None:
        """Put the model and the callbacks into the state that was saved, if one was opened."""
        self.callbacks = remembering(callbacks)
        if self.saved is None:
            return
        if len(self.callbacks) != len(self.saved.state["callbacks"]):
            before = len(self.saved.state["callbacks"])
            raise ValueError(
                f"callbacks holds {len(self.callbacks)} that remember something, and held {before} in the run that goes on: "
                "give the same ones"
            )
        assert self.settings is not None
        model, (state, arrays) = self.model, self.saved
        own = {f"parameter/{name}": value for name, value in model.parameters.items()}
        model.optimizer.prepare(model.graph.layout)
        own |= {f"optimizer/{number}": buffer for number, buffer in enumerate(model.optimizer.buffers)}
        own |= {"hyper": model.optimizer.hyper}
        check_arrays(self.saved, own, self.settings.path)
        for name, value in own.items():
            value[...] = arrays[name]
        model.steps[0], model.epochs = state["steps"], state["epoch"]
        model.history.clear()
        model.history.update({name: [None if v is None else float(v) for v in column] for name, column in state["history"].items()})
        for number, (callback, kept) in enumerate(zip(self.callbacks, state["callbacks"], strict=True)):
            if kept is not None:
                start = _place_of(number)
                try:
                    callback.restore(kept | {name.removeprefix(start): each for name, each in arrays.items() if name.startswith(start)})
                except Exception as error:  # a callback of anybody's, given a state that is not one of its own
                    raise ValueError(f"{self.settings.path}: callback {number} cannot go on with its state ({error!r})") from error
        self.images, self.seconds = state["images"], state["seconds"]
        self._steps = state["steps"]
        self.good = self._place()

    def begin_epoch(self, passes: "Passes") -> int:
        """How many images of the epoch are done already; what was measured on them is put into `passes.measured`."""
        if self.saved is not None:
            for name, kept in self.saved.arrays.items():
                if name.startswith("image/"):
                    there = passes.measured.get(name.removeprefix("image/"), np.empty(0))[: self.images]
                    if len(there) != self.images or kept.shape != there.shape or kept.dtype != there.dtype:
                        raise ValueError(
                            f"{name!r} of the checkpoint is {kept.shape} of {kept.dtype}, expected {there.shape} of {there.dtype}"
                        )
                    there[...] = kept
            self.saved = None
        return self.images

    def steps_left(self) -> int | None:
        """How many steps there are until the next that is to be saved; None if steps do not matter."""
        if self.settings is None or self.settings.steps is None:
            return None
        return max(1, self.settings.steps - (int(self.model.steps[0]) - self._steps))

    def step(self, arrays: Mapping[str, np.ndarray], images: int, seconds: float) -> None:
        """Some steps are done, so many images of the epoch in all: save if it is time, then let a signal be heard."""
        if self.settings is None:
            return
        self.images, self.seconds = images, seconds
        every_steps, every_minutes = self.settings.steps, self.settings.minutes
        due = every_steps is not None and self.model.steps[0] - self._steps >= every_steps
        due = due or (every_minutes is not None and time.monotonic() - self._time >= 60 * every_minutes)
        if due or self.signals.pending is not None:
            self._save(arrays)
        self.signals.deliver()

    def measure(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Some validation is done: save only to let a signal be heard, as it is done anew when training goes on."""
        if self.settings is not None and self.signals.pending is not None:
            self._save(arrays)
            self.signals.deliver()

    def end_epoch(self, logs: Mapping[str, float], stopped: bool) -> None:
        """The epoch is in the history, and callbacks were told."""
        self.epoch, self.images, self.seconds, self.stopped = self.model.epochs, 0, 0.0, stopped
        if self.settings is None:
            return
        if math.isfinite(logs["loss"]):
            self._save({})
        self.signals.deliver()

    def _save(self, measured: Mapping[str, np.ndarray]) -> None:
        """Write a checkpoint, unless numbers are not finite any more: the last good one stays then."""
        assert self.settings is not None
        model, parts = self.model, {name: array[: self.images] for name, array in measured.items()}
        parameters = model.parameters
        if not all(np.isfinite(array).all() for array in parameters.values()):
            return
        state = {
            "identity": self.identity,
            "first_epoch": self.first_epoch,
            "epoch": self.epoch,
            "images": self.images,
            "seconds": self.seconds,
            "stopped": self.stopped,
            "steps": int(model.steps[0]),
            "history": {name: [None if v is None else repr(float(v)) for v in column] for name, column in model.history.items()},
            "callbacks": [],
        }
        kept = {f"parameter/{name}": value for name, value in parameters.items()}
        kept |= {f"optimizer/{number}": buffer for number, buffer in enumerate(model.optimizer.buffers)}
        kept |= {"hyper": model.optimizer.hyper, **{f"image/{name}": part for name, part in parts.items()}}
        for number, callback in enumerate(self.callbacks):
            own, arrays = _state_of(callback)
            state["callbacks"].append(own)
            kept |= {f"{_place_of(number)}{name}": array for name, array in arrays.items()}
        path = self.settings.path
        try:
            write_checkpoint(path, Saved(state, kept))
        except OSError as error:
            text = f"{error.strerror or error}, so that training stopped; the last good checkpoint: {self.good}"
            raise OSError(error.errno, text, str(path)) from error
        self.good = self._place()
        self._steps, self._time = int(model.steps[0]), time.monotonic()

    def _place(self) -> str:
        inside = f" and {self.images:,} images of the next" if self.images else ""
        return f"after {self.epoch} epoch{'s' if self.epoch != 1 else ''}{inside}"

    def __enter__(self) -> Self:
        if self.settings is not None:
            self.signals.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.signals.__exit__(*error)
