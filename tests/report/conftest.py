"""A run's folder, made by hand: 8 x 8 images of three classes, and a model run by the plain loops."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten
from jitcnn import data as datasets
from jitcnn.runs import toml
from jitcnn.runs.folder import COLUMNS, Run

CLASSES = ["a cat", "<script>alert('$1')</script>", "dog & bone"]


@pytest.fixture
def data(tmp_path):
    """30 images to train on, 20 to test with."""
    generator = np.random.default_rng(0)
    arrays = {f"x_{part}": generator.integers(0, 256, (n, 6, 6, 1), np.uint8) for part, n in (("train", 30), ("test", 20))}
    arrays |= {f"y_{part}": np.arange(n) % 3 for part, n in (("train", 30), ("test", 20))}
    np.savez(tmp_path / "data.npz", **arrays)
    return datasets.load(tmp_path / "data.npz")


@pytest.fixture
def model(data):
    """Untrained, and looking as if it had been."""
    model = CNN([Conv2d(2, input_shape=(6, 6, 1)), Flatten(), Dense(3, activation="softmax")], seed=1)
    model.compile()
    model.classes = CLASSES
    model.data = {"name": data.name, "digest": data.digest}
    model.epochs = 2
    return model


def write_run(folder, model, dataset, **tables):
    """The folder of a run of two epochs that came to this model."""
    folder.mkdir()
    config = {
        "train": {"preset": "single-conv", "lr": 0.01, "epochs": 2, "gray": True},
        "data": {"name": dataset.name, "digest": dataset.digest, "classes": CLASSES},
        "machine": {"processor": "a processor <b>", "jitcnn": "0.1.0"},
        "result": {"model": "best.json", "digest": model.digest(), "seconds": 1.25},
    }
    (folder / "config.toml").write_text(toml.dumps(config | tables))
    rows = [",".join(("epoch", *COLUMNS)), "1,1.5,0.25,1.75,0.2,0.02,0.5", "2,0.75,0.625,1.25,0.4,0.01,0.5"]
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    model.save(folder / "best.json")
    other = CNN.from_description(model.describe())
    other.parameters["dense1/bias"][...] = 1
    other.save(folder / "last.json")
    return Run(folder)


@pytest.fixture
def run(tmp_path, model, data):
    """A run."""
    return write_run(tmp_path / "a run", model, data)
