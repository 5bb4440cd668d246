"""Training: the step that every engine runs, epochs, validation, history, callbacks."""

import math
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from jitcnn import initializers, kernels
from jitcnn.augmentation import UNCHANGED, Augmentation, Augmenter
from jitcnn.callbacks import Callbacks
from jitcnn.engine.forward import PREDICTION_BATCH, as_four_axes, take_batch
from jitcnn.engine.session import Session
from jitcnn.graph import Graph
from jitcnn.labels import Targets
from jitcnn.layers.base import Backward
from jitcnn.losses import Loss
from jitcnn.metrics import RunningMeans, apply_accuracy, is_binary
from jitcnn.optimizers import Optimizer
from jitcnn.progress import Progress
from jitcnn.runs.checkpointing import Saver
from jitcnn.schedules import Schedule

KEPT = {"loss": "losses", "accuracy": "hits"}  # what is shown, and the array of each image's part in it
HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")


@dataclass(frozen=True)
class Objective:
    """What a step measures: a loss, and whether it counts right answers.

    Attributes
    ----------
    loss : Loss
    activation : str or None
        The last layer's.
    accuracy : bool
        Whether right answers are counted.
    normalize : int
        1: every image is standardised first.
    """

    loss: Loss
    activation: str | None
    accuracy: bool
    normalize: int = 0

    def scores_classes(self, outputs: int) -> bool:
        """Whether counting right answers takes class numbers beside the loss's float targets."""
        return self.accuracy and not self.loss.wants_classes(self.activation) and not is_binary(self.activation, outputs)


def measured_step(
    step: Any, graph: Graph, objective: Objective, data: SimpleNamespace, augmenter: Augmenter = UNCHANGED
) -> tuple[Any, Backward]:
    """Forward, loss and score of one batch: (gradient of the loss with respect to the outputs, backward).

    Parameters
    ----------
    step
        What the engine hands to a recorded function.
    graph, objective
        The network, and what is measured.
    data
        Arrays `images`, `targets`, `classes` (if the objective scores them), `order`, `position`; `losses` and `hits`, an epoch long,
        take each sample's loss, and 1 where it was right.
    augmenter
        What changes images, and mixes labels; an image counts as right by its own label.
    """
    assert graph.input_shape is not None
    loss = objective.loss
    augments, mixes = augmenter.calls
    if augments:
        x = augmenter.take_images(step, data, objective.normalize)
    else:
        x = take_batch(step, data, graph.input_shape, objective.normalize)
    outputs, backward = graph.forward(step, x, logits=loss.on_logits)
    targets = take_targets(step, data, data.targets)
    mixed = augmenter.take_labels(step, data, outputs) if mixes else targets
    losses, grad = loss.apply(step, objective.activation, outputs, mixed)
    step.output(losses, data.losses)
    if objective.accuracy:
        rows = outputs if len(outputs.shape) == 2 else step.reshape(outputs, (math.prod(outputs.shape[1:]),))
        wanted = take_targets(step, data, data.classes) if objective.scores_classes(rows.shape[1]) else targets
        step.output(apply_accuracy(step, objective.activation, rows, wanted, loss.on_logits), data.hits)
    return grad, backward


def training_step(
    step: Any, graph: Graph, objective: Objective, optimizer: Optimizer, data: SimpleNamespace, augmenter: Augmenter = UNCHANGED
) -> None:
    """One step of training: forward, loss, backward, update. Recorded once by "fast", run at every step by the other engines."""
    grad, backward = measured_step(step, graph, objective, data, augmenter)
    backward(grad)
    for parameter in graph.parameters.values():
        optimizer.update(step, parameter, data.hyper)


def take_targets(step: Any, data: SimpleNamespace, targets: Any) -> Any:
    """The batch's class numbers (n,), or float targets (n, outputs), in a buffer."""
    y = step.labels_buffer() if targets.ndim == 1 else step.buffer(targets.shape[1:])
    step.call(kernels.take_labels, targets, data.order, data.position, y)
    return y


class Trainer:
    """The programs of a compiled model: made when they are first needed, void when parameters move.

    Attributes
    ----------
    steps : int64 array (1,)
        How many training steps there were.
    augmenter : Augmenter
        What training does to images; nothing at first.
    """

    def __init__(self, graph: Graph, objective: Objective, optimizer: Optimizer, engine: str, threads: int | None, steps: np.ndarray):
        self.graph = graph
        self.objective = objective
        self.optimizer = optimizer
        self.engine = engine
        self.threads = threads
        self.steps = steps
        self.augmenter = Augmenter(graph.seed)
        self.version = 0
        self.sessions: dict[tuple, Session] = {}

    def session(self, training: bool, images: np.ndarray, targets: Targets, batch_size: int) -> Session:
        """The program for such data."""
        key = self.key(training, images, batch_size)
        if not self.is_ready(training, images, batch_size):
            self.sessions[key] = Session(
                self.engine,
                self.record_training if training else self.record_evaluation,
                self.arrays(training, images, targets, np.zeros(1, np.int64), 1),
                batch_size,
                self.graph.dtype,
                training,
                self.steps,
                self.threads,
            )
        return self.sessions[key]

    def key(self, training: bool, images: np.ndarray, batch_size: int) -> tuple:
        """What tells programs apart."""
        return training, images.dtype, batch_size, self.augmenter.calls if training else None

    def is_ready(self, training: bool, images: np.ndarray, batch_size: int) -> bool:
        """Whether the program for such data is there. Programs are void if parameters, or the optimizer's state, have moved."""
        version = self.graph.claim()
        assert self.graph.layout is not None
        if self.optimizer.prepare(self.graph.layout) or version != self.version:
            self.sessions.clear()
            self.version = version
        return self.key(training, images, batch_size) in self.sessions

    def record_training(self, step: Any, data: SimpleNamespace) -> None:
        """The calls of a training step."""
        training_step(step, self.graph, self.objective, self.optimizer, data, self.augmenter)

    def record_evaluation(self, step: Any, data: SimpleNamespace) -> None:
        """The calls of an evaluation step."""
        measured_step(step, self.graph, self.objective, data)

    def arrays(self, training: bool, images: np.ndarray, targets: Targets, order: np.ndarray, steps: int) -> dict[str, np.ndarray]:
        """All arrays of a pass over the images in `order`, in so many steps."""
        arrays = {"images": as_four_axes(images), "targets": targets.targets, "order": order}
        arrays["losses"] = np.zeros(len(order), self.graph.dtype)
        if self.objective.accuracy:
            arrays["hits"] = np.zeros(len(order), np.int64)
            assert self.graph.output_shape is not None
            if self.objective.scores_classes(math.prod(self.graph.output_shape)):
                assert targets.classes is not None
                arrays["classes"] = targets.classes
        if training:
            arrays["hyper"] = np.tile(self.optimizer.hyper, (steps, 1))
        return arrays

    def measure(self, images: np.ndarray, targets: Targets) -> dict[str, float]:
        """{"loss", "accuracy"} over all these images, in which every image weighs the same."""
        with Passes(self, False, images, targets, np.arange(len(images)), PREDICTION_BATCH) as passes:
            return passes.run()


class Passes:
    """Passes over the same images: a context, within which the program keeps hold of them."""

    def __init__(self, trainer: Trainer, training: bool, images: np.ndarray, targets: Targets, order: np.ndarray, batch_size: int):
        """Prepare.

        Parameters
        ----------
        trainer
            What has the programs.
        training
            Whether to train, or only to measure.
        images, targets
            The data.
        order
            Which images.
        batch_size
            Images in a step.
        """
        self.trainer = trainer
        self.training, self.images, self.targets, self.batch_size = training, images, targets, batch_size
        self.steps = -(-len(order) // batch_size)
        self.arrays = trainer.arrays(training, images, targets, order.copy(), self.steps)
        self.session: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.session is not None:
            self.session.release()

    def prepare(self) -> Session:
        """The program, which is another one if parameters have moved meanwhile, holding the data."""
        session = self.trainer.session(self.training, self.images, self.targets, self.batch_size)
        if self.session is not None and session is not self.session:
            self.session.release()
        self.session = session
        session.bind(self.arrays)
        session.program.prepare()
        return session

    def schedule(self, schedule: Schedule, epoch: int, epochs: int, done: int) -> None:
        """Fill in the optimizer's numbers for each step of the next pass, which is number `epoch` of so many, and `done` images in it."""
        optimizer, steps = self.trainer.optimizer, self.steps
        numbers = range(epoch * steps, (epoch + 1) * steps)
        rates = [schedule.rate(number, epochs * steps, optimizer.learning_rate) for number in numbers]
        momenta = [schedule.momentum(number, epochs * steps) for number in numbers]
        self.arrays["hyper"][...] = optimizer.table(rates, momenta)
        optimizer.first[0] = self.trainer.steps[0] + 1 - -(-done // self.batch_size)

    def run(
        self,
        order: np.ndarray | None = None,
        show: Callable[[int, dict[str, float]], None] | None = None,
        after: Callable[[int], None] | None = None,
        first: int = 0,
        limit: Callable[[], int | None] = lambda: None,
    ) -> dict[str, float]:
        """One pass: {"loss", "accuracy"}, in which every image weighs the same.

        Parameters
        ----------
        order
            The images in another order.
        show
            Called now and then with the number of images done since the last call, and with loss and accuracy so far.
        after
            Called then too, with the number of images done in all.
        first
            How many images are done already, in whole steps.
        limit
            How many steps there may be at most until `after` is called; None for any number.
        """
        if order is not None:
            self.arrays["order"][...] = order
        session = self.prepare()
        means = RunningMeans({name: self.arrays[kept] for name, kept in KEPT.items() if kept in self.arrays})

        def after_chunk(done: int) -> None:
            new = means.take(done)
            if show is not None:
                show(new, means.means())
            if after is not None:
                after(done)

        session.run_all(after_chunk, first, limit)
        return {name: float(self.arrays[kept].mean(dtype=np.float64)) for name, kept in KEPT.items() if kept in self.arrays}


def fit(
    trainer: Trainer,
    images: np.ndarray,
    targets: Targets,
    order: np.ndarray,
    validation: tuple[np.ndarray, Targets, np.ndarray] | None,
    *,
    batch_size: int,
    shuffle: bool,
    augmentation: Augmentation,
    schedule: Schedule,
    schedule_epochs: range,
    finished: Callable[[dict[str, float]], None],
    callbacks: Callbacks,
    progress: Progress,
    saver: Saver,
) -> None:
    """Train for some epochs.

    Parameters
    ----------
    trainer
        What performs the passes.
    images, targets, order
        The data, and the numbers of those to train on.
    validation
        The same of what is measured after each epoch; None for nothing.
    batch_size
        Images in a step.
    shuffle
        Whether to take the images in another order each epoch.
    augmentation
        What happens to them.
    schedule, schedule_epochs
        How the learning rate changes over these epochs, which may have begun before, and end after, those trained here.
    finished
        Called after each epoch with its entries for the history, before the callbacks.
    callbacks, progress
        Are told.
    saver
        Knows which epochs are to come, whose numbers key the shuffling, and saves them.
    """
    trainer.augmenter.use(augmentation)
    if trainer.engine != "python" and not trainer.is_ready(True, images, batch_size):
        what = ", ".join(trainer.graph.names)
        progress.note(f"compiling the training step ({trainer.engine}): {what}; batches of {batch_size}, {trainer.graph.dtype}")
    callbacks.call("on_train_begin")
    try:
        with ExitStack() as stack:
            stack.enter_context(saver)
            saver.restore(callbacks.callbacks)
            training = stack.enter_context(Passes(trainer, True, images, targets, order, batch_size))
            measuring = None if validation is None else stack.enter_context(Passes(trainer, False, *validation, PREDICTION_BATCH))
            for epoch in saver.epochs:
                if not saver.images:
                    callbacks.call("on_epoch_begin", epoch)
                training.schedule(schedule, epoch - schedule_epochs.start, len(schedule_epochs), saver.images)
                logs = fit_epoch(training, measuring, epoch, trainer.graph.seed if shuffle else None, order, progress, saver)
                finished(logs)
                progress.end_epoch(epoch, logs)
                warn_of_divergence(epoch, logs)
                stop = callbacks.call("on_epoch_end", epoch, dict(logs))
                saver.end_epoch(logs, stop)
                if stop:
                    break
    finally:
        progress.close()
        callbacks.call("on_train_end")


def fit_epoch(
    training: Passes, measuring: Passes | None, epoch: int, seed: int | None, order: np.ndarray, progress: Progress, saver: Saver
) -> dict[str, float]:
    """Train for one epoch, and measure: what goes into the history. Without a seed, images come in the given order."""
    training.trainer.augmenter.begin(epoch, len(order))
    training.prepare()  # the program is made before the clock starts
    progress.begin_epoch(epoch)
    done = saver.begin_epoch(training.arrays)
    started = time.perf_counter() - saver.seconds
    shuffled = None if seed is None else order[initializers.generator(seed, epoch, initializers.SHUFFLE).permutation(len(order))]

    def after_chunk(images: int) -> None:
        saver.step(training.arrays, images, time.perf_counter() - started)

    logs = training.run(shuffled, progress.update, after_chunk, done, saver.steps_left)
    seconds = saver.seconds if done == len(order) else time.perf_counter() - started
    measured = {} if measuring is None else measuring.run(after=lambda _: saver.measure(training.arrays))
    return {**logs, **{f"val_{name}": value for name, value in measured.items()}, "seconds": seconds}


def append(history: dict[str, list], logs: dict[str, float]) -> None:
    """Add an epoch to the history; what one epoch has and another has not is None there."""
    epochs = max(map(len, history.values()), default=0)
    for name in HISTORY:
        if name in history or name in logs:
            history.setdefault(name, [None] * epochs).append(logs.get(name))


def warn_of_divergence(epoch: int, logs: dict[str, float]) -> None:
    """Warn if the loss is no number any more."""
    if not math.isfinite(logs["loss"]):
        text = f"the loss became {logs['loss']} in epoch {epoch + 1}: lower learning_rate, or start again from new weights"
        warnings.warn(text, RuntimeWarning, stacklevel=4)
