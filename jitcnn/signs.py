"""Signs that training will not do what was meant: said once each, and only where there is no doubt.

Figures that part healthy trainings from others were taken from the presets and every optimizer at rates from 1e-8 to 3.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jitcnn.labels import Targets

if TYPE_CHECKING:
    from jitcnn.model import CNN

EPOCHS = 3  # in which any loss falls that will ever fall
BEGINNING = 20  # steps in which a learning rate shows what it does to fresh weights
TOO_LARGE, TOO_SMALL = 10.0, 5e-5  # update to weights, the largest of those steps and of all layers: healthy ones were 0.003 to 7
FIRST_LOOK = 40  # steps after which outputs are looked at, and again after twice as many, and so on
ENOUGH = 100  # steps after which something has to be learnt
PROBE, PROBE_IN_PYTHON = 256, 32  # images whose outputs are looked at
DEAD = 0.75  # of a layer's units: healthy layers had up to 0.4
GUESSING = 0.99  # of the loss of guessing
NEIGHBOURS, PIXELS = 600, 1024  # images, and numbers of each, by which labels are compared with those beside
SHIFTED = 0.25  # how much more often the label beside fits


def warn(text: str) -> None:
    """Say it where this package was called."""
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals["__name__"].startswith("jitcnn."):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=depth)


def look_at_labels(classes: np.ndarray | None, names: Sequence[str] | None, outputs: int) -> None:
    """Whether the samples to train on are all of one class, or classes are counted from 1."""
    if classes is None or len(classes) < 2:
        return
    if (classes == classes[0]).all():
        warn(f"all {len(classes):,} labels are class {named(classes[0], names)}: nothing can be learnt from them but to answer that always")
    elif outputs > 2 and len(classes) >= 10 * outputs and np.array_equal(np.unique(classes), np.arange(1, outputs)):
        warn(f"labels go from 1 to {outputs - 1}, and none is 0: they count from 0, so subtract 1 if these are off by one")


def look_at_validation(images: np.ndarray, validation: np.ndarray) -> None:
    """Whether images to validate on lie, in memory, among those to train on: both arrays are contiguous."""
    first, last = max(map(_start, (images, validation))), min(_start(array) + array.nbytes for array in (images, validation))
    if first < last:
        shared = -(-(last - first) // validation[0].nbytes)
        warn(f"{shared:,} of {len(validation):,} images to validate on are trained on too: what is measured says little of other ones")


class Signs:
    """Looks at one call of `train`: at its first steps, and, now and then, at what the model answers after an epoch.

    Parameters
    ----------
    model
        What is trained.
    images, targets, order
        The data, and the numbers of those that are trained on.
    """

    def __init__(self, model: "CNN", images: np.ndarray, targets: Targets, order: np.ndarray):
        self.model, self.images, self.targets, self.order = model, images, targets, order
        self.fresh, self.largest = model.epochs == 0, 0.0
        self.told: set[str] = set()

    @property
    def beginning(self) -> bool:
        """Whether these are the first steps of a model's life."""
        return self.fresh and self.model.steps[0] < BEGINNING

    def tell(self, sign: str, text: str) -> None:
        """Say it, unless this call of `train` has said it already."""
        if sign not in self.told:
            self.told.add(sign)
            warn(text)

    def begin_epoch(self) -> None:
        """Keep what the first steps are compared with."""
        self.begun = int(self.model.steps[0])
        self.before = {name: array.copy() for name, array in self._weights()} if self.beginning else {}

    def steps_left(self) -> int | None:
        """How many steps there may be until `step`; None for any number."""
        return 1 if self.before else None

    def step(self, rate: float) -> None:
        """Some steps are done, the last one at this rate of the schedule's."""
        if not self.before:
            return
        part = min(rate / self._rate, 1)
        for name, array in self._weights():
            with np.errstate(all="ignore"):  # numbers that are too large are the watch's to tell
                size, moved = np.linalg.norm(self.before[name]), np.linalg.norm(array - self.before[name])
            ratio = float(moved / size) if size > 0 else 0.0
            self.largest = max(self.largest, ratio / part if part > 0 else 0.0)
            if ratio > TOO_LARGE:
                changed = f"a step changed {name} by {ratio:.3g} times their size"
                self.tell("updates", f"{changed}, and a thousandth is usual: try a learning_rate far below {self._rate:g}")
            self.before[name][...] = array
        if not self.beginning:
            self.before = {}
            if 0 < self.largest < TOO_SMALL:
                changed = f"no step changed weights by more than {self.largest:.0e} of their size"
                self.tell("updates", f"{changed}, and a thousandth is usual: try a learning_rate far above {self._rate:g}")

    def end_epoch(self, logs: dict[str, float]) -> None:
        """Look at the loss, and where it is time at the answers too."""
        steps = int(self.model.steps[0])
        if (steps // FIRST_LOOK).bit_length() > (self.begun // FIRST_LOOK).bit_length():
            self.look_at_answers()
            if steps >= ENOUGH:
                self.look_at_guessing(logs, steps)
        losses = [loss for loss in self.model.history["loss"] if loss is not None]
        if len(losses) == EPOCHS and min(losses[1:]) >= losses[0] and not self.told:
            others = f"{self._rate / 10:g} or {self._rate * 10:g}"
            self.tell("loss", f"the loss has not fallen in {EPOCHS} epochs: try a learning_rate of {others} instead of {self._rate:g}")

    def look_at_answers(self) -> None:
        """Whether relus are dead, and whether every answer is the same class."""
        probe = self.order[: PROBE_IN_PYTHON if self.model.engine == "python" else PROBE]
        outputs = self.model.layer_outputs(self.images[probe])
        for layer in self.model.layers:
            if layer.activation == "relu":
                made = outputs[layer.name][1]
                dead = made.max(axis=0).reshape(-1, made.shape[-1]).max(axis=0) <= 0
                if dead.mean() >= DEAD:
                    self.tell(
                        "relus",
                        f"{dead.sum()} of {len(dead)} relus of {layer.name} are dead, 0 for each of {len(probe)} images: "
                        f"try a learning_rate below {self._rate:g}, from new weights",
                    )
        last, classes = outputs[self.model.layers[-1].name][1], self.targets.classes
        if classes is None or last.ndim != 2 or (classes[probe] == classes[probe[0]]).all():
            return
        answers = last.argmax(axis=1) if last.shape[1] > 1 else (last[:, 0] > 0.5).astype(int)
        if (answers == answers[0]).all():
            self.tell("one class", f"each of {len(probe)} images is taken for class {named(int(answers[0]), self.model.classes)}")

    def look_at_guessing(self, logs: dict[str, float], steps: int) -> None:
        """Whether the loss is still that of guessing, and accuracy too if it is measured."""
        classes, loss, activation = self.targets.classes, self.model.loss, self.model.layers[-1].activation
        outputs = (self.model.output_shape or (1,))[-1]
        if classes is None or loss is None or loss.name != "cross_entropy" or (activation == "sigmoid" and outputs > 1):
            return
        weights = None if self.targets.weights is None else self.targets.weights[self.order, 0]
        guess, share = guessing(classes[self.order], max(outputs, 2), weights, loss.label_smoothing)
        by_chance = share + 3 * np.sqrt(share * (1 - share) / len(self.order))
        if logs["loss"] >= GUESSING * guess and logs.get("accuracy", 0) <= by_chance:
            found = f"after {steps:,} steps the loss is {logs['loss']:.3f}, hardly better than guessing among {max(outputs, 2)} classes"
            self.tell("guessing", f"{found}, {guess:.3f}: look at labels and images, and at learning_rate, {self._rate:g}")
            if shift := shifted(self.images, classes):
                self.tell("shifted", f"labels are off by one place: an image fits the label {'after' if shift > 0 else 'before'} its own")

    @property
    def _rate(self) -> float:
        assert self.model.optimizer is not None
        return self.model.optimizer.learning_rate

    def _weights(self) -> list[tuple[str, np.ndarray]]:
        """All that is multiplied with inputs; biases begin at 0, of which any update is infinitely much."""
        return [(name, array) for name, array in self.model.parameters.items() if array.ndim > 1]


def named(number: int, names: Sequence[str] | None) -> str:
    """A class for people."""
    return f"{number}{f' ({names[number]})' if names and names[number] != str(number) else ''}"


def guessing(classes: np.ndarray, count: int, weights: np.ndarray | None, smoothing: float) -> tuple[float, float]:
    """The cross-entropy of an answer that is right about how frequent classes are and knows no image, and the share of the largest one.

    >>> loss, share = guessing(np.array([0, 1, 2, 3]), 4, None, 0.0)
    >>> round(loss, 4), share
    (1.3863, 0.25)
    """
    sums = np.bincount(classes, weights, minlength=count)
    frequent = (1 - smoothing) * sums / sums.sum() + smoothing / count
    entropy = -(frequent * np.log(np.maximum(frequent, 1e-30))).sum()
    return float(entropy * sums.sum() / len(classes)), float(np.bincount(classes).max() / len(classes))


def shifted(images: np.ndarray, classes: np.ndarray) -> int:
    """By how many places labels are off, 1 or -1, if images that are alike have labels beside them that agree; 0 otherwise."""
    count = min(len(images), NEIGHBOURS)
    if count < NEIGHBOURS // 6:
        return 0
    rows = images[:count].reshape(count, -1)
    rows = rows[:, :: -(-rows.shape[1] // PIXELS)].astype(np.float32)
    squares = (rows**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    inner = np.arange(1, count - 1)
    nearest = distances[1:-1, 1:-1].argmin(axis=1) + 1
    agree = {shift: (classes[inner + shift] == classes[nearest + shift]).mean() for shift in (-1, 0, 1)}
    best = max((-1, 1), key=agree.__getitem__)
    return best if agree[best] > agree[0] + SHIFTED else 0


def _start(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]
