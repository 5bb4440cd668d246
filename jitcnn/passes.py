"""Programs of a compiled model, and passes over images with them."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from jitcnn.augmentation import Augmenter
from jitcnn.engine.forward import as_four_axes, prediction_batch
from jitcnn.engine.session import Session
from jitcnn.graph import Graph
from jitcnn.labels import Targets
from jitcnn.metrics import RunningMeans, means_of
from jitcnn.objective import Objective, measured_step, training_step
from jitcnn.optimizers import Optimizer
from jitcnn.schedules import Schedule


class Trainer:
    """The programs of a compiled model: made when they are first needed, void when parameters move.

    Attributes
    ----------
    steps : int64 array (1,)
        How many training steps there were.
    augmenter : Augmenter
        What training does to images; nothing at first.
    """

    def __init__(
        self,
        graph: Graph,
        objective: Objective,
        optimizer: Optimizer,
        engine: str,
        threads: int | None,
        steps: np.ndarray,
        clip_norm: float | None = None,
    ):
        self.graph = graph
        self.objective = objective
        self.optimizer = optimizer
        self.engine = engine
        self.threads = threads
        self.steps = steps
        self.limit = None if clip_norm is None else np.array([clip_norm])
        self.augmenter = Augmenter(graph.seed)
        self.spent = {"preparing": 0.0, "training": 0.0, "validation": 0.0}
        self.version = 0
        self.sessions: dict[tuple, Session] = {}

    def session(self, training: bool, images: np.ndarray, targets: Targets, batch_size: int) -> Session:
        """The program for such data."""
        key = self.key(training, images, targets, batch_size)
        with self.graph.turns:
            if not self.is_ready(training, images, targets, batch_size):
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

    def key(self, training: bool, images: np.ndarray, targets: Targets, batch_size: int) -> tuple:
        """What tells programs apart."""
        return training, images.dtype, batch_size, targets.weights is not None, self.augmenter.calls if training else None

    def is_ready(self, training: bool, images: np.ndarray, targets: Targets, batch_size: int) -> bool:
        """Whether the program for such data is there. Programs are void if parameters, or the optimizer's state, have moved."""
        version = self.graph.claim()
        assert self.graph.layout is not None
        if self.optimizer.prepare(self.graph.layout) or version != self.version:
            self.sessions.clear()
            self.version = version
        session = self.sessions.get(self.key(training, images, targets, batch_size))
        return session is not None and session.sound

    def record_training(self, step: Any, data: SimpleNamespace) -> None:
        """The calls of a training step."""
        training_step(step, self.graph, self.objective, self.optimizer, data, self.augmenter, self.limit)

    def record_evaluation(self, step: Any, data: SimpleNamespace) -> None:
        """The calls of an evaluation step."""
        measured_step(step, self.graph, self.objective, data)

    def arrays(self, training: bool, images: np.ndarray, targets: Targets, order: np.ndarray, steps: int) -> dict[str, np.ndarray]:
        """All arrays of a pass over the images in `order`, in so many steps."""
        arrays = {"images": as_four_axes(images), "targets": targets.targets, "order": order}
        arrays |= {name: np.zeros(len(order), np.int64 if name != "loss" else self.graph.dtype) for name in self.objective.measures}
        assert self.graph.output_shape is not None
        if self.objective.scores_classes(math.prod(self.graph.output_shape)):
            assert targets.classes is not None
            arrays["classes"] = targets.classes
        if targets.weights is not None:
            arrays["weights"] = targets.weights
        if training:
            arrays["hyper"] = np.tile(self.optimizer.hyper, (steps, 1))
        return arrays

    def measure(self, images: np.ndarray, targets: Targets) -> dict[str, float]:
        """Loss and metrics over all these images."""
        with self.measuring(images, targets, np.arange(len(images))) as passes:
            return passes.run()

    def measuring(self, images: np.ndarray, targets: Targets, order: np.ndarray) -> "Passes":
        """Passes that measure; how many images are in a step changes no figure."""
        return Passes(self, False, images, targets, order, prediction_batch(self.graph.buffer_shapes().values()))


class Passes:
    """Passes over the same images: a context, within which the program keeps hold of them.

    Attributes
    ----------
    order : int64 array
        Which images, in the order of the next pass, written in place.
    measured : dict of str to array
        Each image's loss, and whether it was right, in that order.
    """

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
        self.order = order.copy()
        self.arrays = trainer.arrays(training, images, targets, self.order, self.steps)
        self.measured = {name: self.arrays[name] for name in trainer.objective.measures}
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
        show: Callable[[int, dict[str, float]], None] | None = None,
        after: Callable[[int], None] | None = None,
        first: int = 0,
        limit: Callable[[], int | None] = lambda: None,
        look: Callable[[int], None] | None = None,
    ) -> dict[str, float]:
        """One pass: means over the images of the loss (times an image's weight, if it has one) and of each metric.

        Parameters
        ----------
        show
            Called now and then with the number of images done since the last call, and with loss and accuracy so far.
        after
            Called then too, with the number of images done in all.
        first
            How many images are done already, in whole steps.
        limit
            How many steps there may be at most until `after` is called; None for any number.
        look
            Called with the number of images done before anybody is told; it may raise. Samples whose loss it made NaN count for no mean.
        """
        session = self.prepare()
        means = RunningMeans(self.measured, look is not None)

        def after_chunk(done: int) -> None:
            if look is not None:
                look(done)
            new = means.take(done)
            if show is not None:
                show(new, means.means())
            if after is not None:
                after(done)

        session.run_all(after_chunk, first, limit)
        return means_of(self.measured, look is not None)
