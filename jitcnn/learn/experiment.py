"""What a mistake does: the gradient check with and without it, and training with and without it."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np

from jitcnn.data import mnist
from jitcnn.gradient_check import GradcheckResult, gradcheck
from jitcnn.layers import Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.learn.mistakes import Mistake, switched_on
from jitcnn.model import CNN

IMAGES = 300
EPOCHS = 10
LEARNING_RATE = 0.03
NETWORK = "conv 4 relu, pool 3x3 stride 2, conv 8 relu, dropout 0.5, dense 10 softmax"


def network(engine: str, dtype: str = "float32") -> CNN:
    """A small network in which every mistake matters: two convolutions, overlapping windows, dropout. Learns by plain gradient descent."""
    layers = [
        Conv2d(4, activation="relu"),
        Pool2d(3, stride=2),
        Conv2d(8, activation="relu"),
        Dropout(0.5),
        Flatten(),
        Dense(10, activation="softmax"),
    ]
    model = CNN(layers, seed=2, normalize="per-image", engine=engine, dtype=dtype)
    model.compile(optimizer="sgd", learning_rate=LEARNING_RATE)
    return model


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The first MNIST digits, every 2 x 2 pixels averaged to one: 14 x 14."""
    (images, labels), _ = mnist.load(train_limit=IMAGES)
    return images.reshape(IMAGES, 14, 2, 14, 2, 1).mean(axis=(2, 4)).astype(np.float32), labels


def curve(mistake: Mistake | None) -> list[float]:
    """The mean training loss of each epoch, by the compiled reference loops."""
    with _with(mistake):
        return network("loops").train(*digits(), epochs=EPOCHS, batch_size=10, progress=False)["loss"]


def check(mistake: Mistake, made: bool) -> GradcheckResult:
    """The gradient check of a mistake's layer on three small random images, by the loops in Python; the mistake is `made` or not."""
    images = np.random.default_rng(3).standard_normal((3, 7, 7, 2))
    with _with(mistake if made else None):
        return gradcheck(mistake.layer(), images, engine="python", limit=40)


def _with(mistake: Mistake | None) -> AbstractContextManager[None]:
    return nullcontext() if mistake is None else switched_on(mistake)
