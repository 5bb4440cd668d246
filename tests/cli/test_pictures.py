"""From a folder of pictures to a model and back, on the command line."""

import numpy as np
import pytest
from jitcnn_cli.options import RESIZES
from PIL import Image

from jitcnn import load, preparation
from tests.cli.conftest import TINY, done, refused


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """24 pictures of two classes, bright on the left or on the right, of two sizes."""
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path / "cache"))
    generator = np.random.default_rng(0)
    for number in range(24):
        pixels = generator.integers(0, 60, (12, 12 + 4 * (number % 2), 3), np.uint8)
        side = ("left", "right")[number % 2 ^ (number // 2 % 2)]
        half = slice(6) if side == "left" else slice(pixels.shape[1] - 6, None)
        pixels[:, half] += 180
        path = tmp_path / "sides" / side / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "sides"


def test_train_and_eval(run, folder):
    options = ("--data", folder, "--size", "10x12", "--resize", "crop", "--gray", "--epochs", "30", "--lr", "0.02", "--out", "model.json")
    result = run(*TINY, *options)
    assert result.exit_code == 0, result.stderr
    assert f"{folder}: 24 images of 10 x 12 x 1 in 2 classes" in result.stderr
    assert "classes: left 12, right 12\npictures made 10 x 12 x 1 in grey (ITU-R BT.601), other shapes by crop\n" in result.stderr
    model = load("model.json")
    assert model.preparation == preparation.Preparation((10, 12), 1, "crop", normalize="per-image", classes=("left", "right"))
    assert done(run("eval", "model.json", "--json"))["accuracy"] == 1
    answers = [model.predict(model.prepare(path)).argmax() for path in sorted((folder / "right").iterdir())]
    assert answers == [1] * 12


def test_validation_folder(run, folder):
    (folder / "left").rename(folder.parent / "left")
    for part in ("train", "val"):
        for name in ("left", "right"):
            (folder / part / name).mkdir(parents=True)
    for number, path in enumerate([*(folder.parent / "left").iterdir(), *(folder / "right").iterdir()]):
        path.rename(folder / ("val" if number % 4 == 0 else "train") / path.parent.name / path.name)
    (folder / "right").rmdir()
    result = run(*TINY, "--data", folder, "--size", "12", "--out", "model.json")
    assert "18 images of 12 x 12 x 3 in 2 classes, validated on 6 images\n" in result.stderr
    rejecting = done(run("eval", "model.json", "--on", "val", "--reject-at", "10%", "--json"))
    assert rejecting["images"] == 6 and rejecting["reject"]["accuracy"] >= 0.1


def test_broken_picture(run, folder):
    (folder / "left" / "0.png").write_text("a text")
    result = run(*TINY, "--data", folder, "--out", "model.json")
    assert result.exit_code == 0 and "left out: " in result.stderr and "0.png: not a picture that Pillow reads" in result.stderr
    assert "0.png: not a picture" in refused(run(*TINY, "--data", folder, "--out", "model.json", "--strict", "--quiet"))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--size", "0"), "'0' is neither"),
        (("--size", "3x4x5"), "neither a number of pixels"),
        (("--size", "nan"), "neither"),
        (("--resize", "half"), "half"),
    ],
)
def test_wrong_options(run, folder, options, match):
    assert match in refused(run(*TINY, "--data", folder, *options))


def test_options_of_pictures_for_other_data(run, digits):
    assert "are for picture files" in refused(run(*TINY, "--data", digits, "--gray"))


def test_empty_class(run, folder):
    (folder / "none").mkdir()
    assert "the class is empty" in refused(run(*TINY, "--data", folder))


def test_choices_are_the_library_s():
    assert RESIZES == preparation.RESIZES


def test_inverted(run, folder):
    assert run(*TINY, "--data", folder, "--size", "12", "--invert", "yes", "--out", "model.json", "--quiet").exit_code == 0
    model = load("model.json")
    assert model.preparation.invert is True
    path = folder / "left" / "0.png"
    np.testing.assert_array_equal(model.prepare(path), 255 - np.asarray(Image.open(path)))


def test_digits_are_found_in_light_and_in_dark_pictures(run, folder):
    for path in folder.rglob("*.png"):
        drawn = np.full((60, 50), 210, np.uint8)
        drawn[10:50, 20:26] = 30
        drawn[10:16, 20 : 40 if path.parent.name == "left" else 26] = 30
        Image.fromarray(drawn if int(path.stem) % 3 else 255 - drawn).save(path)
    assert run(*TINY, "--data", folder, "--resize", "digit", "--epochs", "8", "--out", "model.json", "--quiet").exit_code == 0
    model = load("model.json")
    assert (model.preparation.resize, model.preparation.invert, model.input_shape) == ("digit", "auto", (28, 28, 1))
    assert done(run("eval", "model.json", "--json"))["accuracy"] == 1
