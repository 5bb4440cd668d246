"""One training that is watched: a network, its settings, and what became of it so far."""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jitcnn import initializers
from jitcnn.data import Dataset
from jitcnn.model import CNN
from jitcnn.play.explosion import GREW, Explosion, Watched, largest, measure
from jitcnn.play.images import number
from jitcnn.play.rebuilding import Settings, rebuilt, settings_of
from jitcnn.play.validation import measured_by_class, validation_of

CHUNK_SECONDS = 0.025  # between which drawings are answered
MOST_POINTS, MOST_MARKS = 800, 300
EXPLODED = 10.0  # times the loss before training, or that of guessing: of a trained model one batch may well have ten times the mean
MOST_STEPS = 200  # in a moment, so that they can be looked at once more
REPLAYED = 8  # steps before a loss that explodes, at least, if there were as many
SEARCHED = 64  # steps, for what grew where training comes to nothing
BETTER = 0.05  # right answers, by which training has come to something


@dataclass
class Snapshot:
    """Everything that training changes."""

    values: np.ndarray
    state: list[np.ndarray]
    steps: int
    epoch: int
    done: int
    order: np.ndarray


class Side:
    """A network in training.

    Attributes
    ----------
    model : CNN
    settings : Settings
    epoch, done : int
        Finished epochs, and images done of the current one.
    points : list of (epochs, loss, accuracy)
        While training.
    marks : list of dict
        After each epoch: what was measured on images that are not trained on.
    classes : list of float or None
        The share of each class's of these images that was answered rightly after the last epoch.
    run : int
        Another number once points begin anew.
    explosion : Explosion or None
    start : Snapshot or None
        Before the first step with these settings.
    warm : CNN or None
        The model for whose training everything is compiled.
    """

    def __init__(self, model: CNN, dataset: Dataset, batch: int = 32):
        self.dataset, self.run = dataset, 0
        self.warm: CNN | None = None
        self.validation = validation_of(dataset)
        self.settings = settings_of(model, min(batch, len(dataset.x)))
        self.history: dict[str, list] = {}
        self.begin(model)

    def begin(self, model: CNN) -> None:
        """Start from this model's weights."""
        self.model = model
        self.history, self.first_epoch = {name: list(values) for name, values in model.history.items()}, model.epochs
        self.epoch, self.done, self.steps_a_chunk = 0, 0, 1
        self.seconds, self.trained = 0.0, 0  # with these settings: what it took, and how many images it were
        self.points: list[tuple[float, float, float]] = []
        self.marks: list[dict[str, Any]] = []
        self.classes: list[float | None] = []
        self.explosion: Explosion | None = None
        self.best: Snapshot | None = None
        self.best_mark: dict[str, Any] | None = None
        self.start: Snapshot | None = None
        self.limit = math.inf  # the loss that is an explosion
        self.began, self.guessed = math.inf, 0.0  # loss and share of right answers before training
        self.earlier: list[Snapshot] = []  # before each of the last moments
        self.run += 1
        self.shuffle()

    @property
    def kept(self) -> np.ndarray:
        """Numbers of the images that are trained on."""
        return (
            np.flatnonzero(self.dataset.y != self.settings.left_out)
            if self.settings.left_out is not None
            else np.arange(len(self.dataset.y))
        )

    def shuffle(self) -> None:
        """The order of the next epoch's images, as `CNN.train` has it."""
        kept = self.kept
        generator = initializers.generator(self.model.graph.seed, self.first_epoch + self.epoch, initializers.SHUFFLE)
        self.order = kept[generator.permutation(len(kept))]

    def change(self, settings: Settings) -> None:
        """Use other settings that need no other network."""
        left_out = settings.left_out != self.settings.left_out
        self.settings, self.seconds, self.trained, self.start = settings, 0.0, 0, None
        assert self.model.optimizer is not None
        self.model.optimizer.learning_rate = settings.rate
        if left_out:
            self.done = 0
            self.shuffle()

    def rebuild(self, settings: Settings) -> CNN:
        """The network for other settings: with the weights that there are if only dropout changes."""
        return rebuilt(self.model, settings, keep_weights=settings.filters == self.settings.filters)

    def warm_up(self, model: CNN) -> None:
        """Compile what training this model takes, with a copy of it."""
        x, y = self.dataset.x, self.dataset.y
        count = min(len(x), self.settings.batch)
        train(copy.deepcopy(model), x[:count], y[:count], count)
        model.layer_outputs(x[0])

    # Training

    def advance(self, steps: int | None = None) -> None:
        """Train for so many steps, or for a moment, to the epoch's end at most."""
        began, before = time.perf_counter(), self.snapshot()
        if not self.points:
            self._look_at_start(before)
        self.start = self.start or before
        self.earlier = [*self.earlier, before][-REPLAYED:]
        started = time.perf_counter()
        logs, taken = self._train(self._steps_of_a_moment() if steps is None else steps)
        seconds = time.perf_counter() - started
        if steps is None:
            self.steps_a_chunk = max(1, min(2 * taken, MOST_STEPS, int(CHUNK_SECONDS * taken / max(seconds, 1e-6))))
        self._add_point(logs)
        if self.explosion is None and not logs["loss"] <= self.limit:
            self.explosion = self._exploded()
        if self.done >= len(self.order):
            self._end_epoch()
        self.seconds += time.perf_counter() - began

    def _steps_of_a_moment(self) -> int:
        """How many steps take a moment, so that equally long ones end with the epoch: a short one costs as much to begin as a long one."""
        left = -(-(len(self.order) - self.done) // self.settings.batch)
        return -(-left // -(-left // self.steps_a_chunk))

    def _look_at_start(self, before: Snapshot) -> None:
        """Measure what there is before training: the best so far, and what a loss that explodes is compared with."""
        measured = self.model.evaluate(*self.validation)
        self.began, self.guessed = measured["loss"], measured.get("accuracy", 0.0)
        self.limit = EXPLODED * max(self.began, math.log(max(2, (self.model.output_shape or (1,))[-1])))
        self.best, self.best_mark = before, {"epoch": 0, "loss": number(measured["loss"]), "accuracy": measured.get("accuracy")}

    def _train(self, steps: int) -> tuple[dict[str, float], int]:
        batch = self.settings.batch
        chosen = self.order[self.done : self.done + steps * batch]
        logs = train(self.model, self.dataset.x[chosen], self.dataset.y[chosen], batch)
        self.model.history, self.model.epochs = self.history, self.first_epoch + self.epoch
        self.done, self.trained = self.done + len(chosen), self.trained + len(chosen)
        return logs, -(-len(chosen) // batch)

    def _add_point(self, logs: dict[str, float]) -> None:
        self.points.append((self.epoch + self.done / len(self.order), logs["loss"], logs.get("accuracy", math.nan)))
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self.run += 1

    def _end_epoch(self) -> None:
        self.epoch, self.done = self.epoch + 1, 0
        measured, self.classes = measured_by_class(self.model, *self.validation)
        mark = {"epoch": self.epoch, "loss": number(measured["loss"]), "accuracy": measured.get("accuracy")}
        self.marks = [*(self.marks[1::2] if len(self.marks) >= MOST_MARKS else self.marks), mark]
        last = self.points[-1]
        self._remember({"loss": last[1], "accuracy": last[2], "val_loss": measured["loss"], "val_accuracy": measured.get("accuracy")})
        self.shuffle()
        if math.isfinite(measured["loss"]) and (self.best_mark is None or not measured["loss"] >= float(self.best_mark["loss"])):
            self.best, self.best_mark = self.snapshot(), mark
        if self.explosion is None and not self._is_better(measured):
            self.explosion = self._stalled(measured["loss"])

    def _is_better(self, measured: dict[str, float]) -> bool:
        """Whether training has come to something."""
        if "accuracy" in measured:
            return measured["accuracy"] > self.guessed + BETTER
        return measured["loss"] < self.began

    def _remember(self, logs: dict[str, Any]) -> None:
        epochs = self.model.epochs
        for name in {*self.history, *logs}:
            self.history.setdefault(name, [None] * epochs).append(logs.get(name))
        self.model.history, self.model.epochs = self.history, epochs + 1

    # Back

    def snapshot(self) -> Snapshot:
        """What there is now."""
        model = self.model
        model.graph.claim()
        assert model.optimizer is not None and model.graph.layout is not None
        model.optimizer.prepare(model.graph.layout)
        state = [buffer.copy() for buffer in model.optimizer.buffers]
        return Snapshot(model.graph.values.copy(), state, int(model.steps[0]), self.epoch, self.done, self.order)

    def restore(self, kept: Snapshot) -> None:
        """Go back to it."""
        assert self.model.optimizer is not None
        self.model.graph.values[...] = kept.values
        for buffer, copied in zip(self.model.optimizer.buffers, kept.state, strict=True):
            buffer[...] = copied
        self.model.steps[0] = kept.steps
        self.epoch, self.done, self.order = kept.epoch, kept.done, kept.order
        self.model.history, self.model.epochs = self.history, self.first_epoch + self.epoch

    def back_to_best(self) -> None:
        """Go back to the epoch's end, or the start, with the lowest loss on images that are not trained on."""
        if self.best is None:
            raise ValueError("nothing is trained yet")
        self.restore(self.best)
        self.points = [point for point in self.points if point[0] <= self.epoch]
        self.marks = [mark for mark in self.marks if mark["epoch"] <= self.epoch]
        self.classes = []
        self.history = self.model.history = {name: values[: self.model.epochs] for name, values in self.history.items()}
        self.explosion, self.start, self.earlier = None, None, []
        self.run += 1

    # Why a loss explodes, or training comes to nothing

    def _exploded(self) -> Explosion:
        """What grew in the last steps."""
        end = int(self.model.steps[0])
        start = next((each for each in reversed(self.earlier) if each.steps <= end - REPLAYED), self.earlier[0])
        return Explosion(list(self._replay(start, end)), self.began)

    def _stalled(self, loss: float) -> Explosion | None:
        """What grew in the first steps with these settings, and what is there now; None if weights have not become much larger."""
        assert self.start is not None
        if largest(self.model.graph.values) <= GREW * largest(self.start.values):
            return None
        now, watched = self.snapshot(), []
        for each in self._replay(self.start, min(now.steps, self.start.steps + SEARCHED)):
            watched.append(each)
            if Explosion(watched, 0.0).first() is not None:
                break
        self.restore(now)
        watched.append(replace(self._measure(), loss=loss))
        return Explosion(watched, self.began, stalled=True)

    def _replay(self, start: Snapshot, end: int) -> Iterator[Watched]:
        """Train from there up to a step once more, or till the loss explodes, one step at a time, and look at all numbers before each."""
        self.restore(start)
        while self.model.steps[0] < end:
            if self.done >= len(self.order):
                self.epoch, self.done = self.epoch + 1, 0
                self.shuffle()
            seen = self._measure()
            logs, _ = self._train(1)
            yield replace(seen, loss=logs["loss"])
            if not logs["loss"] <= self.limit:
                break

    def _measure(self) -> Watched:
        """All numbers before the next step, of its first images."""
        chosen = self.order[self.done :][: min(self.settings.batch, 8)]
        return measure(self.model, self.dataset.x[chosen], self.dataset.y[chosen], int(self.model.steps[0]) + 1)

    def to_dict(self, run: int, since: int) -> dict[str, Any]:
        """What the page shows: points from `since` on if they are those of the same run."""
        first = since if run == self.run else 0
        return {
            "settings": self.settings.__dict__,
            "run": self.run,
            "first": first,
            "points": [[number(value) for value in point] for point in self.points[first:]],
            "marks": self.marks,
            "classes": self.classes,
            "epoch": self.epoch,
            "share": self.done / max(1, len(self.order)),
            "step": int(self.model.steps[0]),
            "images": len(self.order),
            "rate": self.trained / self.seconds if self.trained >= len(self.order) else None,
            "best": self.best_mark,
            "parameters": sum(int(np.prod(shape)) for shape in self.model.parameter_shapes.values()),
            "explosion": None if self.explosion is None else self.explosion.to_dict(),
        }


def train(model: CNN, x: np.ndarray, y: np.ndarray, batch: int) -> dict[str, float]:
    """One pass over these images in their order: loss and accuracy."""
    model.history = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the page says what becomes of it
        history = model.train(x, y, epochs=1, batch_size=batch, shuffle=False, progress=False, on_nan="ignore")
    return {name: values[-1] for name, values in history.items()}
