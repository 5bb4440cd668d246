"""The engines compute the same: in float64, parameters after two steps at batch 4."""

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample

NETWORKS = {
    "valid": lambda: [Conv2d(4, activation="relu"), Pool2d(), Conv2d(3, activation="tanh"), Dropout(0.2), Flatten()],
    "padded": lambda: [
        Conv2d(3, padding="edge", stride=2),
        Activation("sigmoid"),
        Pool2d(3, stride=1, padding="same", kind="average"),
        Flatten(),
    ],
    "upsampled": lambda: [Pool2d(2, kind="min"), Upsample(2), Conv2d(2, (2, 3), padding="zero", activation="softmax"), Flatten()],
    "dense": lambda: [Flatten(), Dropout(0.5), Dense(7, activation="relu")],
}
LOSSES = {"softmax": "cross_entropy", "sigmoid": "cross_entropy", "tanh": "mse"}


def trained(engine, layers, activation, optimizer):
    rng = np.random.default_rng(7)
    x, y = rng.integers(0, 256, (8, 10, 9, 2)).astype(np.uint8), rng.integers(0, 3, 8)
    model = CNN([*layers, Dense(3, activation=activation)], seed=11, dtype="float64", normalize="per-image", engine=engine)
    model.compile(optimizer, 0.01, loss=LOSSES[activation])
    model.train(x, y, epochs=1, batch_size=4, validation=(x[:3], y[:3]), progress=False)
    return model


@pytest.mark.parametrize("engine", ["loops", "fast"])
@pytest.mark.parametrize(("activation", "optimizer"), [("softmax", "adam"), ("sigmoid", "momentum"), ("tanh", "sgd")])
@pytest.mark.parametrize("network", NETWORKS)
def test_engines_agree(network, activation, optimizer, engine):
    expected = trained("python", NETWORKS[network](), activation, optimizer)
    found = trained(engine, NETWORKS[network](), activation, optimizer)
    for name, array in expected.parameters.items():
        assert np.allclose(found.parameters[name], array, rtol=0, atol=1e-8), name
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert np.allclose(found.history[name], expected.history[name], rtol=1e-10)
