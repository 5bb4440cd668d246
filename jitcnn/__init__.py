"""jitcnn: convolutional networks trained on the CPU, every pass written out by hand in Python and compiled by Numba.

>>> from jitcnn import CNN, Conv2d, Dense, Flatten
>>> model = CNN([Conv2d(8, activation="relu", input_shape=(28, 28, 1)), Flatten(), Dense(10, activation="softmax")], seed=1)
>>> model.compile("adam", learning_rate=0.01)
>>> model.output_shape
(10,)

Nothing is imported before it is used: `import jitcnn` alone loads neither NumPy nor Numba.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jitcnn import kernels
    from jitcnn.augmentation import Augmentation
    from jitcnn.gradient_check import gradcheck
    from jitcnn.layers import Activation, Conv2d, Dense, Dropout, Flatten, Layer, Pool2d, Upsample
    from jitcnn.model import CNN
    from jitcnn.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Momentum, Nesterov, RMSprop
    from jitcnn.storage import load

    __version__: str

__all__ = [
    "CNN",
    "SGD",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Augmentation",
    "Conv2d",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "Momentum",
    "Nesterov",
    "Pool2d",
    "RMSprop",
    "Upsample",
    "__version__",
    "gradcheck",
    "kernels",
    "load",
]  # fmt: skip

HOMES = {
    **dict.fromkeys(("Layer", "Conv2d", "Pool2d", "Dense", "Dropout", "Flatten", "Upsample", "Activation"), "jitcnn.layers"),
    **dict.fromkeys(("SGD", "Momentum", "Nesterov", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "AdamW"), "jitcnn.optimizers"),
    "CNN": "jitcnn.model",
    "Augmentation": "jitcnn.augmentation",
    "load": "jitcnn.storage",
    "gradcheck": "jitcnn.gradient_check",
}


def __getattr__(name: str) -> Any:
    """Import a name where it lives, when it is first used (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            value: Any = version("jitcnn")
        except PackageNotFoundError:  # run from a checkout that is not installed
            value = "0.1.0"
    elif name == "kernels":
        value = importlib.import_module("jitcnn.kernels")
    elif name in HOMES:
        value = getattr(importlib.import_module(HOMES[name]), name)
    else:
        raise AttributeError(f"module 'jitcnn' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
