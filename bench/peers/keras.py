"""Keras, on whatever it computes with (KERAS_BACKEND): one more peer in training. Needs a Python that has it."""

import time
from typing import Any

import keras
from keras import layers

from bench.peers.digits import digits
from bench.protocol import serve

RATES = {"conv-pool": 0.001}
STATE: dict[str, Any] = {}


def network(name: str) -> keras.Model:
    """The preset's layers, with Keras' own initial weights, compiled. Logits come out."""
    conv, pool, flatten, dense, dropout = layers.Conv2D, layers.MaxPooling2D, layers.Flatten, layers.Dense, layers.Dropout

    def relu(filters: int) -> Any:
        return conv(filters, 3, activation="relu")

    hidden: dict[str, list[Any]] = {
        "single-conv": [relu(8), flatten()],
        "double-conv": [relu(8), relu(16), flatten()],
        "conv-pool": [relu(4), pool(2), relu(8), dropout(0.2), flatten()],
        "deep": [relu(4), relu(8), pool(2), flatten(), dense(64, activation="relu"), dropout(0.1)],
    }
    model = keras.Sequential([keras.Input((28, 28, 1)), *hidden[name], dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATES.get(name, 0.01)), loss, metrics=["accuracy"])
    return model


def fit(epochs: int) -> float:
    """Train, and return the seconds."""
    start = time.perf_counter()
    STATE["model"].fit(STATE["x"], STATE["y"], batch_size=STATE["batch_size"], epochs=epochs, verbose=0)
    return time.perf_counter() - start


def prepare_training(name: str, images: int, batch_size: int, seconds: float) -> int:
    """Train once, which compiles, and find how many epochs `seconds` hold; returns that number."""
    x, y = digits("train", images)
    STATE.update(model=network(name), x=x[..., None], y=y, batch_size=batch_size)
    fit(1)
    STATE["epochs"] = max(1, round(seconds / fit(1) + 0.5))
    return STATE["epochs"]


def train() -> float:
    """Images a second, over the prepared number of epochs."""
    return STATE["epochs"] * len(STATE["x"]) / fit(STATE["epochs"])


def version() -> str:
    """What answers."""
    return f"Keras {keras.__version__} on {keras.backend.backend()}"


if __name__ == "__main__":
    serve({function.__name__: function for function in (version, prepare_training, train)})
