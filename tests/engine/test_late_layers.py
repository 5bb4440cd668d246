"""Layers with few pixels and many filters, whose gradients belong to tasks that own filters."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten
from jitcnn.forms.codes import DIRECT, WINOGRAD
from jitcnn.kernels import lowering, winograd
from jitcnn.kernels.program import Program

FILTERS = 200


def trained(algorithm, **settings):
    """A network after steps of 9 images and one of 5."""
    layers = [
        Conv2d(7, stride=2, activation="relu", input_shape=(8, 7, 2)),
        Conv2d(FILTERS, padding="same", activation="relu", algorithm=algorithm),
        Conv2d(130, padding="same", activation="relu", algorithm=algorithm),
        Flatten(),
        Dense(3, activation="softmax"),
    ]
    model = CNN(layers, seed=1, dtype="float64", **settings)
    model.compile(optimizer="adam", learning_rate=0.003)
    generator = np.random.default_rng(3)
    model.train(generator.standard_normal((23, 8, 7, 2)), generator.integers(0, 3, 23), epochs=2, batch_size=9, progress=False)
    return model


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_a_network_trains_alike_on_one_thread_and_on_all(algorithm, monkeypatch):
    monkeypatch.setattr(winograd, "LARGE_BYTES", 0)  # also forward: filters shared out among the threads
    found, truth = trained(algorithm), trained("direct", engine="loops")
    for name, array in truth.parameters.items():
        np.testing.assert_allclose(found.parameters[name], array, rtol=0, atol=1e-8)
    assert found.digest() == trained(algorithm, threads=1).digest()


@pytest.mark.parametrize("algorithm", [DIRECT, WINOGRAD], ids=["direct", "winograd"])
@pytest.mark.parametrize(("pixels", "owned"), [(3, True), (40, False)])
def test_where_slots_would_be_larger_than_the_images_tasks_own_filters(algorithm, pixels, owned):
    program = Program(9, assume_finite=True)
    x, grad_y = (program.external(np.zeros((9, pixels, pixels, channels), np.float32)) for channels in (64, FILTERS))
    lowering.LOWERINGS["conv2d_grad_weights"](program, grad_y, x, np.zeros((3, 3, 64, FILTERS), np.float32), 1, 1, 1, 1, algorithm)
    sums = next(row for row in program.rows if row.factory.__name__ in ("grad_weights_kernel", "sums_kernel"))
    assert (sums.over == "parameters") == owned


def test_where_patches_are_few_winograds_filters_are_shared_out(monkeypatch):
    monkeypatch.setattr(winograd, "LARGE_BYTES", 0)
    parts = []
    for pixels in (3, 40):
        program = Program(9, assume_finite=True)
        x, y = (program.external(np.zeros((9, pixels, pixels, channels), np.float32)) for channels in (64, FILTERS))
        lowering.LOWERINGS["conv2d"](program, x, np.zeros((3, 3, 64, FILTERS), np.float32), np.empty(0), y, 1, 1, 1, 1, WINOGRAD)
        parts += [row.parts for row in program.rows if row.factory.__name__ == "convolve_kernel"]
    assert parts[0] > 1 and parts[1] == 0
