"""Objects that are told what training does."""

from collections.abc import Iterable
from typing import Any

METHODS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


class Callbacks:
    """Objects with any of these methods:

    - `on_train_begin(model)` and `on_train_end(model)`, also after Ctrl-C or an error;
    - `on_epoch_begin(model, epoch)`;
    - `on_epoch_end(model, epoch, logs)`, where `logs` holds the epoch's part of the history; returning True ends training.

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
