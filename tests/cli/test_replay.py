"""`jitcnn replay`: a step of a run once more."""

import shutil

import numpy as np
import pytest
from PIL import Image

from jitcnn import load
from jitcnn.data.splits import kept_and_held_out
from tests.cli.conftest import TINY, done, refused

# 40 images in steps of 16, 16 and 8, three epochs of them.
SETTINGS = ["--epochs", 3, "--batch-size", 16, "--augment", "shift", "--schedule", "cosine", "--name", "r", "--no-report", "--quiet"]


@pytest.fixture
def trained_run(run, digits, tmp_path):
    """A run's folder."""
    result = run(*TINY, "--data", digits, *SETTINGS)
    assert result.exit_code == 0, result.stderr
    return tmp_path / "runs" / "r"


def changed(run, old, new):
    config = run / "config.toml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def test_the_last_step_ends_with_the_last_model(run, trained_run, tmp_path):
    shutil.copytree(trained_run, tmp_path / "copy")
    assert run("replay", trained_run, "--step", 9, "--out", "step.npz").exit_code == 0
    found = np.load("step.npz")
    parameters = load(trained_run / "last.json").parameters
    assert all(np.array_equal(found[f"after/{name}"], value) for name, value in parameters.items())
    assert not np.array_equal(found["before/dense1/weights"], parameters["dense1/weights"])
    for file in (tmp_path / "copy").iterdir():
        assert (trained_run / file.name).read_bytes() == file.read_bytes()
    assert sorted(trained_run.iterdir()) == sorted(trained_run / file.name for file in (tmp_path / "copy").iterdir())


def test_an_object_for_programs(run, trained_run):
    found = done(run("replay", trained_run, "--step", 5, "--why", "conv1[0,1,0,3]", "--json"))
    assert (found["step"], found["epoch"], len(found["images"])) == (5, 2, 16)
    why = found["why"]
    assert why["weight"] == "conv1/weights[0,1,0,3]"
    assert sum(image["gradient"] for image in found["images"]) == pytest.approx(why["gradient"], rel=1e-4)
    assert sum(image["loss"] for image in found["images"]) / 16 == pytest.approx(found["loss"], rel=1e-5)
    assert len({image["image"] for image in found["images"]}) == 16
    assert found["loss_before"] is not None and found["optimizer"]["name"] == "adam"
    assert {image["label"] for image in found["images"]} <= {"0", "1", "2", "3"}
    assert all(image["label"] == str(image["image"] % 4) for image in found["images"])  # as the data were made


def test_a_table_for_people_and_a_picture(run, trained_run):
    result = run("replay", trained_run, "--step", 4, "--why", "conv1/bias[-1]", "--top", 3, "--out", "batch.png")
    assert result.exit_code == 0, result.stderr
    object_ = done(run("replay", trained_run, "--step", 4, "--why", "conv1/bias[-1]", "--json"))
    lines = result.stdout.splitlines()
    assert lines[0] == f"step 4, epoch 2: loss {object_['loss']:.4f} of 16 images"
    worst = max(object_["images"], key=lambda image: image["loss"])
    row = next(line for line in lines if line.startswith(str(worst["image"]))).split()
    assert row[:4] == [str(worst["image"]), worst["label"], worst["said"], f"{worst['loss']:.4f}"]
    assert float(row[-1]) == pytest.approx(worst["gradient"], rel=1e-4)
    assert any(line.startswith("13 others") for line in lines)
    assert any(line.startswith("conv1/bias[7]: ") for line in lines) and lines[-1] == "batch.png"
    with Image.open("batch.png") as picture:
        assert picture.width == 1440


def test_what_was_said_when_it_was_trained_is_not_said_again(run, digits):
    assert "warning: a step changed dense1/weights by " in run(*TINY, "--data", digits, *SETTINGS, "--lr", 0.9).stderr
    result = run("replay", "runs/r", "--step", 2)
    assert result.exit_code == 0 and "warning" not in result.stderr


def test_what_differs_is_refused(run, trained_run, digits, monkeypatch):
    kept = (trained_run / "config.toml").read_text()
    changed(trained_run, 'features = "', 'features = "mmx4711 ')
    assert "trained on another processor, so that its bits are others: it has mmx4711" in refused(run("replay", trained_run, "--step", 2))
    (trained_run / "config.toml").write_text(kept)
    changed(trained_run, "[machine]", "[elsewhere]")
    refused(run("replay", trained_run, "--step", 2))
    (trained_run / "config.toml").write_text(kept)
    changed(trained_run, "seed = 0", "seed = 1")  # the run's history knows better
    shutil.move(trained_run / "checkpoint.npz", trained_run.parent / "checkpoint.npz")
    assert "the loss of epoch 1 was" in refused(run("replay", trained_run, "--step", 5))
    shutil.move(trained_run.parent / "checkpoint.npz", trained_run / "checkpoint.npz")
    assert "seed was 0 in that run, and is 1 now" in refused(run("replay", trained_run, "--step", 5))
    (trained_run / "config.toml").write_text(kept)
    arrays = dict(np.load(digits))
    arrays["y_train"][0] = 1
    np.savez(digits, **arrays)
    assert "has changed: its digest is" in refused(run("replay", trained_run, "--step", 2))


def test_images_are_numbered_as_those_trained_on(run, digits, tmp_path):
    """Also where some of the data's images are set apart: the numbers are those of `jitcnn plot --on train`."""
    with np.load(digits) as archive:
        x, y = archive["x_train"], archive["y_train"]
    np.savez(tmp_path / "all.npz", x=x, y=y)
    assert run(*TINY, "--data", "all.npz", "--name", "all", "--no-report", "--batch-size", 32).exit_code == 0
    _, held_out = kept_and_held_out(y, {"validation": 0.2}, 0)
    kept = np.delete(y, held_out)
    images = done(run("replay", "runs/all", "--step", 1, "--json"))["images"]
    assert sorted(image["image"] for image in images) == list(range(32))
    assert all(image["label"] == str(kept[image["image"]]) for image in images)
    assert any(image["label"] != str(y[image["image"]]) for image in images)


def test_wrong_input(run, trained_run):
    cases = [
        (("--step", 10), "had 9 steps"),
        (("--step", 0), "0 is not in the range x>=1"),
        ((), "Missing option '--step'"),
        (("--step", 1, "--why", "conv7[0]"), "why names 'conv7', and the model's parameters are conv1/weights, conv1/bias,"),
        (("--step", 1, "--why", "conv1[0]"), "give 4 numbers in brackets"),
        (("--step", 1, "--out", "a.pdf"), "a.pdf: expected a name that ends in .png or .svg"),
        (("--step", 1, "--out", "none/a.png"), "there is no folder none"),
    ]
    for arguments, match in cases:
        assert match in refused(run("replay", trained_run, *arguments))


def test_what_cannot_be_done_again(run, trained_run):
    assert run("train", "--resume", trained_run, "--epochs", 4, "--no-report", "--quiet").exit_code == 0
    assert "only runs from the start can be done again" in refused(run("replay", "runs/r-2", "--step", 11))
    changed(trained_run, "epochs = 3", 'time = "2s"')
    assert "its learning rate followed the clock" in refused(run("replay", trained_run, "--step", 2))


def test_what_is_no_run(run, trained):
    assert "not a folder" in refused(run("replay", trained, "--step", 1))
    assert "no such folder" in refused(run("replay", "nothing", "--step", 1))
