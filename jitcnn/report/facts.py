"""What a run's page says, before it is drawn: the model that came out, its answers on the data, and what they add up to."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jitcnn import data, kernels
from jitcnn.data import Dataset
from jitcnn.data.splits import divided
from jitcnn.metrics import largest
from jitcnn.model import CNN
from jitcnn.plots.confusion import matrix_of
from jitcnn.runs.folder import MODELS, Run

MOST_IMAGES = 10_000


@dataclass(frozen=True)
class Measured:
    """A model's answers on one part of the data.

    Attributes
    ----------
    part
        What the images are: "test images", …
    images, labels, outputs
        The images, their class numbers, and the model's outputs.
    total
        How many images the part has; of more than 10,000 the first ones are measured.
    loss
        Their mean loss.
    """

    part: str
    images: np.ndarray
    labels: np.ndarray
    outputs: np.ndarray
    total: int
    loss: float

    @cached_property
    def matrix(self) -> np.ndarray:
        """How many images of each class (rows) were taken for each class (columns)."""
        return matrix_of(self.outputs, self.labels)

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(self.matrix.trace() / self.matrix.sum())

    def top(self, metric: str) -> float:
        """The metric top5 or the like: the share whose class is among so many largest outputs."""
        return float(kernels.score(self.outputs, self.labels, top=largest(metric)).mean())


@dataclass(frozen=True)
class Facts:
    """All there is to say about a run.

    Attributes
    ----------
    run
        The folder.
    which, model
        "best" or "last", and the model that the run came to.
    measured
        Its answers; None where the data cannot be read.
    missing
        Why they cannot.
    """

    run: Run
    which: str
    model: CNN
    measured: Measured | None
    missing: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the classes, in full; their numbers if they have none."""
        assert self.model.output_shape is not None
        classes = max(2, self.model.output_shape[-1])
        names = self.model.classes or ()
        return list(names) if len(names) == classes else list(map(str, range(classes)))

    @property
    def epoch(self) -> int | None:
        """The epoch, from 0, whose parameters the model has."""
        return self.model.epochs - 1 if 0 < self.model.epochs <= len(self.run.history["loss"]) else None

    def logged(self, name: str) -> float | None:
        """What the history says of the model's epoch."""
        column = self.run.history.get(name)
        return None if self.epoch is None or column is None else column[self.epoch]


def collect(run: Run, dataset: Dataset | None = None, source: str | None = None, threads: int | None = None) -> Facts:
    """Find out everything.

    Parameters
    ----------
    run
        The run.
    dataset
        The data, if they are in memory already; otherwise those that the run's settings name are read.
    source
        Where the data are instead of where the settings say.
    threads
        How many threads compute; None for all.

    Raises
    ------
    ValueError
        If the run has no model yet, or `source` cannot be read.
    """
    which, model = result_of(run)
    model.threads = threads
    try:
        read = divided(dataset or load_data(run, model, source), model.data or {}, model.seed, "val")
        return Facts(run, which, model, measure(model, read))
    except ValueError as error:
        if source is not None:
            raise
        return Facts(run, which, model, None, str(error))


def result_of(run: Run) -> tuple[str, CNN]:
    """Which of a run's models came out in the end, and the model: of one that has not ended the best so far."""
    digest = run.config.get("result", {}).get("digest")
    for which in MODELS:
        try:
            model = run.model(which)
        except ValueError:
            continue
        if model.digest() == digest:
            return which, model
    return "best", run.model("best")


def load_data(run: Run, model: CNN, source: str | None) -> Dataset:
    """The data that a run was trained on; a ValueError if they are not there, or other ones."""
    named = run.config.get("data", {})
    if source is None and not isinstance(named.get("name"), str):
        raise ValueError(f"{run.path} does not say which data it was trained on: say with --data")
    found = data.load(source or named["name"], train_limit=MOST_IMAGES, test_limit=MOST_IMAGES, preparation=model.preparation)
    if source is None and found.digest != named.get("digest"):
        raise ValueError(f"{found.name} is not what the run was trained on (digest {found.digest}, then {named.get('digest')})")
    return found


def measure(model: CNN, dataset: Dataset) -> Measured:
    """A model's answers on the data's test images; without any, on those for validation, or on those to train on."""
    parts: list[tuple[str, Any, Any]] = [
        ("test images", dataset.x_test, dataset.y_test),
        ("images for validation", dataset.x_val, dataset.y_val),
        ("images of the training data, as there are no others", dataset.x, dataset.y),
    ]
    part, x, y = next((part, x, y) for part, x, y in parts if x is not None)
    images, labels = x[:MOST_IMAGES], y[:MOST_IMAGES]
    return Measured(part, images, labels, model.predict(images), len(x), model.evaluate(images, labels)["loss"])
