from dataclasses import replace

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten, Pool2d

# Every kind of number that there is: signed zeros, denormals, the largest, infinities, NaNs of several payloads.
ODD_BITS = {
    "float32": np.array([0x80000000, 1, 0x807FFFFF, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7FA00001], np.uint32),
    "float64": np.array([1 << 63, 1, 0x7FEFFFFFFFFFFFFF, 0x7FF << 52, 0xFFF << 52, 0x7FF8 << 48, 0xFFF8000000000001], np.uint64),
}


def small_model(dtype="float32", seed=1):
    layers = [
        Conv2d(2, activation="relu", input_shape=(6, 6, 1), padding="edge"),
        Pool2d((2, 3), padding=((0, 1), (1, 0)), kind="average"),
        Dropout(0.25),
        Flatten(),
        Dense(3, activation="softmax"),
    ]
    model = CNN(layers, seed=seed, dtype=dtype, normalize="per-image", engine="python")
    model.compile("momentum", learning_rate=0.1)
    model.classes = ["zero", "ünë", "二"]
    model.data = {"name": "mnist", "digest": "0123456789ab"}
    model.preparation = replace(model.preparation, resize="stretch")
    return model


@pytest.fixture(params=["float32", "float64"])
def model(request):
    return small_model(request.param)


@pytest.fixture(params=[".json", ".npz"])
def path(request, tmp_path):
    return tmp_path / f"model{request.param}"
