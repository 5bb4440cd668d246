"""Networks that are known to learn, with everything that their training needs: what `jitcnn train --preset` offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jitcnn.layers import Conv2d, Dense, Dropout, Flatten, Layer, Pool2d
from jitcnn.layers.base import Shape
from jitcnn.model import CNN
from jitcnn.optimizers import as_optimizer
from jitcnn.schedules import Constant, Linear, OneCycle, Schedule

DIGITS: Shape = (28, 28, 1)


@dataclass(frozen=True)
class Preset:
    """A network and how it is trained.

    Attributes
    ----------
    name
        As `--preset` takes it.
    about
        One line for people.
    layers
        `layers(input_shape, classes)` makes new layers for images of that shape.
    optimizer, learning_rate, loss, batch_size, epochs
        As `CNN.compile` and `CNN.train` take them.
    train_limit, validation_limit
        How many images it trains on and how many it is validated on, each from the first on.
    schedule
        How the learning rate changes from step to step, as `CNN.train` takes it.
    settings
        The optimizer's other numbers by name.
    augment
        What happens to the digits that come along, as `CNN.train` takes it: so digits of one's own are recognised better.
    """

    name: str
    about: str
    layers: Callable[[Shape, int], list[Layer]]
    learning_rate: float
    train_limit: int
    validation_limit: int
    epochs: int = 5
    batch_size: int = 32
    optimizer: str = "adam"
    loss: str = "cross_entropy"
    schedule: Schedule = field(default_factory=Constant)
    settings: Mapping[str, float] = field(default_factory=dict)
    augment: str | None = None

    def schedule_at(self, learning_rate: float | None) -> Schedule:
        """Return the schedule; a learning rate in place of the preset's is then its largest, too."""
        if learning_rate is None or not isinstance(self.schedule, OneCycle):
            return self.schedule
        return replace(self.schedule, max_rate=None)

    def build(
        self,
        *,
        seed: int | None = None,
        input_shape: Shape = DIGITS,
        classes: int = 10,
        engine: str = "fast",
        threads: int | None = None,
        dtype: str = "float32",
        optimizer: str | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        loss: str | None = None,
        label_smoothing: float = 0.0,
        clip_norm: float | None = None,
        metrics: Sequence[str] = ("accuracy",),
        normalize: str | None = "per-image",
    ) -> CNN:
        """Return the network, compiled.

        Parameters
        ----------
        seed
            What its first weights, its dropout and its shuffling are drawn from.
        input_shape, classes
            The shape of one image and the number of classes.
        engine, threads, dtype, normalize
            As `CNN` takes them.
        optimizer, learning_rate, weight_decay, loss
            In place of the preset's. Another optimizer comes with a learning rate of its own unless one is given.
        label_smoothing, clip_norm, metrics
            As `CNN.compile` takes them.

        Raises
        ------
        ValueError
            If images of this shape are too small for the layers, or if a name is unknown.
        """
        settings: dict[str, float] = {} if learning_rate is None else {"learning_rate": learning_rate}
        if optimizer in (None, self.optimizer):
            settings = {"learning_rate": self.learning_rate, **self.settings, **settings}
        if weight_decay is not None:
            settings["weight_decay"] = weight_decay
        model = CNN(self.layers(input_shape, classes), seed=seed, normalize=normalize, dtype=dtype, engine=engine, threads=threads)
        chosen = as_optimizer(optimizer or self.optimizer, **settings)
        model.compile(chosen, loss=loss or self.loss, metrics=metrics, label_smoothing=label_smoothing, clip_norm=clip_norm)
        return model


def _single_conv(shape: Shape, classes: int) -> list[Layer]:
    return [Conv2d(8, activation="relu", input_shape=shape), Flatten(), Dense(classes, activation="softmax")]


def _double_conv(shape: Shape, classes: int) -> list[Layer]:
    return [
        Conv2d(8, activation="relu", input_shape=shape),
        Conv2d(16, activation="relu"),
        Flatten(),
        Dense(classes, activation="softmax"),
    ]


def _conv_pool(shape: Shape, classes: int) -> list[Layer]:
    return [
        Conv2d(4, activation="relu", input_shape=shape),
        Pool2d(),
        Conv2d(8, activation="relu"),
        Dropout(0.2),
        Flatten(),
        Dense(classes, activation="softmax"),
    ]


def _deep(shape: Shape, classes: int) -> list[Layer]:
    return [
        Conv2d(4, activation="relu", input_shape=shape),
        Conv2d(8, activation="relu"),
        Pool2d(),
        Flatten(),
        Dense(64, activation="relu"),
        Dropout(0.1),
        Dense(classes, activation="softmax"),
    ]


def _default(shape: Shape, classes: int) -> list[Layer]:
    return [
        Conv2d(8, activation="relu", input_shape=shape),
        Pool2d(),
        Conv2d(32, activation="relu"),
        Pool2d(),
        Dropout(0.2),
        Conv2d(64, activation="relu"),
        Flatten(),
        Dropout(0.4),
        Dense(classes, activation="softmax"),
    ]


def _fast(shape: Shape, classes: int) -> list[Layer]:
    return [
        Conv2d(24, 5, activation="relu", input_shape=shape),
        Pool2d(),
        Conv2d(32, activation="relu"),
        Pool2d(),
        Flatten(),
        Dense(256, activation="relu"),
        Dense(classes, activation="softmax"),
    ]


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "default",
            "three convolutions, over 99 % of the test digits right",
            _default,
            learning_rate=0.002,
            train_limit=60_000,
            validation_limit=10_000,
            epochs=6,
            schedule=Linear(),
            augment="digits",
        ),
        Preset(
            "fast",
            "two convolutions and a hidden layer, 99 % of the test digits right after one epoch",
            _fast,
            learning_rate=0.01,
            train_limit=60_000,
            validation_limit=10_000,
            epochs=1,
            batch_size=256,
            schedule=OneCycle(max_rate=0.007, pct_start=0.2),
            settings={"beta1": 0.7, "beta2": 0.9},
        ),
        Preset("single-conv", "one convolution", _single_conv, learning_rate=0.01, train_limit=1_000, validation_limit=100),
        Preset("double-conv", "two convolutions", _double_conv, learning_rate=0.01, train_limit=10_000, validation_limit=500),
        Preset(
            "conv-pool",
            "two convolutions around a pooling layer, dropout",
            _conv_pool,
            learning_rate=0.001,
            train_limit=5_000,
            validation_limit=500,
        ),
        Preset(
            "deep",
            "two convolutions, pooling, a hidden layer, dropout",
            _deep,
            learning_rate=0.01,
            train_limit=10_000,
            validation_limit=500,
        ),
    )
}
