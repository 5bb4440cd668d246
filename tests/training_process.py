"""A short run in a process of its own, to be killed.

`python -m tests.training_process FOLDER EPOCHS` trains, or goes on, and prints its state; with `FUNCTION COUNT` behind, it kills itself
when `os.FUNCTION` is called for the COUNT-th time.
"""

import hashlib
import os
import signal
import sys

import numpy as np

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.runs import Checkpointing

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (52, 8, 8, 1)).astype(np.uint8)
Y = RNG.integers(0, 3, 52)
VALIDATION = RNG.integers(0, 256, (20, 8, 8, 1)).astype(np.uint8), RNG.integers(0, 3, 20)


class Counting:
    """A callback with a state."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, model, epoch, logs):
        self.seen.append([epoch, logs["loss"]])

    def state(self):
        return {"seen": self.seen}

    def restore(self, state):
        self.seen = state["seen"]


def net(engine="fast", seed=1):
    layers = [Conv2d(3, activation="relu"), Pool2d(), Dropout(0.1), Flatten(), Dense(3, activation="softmax")]
    model = CNN(layers, seed=seed, normalize="per-image", engine=engine, threads=1)
    model.compile("adam", 0.01)
    return model


def train(model, folder, resume=False, epochs=4, **settings):
    """Epochs of seven steps, the last of them smaller, saved after every step."""
    counting = Counting()
    checkpoint = None if folder is None else Checkpointing(folder, steps=1)
    settings = {"validation": VALIDATION, "schedule": "cosine", "augment": "light", "batch_size": 8, "progress": False} | settings
    try:
        model.train(X, Y, epochs=epochs, callbacks=[counting], checkpoint=checkpoint, resume=resume, **settings)
    finally:
        model.seen = counting.seen


def state(model):
    """Everything that a run leaves, but for the time that it took."""
    kept = hashlib.sha256()
    for buffer in model.optimizer.buffers:
        kept.update(buffer.tobytes())
    history = {name: values for name, values in model.history.items() if name != "seconds"}
    return [model.digest(), kept.hexdigest(), int(model.steps[0]), model.epochs, history, model.seen]


def kill_at(name, count):
    """Have this process killed when `os.name` is called for the count-th time."""
    original, calls = getattr(os, name), [0]

    def function(*arguments):
        calls[0] += 1
        if calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    setattr(os, name, function)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        kill_at(sys.argv[3], int(sys.argv[4]))
    trained = net()
    print("training", flush=True)
    train(trained, sys.argv[1], resume=True, epochs=int(sys.argv[2]))
    print(state(trained), flush=True)
