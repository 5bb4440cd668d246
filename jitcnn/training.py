"""Training: epochs, validation, history, callbacks."""

import math
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from jitcnn import initializers
from jitcnn.augmentation import Augmentation
from jitcnn.callbacks import Callbacks
from jitcnn.labels import Targets
from jitcnn.passes import Passes, Trainer
from jitcnn.progress import Progress
from jitcnn.runs.checkpointing import Saver
from jitcnn.schedules import Schedule
from jitcnn.signs import Signs
from jitcnn.watch import Watch, skipped

REMEDY = "lower learning_rate, or start again from new weights"


@dataclass
class Training:
    """One call of `CNN.train`.

    Attributes
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
    watch
        Sees to it that numbers stay finite.
    signs
        Looks for what usually goes wrong.
    """

    trainer: Trainer
    images: np.ndarray
    targets: Targets
    order: np.ndarray
    validation: tuple[np.ndarray, Targets, np.ndarray] | None
    batch_size: int
    shuffle: bool
    augmentation: Augmentation
    schedule: Schedule
    schedule_epochs: range
    finished: Callable[[dict[str, float]], None]
    callbacks: Callbacks
    progress: Progress
    saver: Saver
    watch: Watch
    signs: Signs

    def run(self) -> None:
        """Train, epoch by epoch.

        Raises
        ------
        FloatingPointError
            If numbers do not stay finite, and training is to stop.
        """
        trainer, saver, callbacks = self.trainer, self.saver, self.callbacks
        trainer.augmenter.use(self.augmentation)
        trainer.spent = dict.fromkeys(trainer.spent, 0.0)
        self._say_what_is_compiled()
        callbacks.call("on_train_begin")
        try:
            with ExitStack() as stack:
                stack.enter_context(saver)
                saver.restore(callbacks.callbacks)
                training = stack.enter_context(Passes(trainer, True, self.images, self.targets, self.order, self.batch_size))
                measuring = None if self.validation is None else stack.enter_context(trainer.measuring(*self.validation))
                for epoch in saver.epochs:
                    if not saver.images:
                        callbacks.call("on_epoch_begin", epoch)
                    logs = self._epoch(epoch, training, measuring)
                    self.finished(logs)
                    self.progress.end_epoch(epoch, logs)
                    self.signs.end_epoch(logs)
                    warn_of_divergence(epoch, logs)
                    stop = callbacks.call("on_epoch_end", epoch, dict(logs))
                    saver.end_epoch(logs, stop)
                    if stop:
                        break
        finally:
            self.progress.close()
            callbacks.call("on_train_end")

    def _say_what_is_compiled(self) -> None:
        trainer = self.trainer
        if trainer.engine != "python" and not trainer.is_ready(True, self.images, self.targets, self.batch_size):
            what = f"{', '.join(trainer.graph.names)}; batches of {self.batch_size}, {trainer.graph.dtype}"
            self.progress.note(f"compiling the training step ({trainer.engine}): {what}")

    def _epoch(self, epoch: int, training: Passes, measuring: Passes | None) -> dict[str, float]:
        """Train for one epoch, and measure: what goes into the history."""
        spent, saver, begun = self.trainer.spent, self.saver, time.perf_counter()
        training.schedule(self.schedule, epoch - self.schedule_epochs.start, len(self.schedule_epochs), saver.images)
        self.trainer.augmenter.begin(epoch, len(self.order))
        for passes in (training, measuring):
            if passes is not None:
                passes.prepare()  # the program is made before the clock starts
        prepared = time.perf_counter()
        spent["preparing"] += prepared - begun
        self.progress.begin_epoch(epoch)
        self.watch.epoch = epoch
        if self.shuffle:
            shuffling = initializers.generator(self.trainer.graph.seed, epoch, initializers.SHUFFLE)
            training.order[...] = self.order[shuffling.permutation(len(self.order))]
        logs, seconds = self._train(epoch, training)
        trained = time.perf_counter()
        spent["training"] += trained - prepared
        measured = {} if measuring is None else measuring.run(after=lambda _: saver.measure(training.measured))
        spent["validation"] += time.perf_counter() - trained
        rate = float(training.arrays["hyper"][-1, 0])  # of the last step
        return {**logs, **{f"val_{name}": value for name, value in measured.items()}, "rate": rate, "seconds": seconds}

    def _train(self, epoch: int, training: Passes) -> tuple[dict[str, float], float]:
        """The steps of an epoch, or what an interruption left of them: loss and metrics, and the seconds that all of them took."""
        saver, signs = self.saver, self.signs
        signs.begin_epoch()
        done = saver.begin_epoch(training)
        started = time.perf_counter() - saver.seconds

        def after_chunk(images: int) -> None:
            signs.step(float(training.arrays["hyper"][-(-images // training.batch_size) - 1, 0]))
            saver.step(training.measured, images, time.perf_counter() - started)

        logs = training.run(
            self.progress.update, after_chunk, done, lambda: signs.steps_left() or saver.steps_left(), self.watch.begin(training, done)
        )
        if self.watch.on_nan == "skip":
            logs["skipped"] = skipped(training.measured, training.batch_size)
            if logs["skipped"] == training.steps:
                raise FloatingPointError(
                    f"every step of epoch {epoch + 1} was skipped: lower learning_rate, or start again from new weights"
                )
        return logs, saver.seconds if done == len(self.order) else time.perf_counter() - started


def extended(history: dict[str, list], logs: dict[str, float]) -> dict[str, list]:
    """The history with one more epoch; what one epoch has and another has not is None there."""
    epochs = max(map(len, history.values()), default=0)
    return {name: [*history.get(name, [None] * epochs), logs.get(name)] for name in dict.fromkeys([*history, *logs])}


def warn_of_divergence(epoch: int, logs: dict[str, float]) -> None:
    """Warn if the loss is no number any more."""
    if not math.isfinite(logs["loss"]):
        warnings.warn(f"the loss became {logs['loss']} in epoch {epoch + 1}: {REMEDY}", RuntimeWarning, stacklevel=4)
