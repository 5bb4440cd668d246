"""Networks that together hold every layer in every setting that `jitcnn convert` has to write."""

from dataclasses import replace

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample


def everything():
    return [
        Conv2d(3, stride=2, padding="edge", activation="tanh", input_shape=(11, 9, 2)),
        Pool2d(3, stride=2, padding=1, kind="average"),
        Upsample((2, 3)),
        Conv2d(4, (2, 3), padding="same", use_bias=False),
        Activation("sigmoid"),
        Pool2d(2, padding="edge", kind="min"),
        Pool2d(2, padding="same", stride=1),
        Dropout(0.3),
        Flatten(),
        Dense(6, activation="relu"),
        Dense(3, activation="softmax", use_bias=False),
    ]


def measured(model):
    """With a mean and a deviation, as training would measure them."""
    model.preparation = replace(model.preparation, mean=(100.25, 3, 200), deviation=(50, 0.75, 1e2))
    return model


MODELS = {
    "everything": lambda: CNN(everything(), seed=1, normalize="per-image"),
    "strides": lambda: CNN(
        [
            Conv2d(5, (3, 2), stride=(3, 2), padding=((2, 0), (0, 1)), activation="relu", input_shape=(13, 10, 3)),
            Pool2d((2, 1), stride=(1, 2), padding=((1, 0), (0, 0)), kind="average"),
            Flatten(),
            Dense(4, activation="sigmoid"),
        ],
        seed=2,
    ),
    "dataset": lambda: measured(
        CNN([Conv2d(2, activation="relu", input_shape=(5, 4, 3)), Flatten(), Dense(3, activation="softmax")], seed=7, normalize="dataset")
    ),
    "features": lambda: CNN([Dense(5, activation="tanh", input_shape=7), Dense(1, activation="sigmoid")], seed=3, normalize="per-image"),
    "images": lambda: CNN([Conv2d(2, padding="edge", activation="softmax", input_shape=(4, 6, 1))], seed=4),
    "activation first": lambda: CNN([Activation("tanh", input_shape=(2, 2, 1)), Flatten()], seed=5),
    "double precision": lambda: CNN(everything(), seed=6, dtype="float64"),
}


@pytest.fixture(params=MODELS)
def model(request):
    """A network with weights that leave no part of it idle."""
    built = MODELS[request.param]()
    generator = np.random.default_rng(0)
    for values in built.parameters.values():
        values += 0.3 * generator.standard_normal(values.shape)
    return built


@pytest.fixture
def images(model):
    """Five images for it, one of them of one colour."""
    drawn = np.random.default_rng(1).integers(0, 256, (5, *model.input_shape)).astype(np.float32)
    drawn[3] = 77
    return drawn if model.normalize else (drawn / 255).astype(np.float32)
