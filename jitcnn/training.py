"""Training: epochs, validation, history, callbacks."""

import math
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from jitcnn import initializers
from jitcnn.augmentation import Augmentation
from jitcnn.callbacks import Callbacks
from jitcnn.labels import Targets
from jitcnn.passes import Passes, Trainer
from jitcnn.progress import Progress
from jitcnn.runs.checkpointing import Saver
from jitcnn.schedules import Schedule
from jitcnn.watch import Watch, skipped


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
    watch: Watch,
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
    watch
        Sees to it that numbers stay finite.

    Raises
    ------
    FloatingPointError
        If they do not, and training is to stop.
    """
    trainer.augmenter.use(augmentation)
    trainer.spent = dict.fromkeys(trainer.spent, 0.0)
    if trainer.engine != "python" and not trainer.is_ready(True, images, targets, batch_size):
        what = ", ".join(trainer.graph.names)
        progress.note(f"compiling the training step ({trainer.engine}): {what}; batches of {batch_size}, {trainer.graph.dtype}")
    callbacks.call("on_train_begin")
    try:
        with ExitStack() as stack:
            stack.enter_context(saver)
            saver.restore(callbacks.callbacks)
            training = stack.enter_context(Passes(trainer, True, images, targets, order, batch_size))
            measuring = None if validation is None else stack.enter_context(trainer.measuring(*validation))
            for epoch in saver.epochs:
                if not saver.images:
                    callbacks.call("on_epoch_begin", epoch)
                training.schedule(schedule, epoch - schedule_epochs.start, len(schedule_epochs), saver.images)
                logs = fit_epoch(training, measuring, epoch, trainer.graph.seed if shuffle else None, order, progress, saver, watch)
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
    training: Passes,
    measuring: Passes | None,
    epoch: int,
    seed: int | None,
    order: np.ndarray,
    progress: Progress,
    saver: Saver,
    watch: Watch,
) -> dict[str, float]:
    """Train for one epoch, and measure: what goes into the history. Without a seed, images come in the given order."""
    spent, begun = training.trainer.spent, time.perf_counter()
    training.trainer.augmenter.begin(epoch, len(order))
    for passes in (training, measuring):
        if passes is not None:
            passes.prepare()  # the program is made before the clock starts
    prepared = time.perf_counter()
    spent["preparing"] += prepared - begun
    progress.begin_epoch(epoch)
    watch.epoch = epoch
    if seed is not None:
        training.order[...] = order[initializers.generator(seed, epoch, initializers.SHUFFLE).permutation(len(order))]
    done = saver.begin_epoch(training)
    started = time.perf_counter() - saver.seconds

    def after_chunk(images: int) -> None:
        saver.step(training.measured, images, time.perf_counter() - started)

    logs = training.run(progress.update, after_chunk, done, saver.steps_left, watch)
    if watch.on_nan == "skip":
        logs["skipped"] = skipped(training.measured, training.batch_size)
        if logs["skipped"] == training.steps:
            raise FloatingPointError(f"every step of epoch {epoch + 1} was skipped: lower learning_rate, or start again from new weights")
    seconds = saver.seconds if done == len(order) else time.perf_counter() - started
    trained = time.perf_counter()
    spent["training"] += trained - prepared
    measured = {} if measuring is None else measuring.run(after=lambda _: saver.measure(training.measured))
    spent["validation"] += time.perf_counter() - trained
    rate = float(training.arrays["hyper"][-1, 0])  # of the last step
    return {**logs, **{f"val_{name}": value for name, value in measured.items()}, "rate": rate, "seconds": seconds}


def append(history: dict[str, list], logs: dict[str, float]) -> None:
    """Add an epoch to the history; what one epoch has and another has not is None there."""
    epochs = max(map(len, history.values()), default=0)
    for name in dict.fromkeys([*logs, *history]):
        history.setdefault(name, [None] * epochs).append(logs.get(name))


def warn_of_divergence(epoch: int, logs: dict[str, float]) -> None:
    """Warn if the loss is no number any more."""
    if not math.isfinite(logs["loss"]):
        text = f"the loss became {logs['loss']} in epoch {epoch + 1}: lower learning_rate, or start again from new weights"
        warnings.warn(text, RuntimeWarning, stacklevel=4)
