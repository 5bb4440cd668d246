"""Optimizers: how a gradient changes a parameter. Formulas and defaults are PyTorch's.

Each is one compiled pass. Its numbers may change at every step: a table has a row for each step of an epoch.
"""

from typing import Any

from jitcnn.optimizers.adaptive import Adadelta, Adagrad, Adam, Adamax, AdamW, RMSprop
from jitcnn.optimizers.base import Optimizer
from jitcnn.optimizers.descent import SGD, Momentum, Nesterov

__all__ = [
    "OPTIMIZERS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Momentum", "Nesterov", "Optimizer", "RMSprop", "as_optimizer",
]  # fmt: skip

OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.name: optimizer for optimizer in (SGD, Momentum, Nesterov, RMSprop, Adagrad, Adadelta, Adam, Adamax, AdamW)
}


def as_optimizer(optimizer: Any, learning_rate: float | None = None, **settings: float) -> Optimizer:
    """An optimizer from its name and settings (its own defaults for those that are missing, or None), or as it is."""
    if isinstance(optimizer, Optimizer):
        if learning_rate is not None:
            raise ValueError(f"learning_rate is given beside an optimizer that has one: give {type(optimizer).__name__}({learning_rate})")
        return optimizer
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        raise ValueError(f"optimizer is the class {optimizer.__name__}: give an object, {optimizer.__name__}()")
    if not isinstance(optimizer, str) or optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer is {optimizer!r}, expected one of {', '.join(map(repr, OPTIMIZERS))}, or an object such as Adam(0.001)"
        )
    return OPTIMIZERS[optimizer](**({} if learning_rate is None else {"learning_rate": learning_rate}), **settings)
