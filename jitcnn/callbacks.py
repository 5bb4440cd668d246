"""Objects that are told what training does, and those that watch a metric: early stopping, the best model's file, falling rates.

One that has something to remember gives it as `state()`, a dict of JSON values and arrays, which checkpoints keep; from that,
`restore(state)` goes on in a later run.
"""

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jitcnn.checks import amount, positive, real
from jitcnn.forms.geometry import integer
from jitcnn.metrics import is_metric

PARAMETER = "parameter/"  # in front of a parameter's name in a state
METHODS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


class Callbacks:
    """Objects with any of these methods:

    - `on_train_begin(model)` and `on_train_end(model)`, also after Ctrl-C or an error;
    - `on_epoch_begin(model, epoch)`;
    - `on_epoch_end(model, epoch, logs)`, where `logs` holds the epoch's part of the history; returning True ends training.

    and, for checkpoints, `state()`, a dict of JSON values and arrays, and `restore(state)`.

    Epochs are numbered from 0 over the model's life. A callback may write weights and set `model.optimizer.learning_rate`.
    """

    def __init__(self, callbacks: Any, model: Any):
        """Check that every object has such a method.

        Raises
        ------
        ValueError
            If one has none.
        """
        self.callbacks = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
        self.model = model
        for callback in self.callbacks:
            if not any(callable(getattr(callback, method, None)) for method in METHODS):
                raise ValueError(f"callbacks holds a {type(callback).__name__} without any of the methods {', '.join(METHODS)}")

    def call(self, method: str, *arguments: Any) -> bool:
        """Call a method of all that have it; whether any of them returned True."""
        answers = [getattr(callback, method)(self.model, *arguments) for callback in self.callbacks if hasattr(callback, method)]
        return any(answer is True for answer in answers)


class Watcher:
    """What callbacks share that watch a metric: losses should fall, accuracies rise.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int or None
        Its epoch, from 0 over the model's life.
    waited : int
        How many epochs there were since.
    """

    def __init__(self, monitor: str, min_delta: float):
        if not is_metric(monitor):
            raise ValueError(f"monitor is {monitor!r}, expected 'loss', 'accuracy', 'top5' and so on, or the same with 'val_' in front")
        self.monitor = monitor
        self.min_delta = amount("min_delta", min_delta)
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.waited = 0

    def look(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Take an epoch's value; whether it is the best so far by more than `min_delta`. One that is no number never is.

        Raises
        ------
        ValueError
            If the metric was not measured.
        """
        if self.monitor not in logs:
            measured = ", ".join(name for name in logs if is_metric(name))
            raise ValueError(f"monitor is {self.monitor!r}, and only {measured} are measured: give train(validation=…) or another monitor")
        value = logs[self.monitor]
        sign = -1 if self.monitor.endswith("loss") else 1
        if math.isfinite(value) and (self.best is None or sign * (value - self.best) > self.min_delta):
            self.best, self.best_epoch, self.waited = value, epoch, 0
            return True
        self.waited += 1
        return False

    def state(self) -> dict[str, Any]:
        """What a later run needs to go on."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises
        ------
        ValueError
            If it is no such state.
        """
        if set(state) != {"best", "best_epoch", "waited"}:
            raise ValueError(f"state has {', '.join(map(repr, state)) or 'nothing'}, expected 'best', 'best_epoch' and 'waited'")
        self.best = None if state["best"] is None else real("best", state["best"])
        self.best_epoch = None if state["best_epoch"] is None else integer("best_epoch", state["best_epoch"], at_least=0)
        self.waited = integer("waited", state["waited"], at_least=0)


class EarlyStopping(Watcher):
    """Ends training once a metric has not become better for some epochs.

    Parameters
    ----------
    monitor : str
        The metric: "loss", "accuracy", "top5" and so on, or with "val_" in front what is measured on other images.
    patience : int
        So many epochs in a row without a better value end training.
    min_delta : float
        Only what is better by more than this counts.
    restore_best : bool
        Whether the model gets the parameters of its best epoch back at the end of `train`, if that epoch was in this call, or in the part
        of it before an interruption.

    Examples
    --------
    >>> from jitcnn.callbacks import EarlyStopping
    >>> stop = EarlyStopping("val_loss", patience=2)
    >>> [stop.on_epoch_end(None, epoch, {"val_loss": loss}) for epoch, loss in enumerate([0.5, 0.4, 0.45, 0.41])]
    [False, False, False, True]
    """

    def __init__(self, monitor: str = "val_loss", patience: int = 3, min_delta: float = 0.0, restore_best: bool = False):
        super().__init__(monitor, min_delta)
        self.patience = integer("patience", patience, at_least=1)
        self.restore_best = restore_best
        self.parameters: dict[str, np.ndarray] = {}

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> bool:
        """Keep the best parameters; whether to stop."""
        if self.look(epoch, logs) and self.restore_best:
            self.parameters = {name: array.copy() for name, array in model.parameters.items()}
        return self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """What a later run needs to go on, the best parameters too."""
        return super().state() | {f"{PARAMETER}{name}": array for name, array in self.parameters.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        super().restore({name: value for name, value in state.items() if not name.startswith(PARAMETER)})
        self.parameters = {name.removeprefix(PARAMETER): value for name, value in state.items() if name.startswith(PARAMETER)}

    def on_train_end(self, model: Any) -> None:
        """Put the best parameters back."""
        for name, array in self.parameters.items():
            model.parameters[name][...] = array
        self.parameters = {}


class BestCheckpoint(Watcher):
    """Writes the model to a file whenever a metric is better than ever before; the file is replaced when the new one is whole.

    Parameters
    ----------
    path : path
        The file, as for `CNN.save`.
    monitor, min_delta
        As for `EarlyStopping`.
    """

    def __init__(self, path: str | os.PathLike, monitor: str = "val_loss", min_delta: float = 0.0):
        super().__init__(monitor, min_delta)
        self.path = path

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> None:
        """Save what is better."""
        if self.look(epoch, logs):
            model.save(self.path)


class ReduceOnPlateau(Watcher):
    """Makes the learning rate smaller once a metric has not become better for some epochs, and again after as many more.

    It changes the optimizer's rate, which schedules multiply; only a `OneCycle` with a `max_rate` of its own does not follow.

    Parameters
    ----------
    monitor, min_delta
        As for `EarlyStopping`.
    factor : float
        What the rate is multiplied by, between 0 and 1.
    patience : int
        How many epochs in a row without a better value are waited for.
    min_rate : float
        The rate never falls below this.
    """

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 3, min_delta: float = 0.0, min_rate: float = 1e-6):
        super().__init__(monitor, min_delta)
        self.factor = real("factor", factor)
        if not 0 < self.factor < 1:
            raise ValueError(f"factor is {factor!r}, expected a number between 0 and 1")
        self.patience = integer("patience", patience, at_least=1)
        self.min_rate = positive("min_rate", min_rate)

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> None:
        """Lower the rate where it is time to."""
        if not self.look(epoch, logs) and self.waited % self.patience == 0:
            rate = model.optimizer.learning_rate
            model.optimizer.learning_rate = min(rate, max(rate * self.factor, self.min_rate))
