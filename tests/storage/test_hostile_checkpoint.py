"""Checkpoints whose digest is right and whose contents are not: each is a ValueError of one line, and a model is left as it was."""

import json

import numpy as np
import pytest

from jitcnn.runs.checkpointing import FILE
from jitcnn.storage import checkpoints
from jitcnn.storage.checkpoints import Saved, read_checkpoint, write_checkpoint
from tests.storage.conftest import small_model

X, Y = np.ones((4, 6, 6, 1), np.float32), np.arange(4) % 3


def train(folder, resume):
    model = small_model()
    before = {name: array.copy() for name, array in model.parameters.items()}
    try:
        model.train(X, Y, epochs=1, batch_size=4, checkpoint=folder, resume=resume, progress=False)
    except ValueError:
        assert all((array == before[name]).all() for name, array in model.parameters.items())
        raise


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(folder, False)
    return read_checkpoint(folder / FILE)


def refused(folder, saved, state, arrays, match):
    content = json.loads(json.dumps(saved.state)) | state
    write_checkpoint(folder / FILE, Saved({k: v for k, v in content.items() if v != "missing"}, saved.arrays | arrays))
    with pytest.raises(ValueError, match=match) as raised:
        train(folder, True)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "state",
    [
        {"identity": "missing"},
        {"identity": []},
        {"first_epoch": -1},
        {"first_epoch": 2},
        {"epoch": 1.5},
        {"epoch": "missing"},
        {"images": True},
        {"images": 10**30},
        {"seconds": "1"},
        {"stopped": 0},
        {"steps": None},
        {"history": {"loss": 3}},
        {"history": {"loss": ["1e"]}},
        {"history": {"loss": [1.5]}},
        {"callbacks": "missing"},
    ],
    ids=str,
)
def test_state(tmp_path, saved, state):
    refused(tmp_path, saved, state, {}, "is damaged|is .*, expected")


@pytest.mark.parametrize(
    ("name", "array"),
    [("parameter/conv1/weights", np.ones((3, 3), np.float32)), ("parameter/conv1/bias", np.ones(2)), ("hyper", np.ones(1))],
)
def test_array(tmp_path, saved, name, array):
    refused(tmp_path, saved, {}, {name: array}, f"{name}' is .*, expected")


@pytest.mark.parametrize("text", [b"null", b"[]", b"{", b"\xff", b"1"])
def test_state_that_is_no_object(tmp_path, saved, monkeypatch, text):
    monkeypatch.setattr(checkpoints, "dump_json", lambda document: text)
    refused(tmp_path, saved, {}, {}, f"{FILE}: (its state is|not)")


def test_missing_array(tmp_path, saved):
    arrays = {name: array for name, array in saved.arrays.items() if name != "hyper"}
    refused(tmp_path, Saved(saved.state, arrays), {}, {}, "'hyper' is missing")


def test_more_images_than_there_are(tmp_path, saved):
    write_checkpoint(
        tmp_path / FILE, Saved(saved.state | {"epoch": 0, "images": 8}, saved.arrays | {"image/losses": np.ones(8, np.float32)})
    )
    with pytest.raises(ValueError, match="'image/losses' of the checkpoint"):
        small_model().train(X, Y, epochs=2, batch_size=4, checkpoint=tmp_path, resume=True, progress=False)
