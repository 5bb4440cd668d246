"""A network that trains in a moment, and images for it."""

import numpy as np

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten, Pool2d

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (50, 8, 8, 1)).astype(np.uint8)
Y = RNG.integers(0, 3, 50)


def net(engine="python", seed=1, last="softmax", units=3, loss="cross_entropy", **settings):
    layers = [Conv2d(3, activation="relu"), Pool2d(), Dropout(0.1), Flatten(), Dense(units, activation=last)]
    model = CNN(layers, seed=seed, normalize="per-image", engine=engine)
    model.compile(loss=loss, **settings)
    return model
