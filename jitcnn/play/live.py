"""One training that is watched: a network, its settings, and what became of it so far."""

from __future__ import annotations

import copy
import math
import time
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jitcnn import initializers
from jitcnn.data import Dataset
from jitcnn.model import CNN
from jitcnn.play.explosion import Explosion, Watched, measure
from jitcnn.play.images import number
from jitcnn.play.rebuilding import Settings, rebuilt, settings_of

CHUNK_SECONDS = 0.025  # between which drawings are answered
MOST_POINTS = 2_000
VALIDATED = 1_000  # images
EXPLODED = 10.0  # times the loss before training
MOST_STEPS = 200  # in a moment, so that they can be looked at once more
REPLAYED = 8  # steps before a loss that explodes, at least, if there were as many


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
        After each epoch: what was measured on images that are not trained on, by class too.
    run : int
        Another number once points begin anew.
    explosion : Explosion or None
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
        self.epoch, self.done, self.steps_a_chunk, self.seconds = 0, 0, 1, 0.0
        self.points: list[tuple[float, float, float]] = []
        self.marks: list[dict[str, Any]] = []
        self.explosion: Explosion | None = None
        self.best: Snapshot | None = None
        self.best_mark: dict[str, Any] | None = None
        self.limit = math.inf
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
        self.settings = settings
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
        before = self.snapshot()
        if not self.points:
            self._look_at_start(before)
        self.earlier = [*self.earlier, before][-REPLAYED:]
        wanted = self.steps_a_chunk if steps is None else steps
        started = time.perf_counter()
        logs, taken = self._train(wanted)
        seconds = time.perf_counter() - started
        if steps is None:
            self.steps_a_chunk = max(1, min(2 * taken, MOST_STEPS, int(CHUNK_SECONDS * taken / max(seconds, 1e-6))))
        self.seconds += seconds
        self._add_point(logs)
        if self.explosion is None and not logs["loss"] <= self.limit:
            self.explosion = self._replay()
        if self.done >= len(self.order):
            self._end_epoch()

    def _look_at_start(self, before: Snapshot) -> None:
        """Measure what there is before training: the best so far, and what a loss that explodes is compared with."""
        measured = self.model.evaluate(*self.validation)
        self.limit = EXPLODED * measured["loss"]
        self.best, self.best_mark = (
            before,
            {"epoch": 0, "loss": number(measured["loss"]), "accuracy": measured.get("accuracy"), "classes": []},
        )

    def _train(self, steps: int) -> tuple[dict[str, float], int]:
        batch = self.settings.batch
        chosen = self.order[self.done : self.done + steps * batch]
        logs = train(self.model, self.dataset.x[chosen], self.dataset.y[chosen], batch)
        self.model.history, self.model.epochs = self.history, self.first_epoch + self.epoch
        self.done += len(chosen)
        return logs, -(-len(chosen) // batch)

    def _add_point(self, logs: dict[str, float]) -> None:
        self.points.append((self.epoch + self.done / len(self.order), logs["loss"], logs.get("accuracy", math.nan)))
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self.run += 1

    def _end_epoch(self) -> None:
        x, y = self.validation
        self.epoch, self.done = self.epoch + 1, 0
        measured = self.model.evaluate(x, y)
        mark = {
            "epoch": self.epoch,
            "loss": number(measured["loss"]),
            "accuracy": measured.get("accuracy"),
            "classes": self._by_class(x, y),
        }
        self.marks.append(mark)
        last = self.points[-1]
        self._remember({"loss": last[1], "accuracy": last[2], "val_loss": measured["loss"], "val_accuracy": measured.get("accuracy")})
        self.shuffle()
        if math.isfinite(measured["loss"]) and (self.best_mark is None or not measured["loss"] >= float(self.best_mark["loss"])):
            self.best, self.best_mark = self.snapshot(), mark

    def _remember(self, logs: dict[str, Any]) -> None:
        epochs = self.model.epochs
        for name in {*self.history, *logs}:
            self.history.setdefault(name, [None] * epochs).append(logs.get(name))
        self.model.history, self.model.epochs = self.history, epochs + 1

    def _by_class(self, x: np.ndarray, y: np.ndarray) -> list[float | None]:
        """The share of each class's images that are answered rightly."""
        outputs = self.model.predict(x)
        if outputs.ndim != 2 or outputs.shape[1] < 2:
            return []
        right = outputs.argmax(axis=1) == y
        return [float(right[y == k].mean()) if (y == k).any() else None for k in range(outputs.shape[1])]

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

    def back_to_best(self) -> None:
        """Go back to the epoch's end, or the start, with the lowest loss on images that are not trained on."""
        if self.best is None:
            raise ValueError("nothing is trained yet")
        self.restore(self.best)
        self.points = [point for point in self.points if point[0] <= self.epoch]
        self.marks = [mark for mark in self.marks if mark["epoch"] <= self.epoch]
        self.history = {name: values[: self.first_epoch + self.epoch] for name, values in self.history.items()}
        self.model.history, self.model.epochs = self.history, self.first_epoch + self.epoch
        self.explosion, self.earlier = None, []
        self.run += 1

    def _replay(self) -> Explosion:
        """Train the last steps once more, one at a time, and look at all numbers before each."""
        end = int(self.model.steps[0])
        self.restore(next((each for each in reversed(self.earlier) if each.steps <= end - REPLAYED), self.earlier[0]))
        watched: list[Watched] = []
        while self.model.steps[0] < end:
            if self.done >= len(self.order):
                self.epoch, self.done = self.epoch + 1, 0
                self.shuffle()
            chosen = self.order[self.done : self.done + self.settings.batch]
            watched.append(measure(self.model, self.dataset.x[chosen[:8]], self.dataset.y[chosen[:8]], int(self.model.steps[0]) + 1))
            logs, _ = self._train(1)
            watched[-1] = replace(watched[-1], loss=logs["loss"])
            if not logs["loss"] <= self.limit:
                break
        return Explosion(watched, self.limit / EXPLODED)

    def to_dict(self, run: int, since: int) -> dict[str, Any]:
        """What the page shows: points from `since` on if they are those of the same run."""
        first = since if run == self.run else 0
        return {
            "settings": self.settings.__dict__,
            "run": self.run,
            "first": first,
            "points": [[number(value) for value in point] for point in self.points[first:]],
            "marks": self.marks,
            "epoch": self.epoch,
            "share": self.done / max(1, len(self.order)),
            "step": int(self.model.steps[0]),
            "images": len(self.order),
            "rate": sum(len(self.order) for _ in self.marks) / self.seconds if self.marks and self.seconds else None,
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


def validation_of(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Images that are not trained on; of data without any the last of those that are."""
    for x, y in ((dataset.x_val, dataset.y_val), (dataset.x_test, dataset.y_test)):
        if x is not None and y is not None:
            return x[:VALIDATED], y[:VALIDATED]
    return dataset.x[-VALIDATED:], dataset.y[-VALIDATED:]
