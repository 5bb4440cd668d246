"""A run's folder: read as it was written, and what is said of one that is damaged."""

import math

import pytest

from jitcnn.runs.folder import COLUMNS, Run
from jitcnn.runs.recording import Recording, new_folder
from tests.training_process import X, Y, net

HEAD = "epoch,loss,accuracy,val_loss,val_accuracy,rate,seconds\n"


@pytest.fixture
def folder(tmp_path):
    """A run of two epochs."""
    folder = new_folder(tmp_path / "runs", "digits")
    recording = Recording(folder)
    recording.configure({"train": {"preset": "deep", "lr": 0.1, "epochs": 2}})
    model = net("python")
    model.train(X[:8], Y[:8], epochs=2, batch_size=8, schedule="linear", callbacks=recording, progress=False)
    model.save(folder / "last.json")
    return folder


def test_what_was_written_is_read(folder):
    run = Run(folder)
    assert (run.name, run.path, run.config) == ("digits", folder, {"train": {"preset": "deep", "lr": 0.1, "epochs": 2}})
    assert list(run.history) == list(COLUMNS)
    model = net("python")
    history = model.train(X[:8], Y[:8], epochs=2, batch_size=8, schedule="linear", progress=False)
    assert (run.history["loss"], run.history["accuracy"]) == (history["loss"], history["accuracy"])
    assert run.history["val_loss"] == [None, None]
    assert min(run.history["seconds"]) > 0
    assert run.history["rate"] == [0.01, 0.005]
    assert run.model("last").digest() == model.digest()
    assert (folder / "history.csv").read_text().startswith(HEAD + "1,")
    log = (folder / "log.txt").read_text().splitlines()
    assert len(log) == 2
    assert "  epoch 2: loss " in log[1]


def test_all_that_was_measured_is_written(folder):
    """Also what only a later epoch has."""
    recording, model = Recording(folder), net("python")
    model.train(X[:8], Y[:8], epochs=1, batch_size=8, callbacks=recording, progress=False)
    model.compile(metrics=("accuracy", "top2"))
    model.train(X[:8], Y[:8], epochs=1, batch_size=8, on_nan="skip", callbacks=recording, progress=False)
    history = Run(folder).history
    assert list(history) == [*COLUMNS, "top2", "skipped"]
    assert history["top2"] == [None, model.history["top2"][1]] and history["skipped"] == [None, 0]
    assert history["loss"] == model.history["loss"]


def test_a_run_that_has_just_begun(folder):
    (folder / "history.csv").unlink()
    run = Run(folder)
    assert run.history == {name: [] for name in COLUMNS}
    with pytest.raises(ValueError, match="there is no best model, no epoch is done yet"):
        run.model()
    with pytest.raises(ValueError, match=r"which is 'worst', expected"):
        run.model("worst")


def test_no_run(tmp_path):
    with pytest.raises(ValueError, match=r"none: no such folder; `jitcnn train` makes a run's folder"):
        Run(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file: not a folder"):
        Run(tmp_path / "file")
    with pytest.raises(ValueError, match=r"not the folder of a run, there is no config.toml in it"):
        Run(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = ", r"config.toml: not a TOML file: Invalid value \(at end of document\)"),
        (b"[train]\nname = '\xff'", r"config.toml: not a text in UTF-8 \(byte 16\)"),
        (b"train = 3", r"config.toml: 'train' is 3, expected a table, \[train\]"),
        (b"a = " + b"[" * 10_000, "config.toml: not a TOML file"),
        (b"#" * 2**20 + b"\n", "1,048,577 bytes, more than the 1,048,576"),
    ],
)
def test_damaged_settings(folder, content, message):
    (folder / "config.toml").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Run(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 is '', expected 'epoch,loss"),
        (HEAD[:-1] + ",loss\n", "line 1 is 'epoch,loss"),
        (HEAD[:-1] + ",top 5\n", "line 1 is 'epoch,loss"),
        ("epoch,loss\n1,2\n", "line 1 is 'epoch,loss', expected"),
        (HEAD + "1,2,3\n", "line 2 is damaged"),
        (HEAD + "1,x,,,,,\n", "line 2 is damaged .could not convert"),
        (HEAD + "1,1,,,,,\n3,1,,,,,\n", "line 3 is damaged .epoch 3 in the place of epoch 2"),
        (HEAD + "1,1,,,,,\n\0\xff,1,,,,,\n", "line 3 is damaged"),
    ],
)
def test_damaged_history(folder, text, message):
    (folder / "history.csv").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=f"history.csv: {message}"):
        assert Run(folder).history


def test_half_a_line_at_the_end_is_not_read(folder):
    (folder / "history.csv").write_text(HEAD + "1,nan,0.5,,,0.01,1.5\n2,0.4,0.")
    history = Run(folder).history
    assert math.isnan(history["loss"][0])
    assert (history["accuracy"], history["val_loss"]) == ([0.5], [None])


def test_another_process_goes_on_with_the_history(folder):
    """What a process that was killed left in the file does not matter."""
    model = net("python")
    recording = Recording(folder)
    with open(folder / "history.csv", "a") as stream:
        stream.write("3,0.1,0.")
    model.train(X[:8], Y[:8], epochs=1, batch_size=8, callbacks=recording, progress=False)
    assert len(Run(folder).history["loss"]) == 1
    model.train(X[:8], Y[:8], epochs=2, batch_size=8, callbacks=recording, progress=False)
    assert Run(folder).history["loss"] == model.history["loss"]


def test_a_folder_of_its_own(tmp_path):
    assert [new_folder(tmp_path / "runs", "a").name for _ in range(3)] == ["a", "a-2", "a-3"]
