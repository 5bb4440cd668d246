"""`jitcnn summary`, of a file and of a preset."""

import pytest

from jitcnn import load
from tests.cli.conftest import refused


@pytest.mark.parametrize(("preset", "parameters"), [("conv-pool", "10,026"), ("deep", "74,778"), ("single-conv", "54,170")])
def test_preset(run, preset, parameters):
    result = run("summary", "--preset", preset)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert parameters in result.stdout
    assert "adam, learning rate" in result.stdout


def test_file(run, digits, trained):
    result = run("summary", trained)
    assert str(load(trained).summary()) in result.stdout
    assert f"4 classes, trained on {digits}, digest {load(trained).digest()}" in result.stdout


def test_one_of_them(run, trained):
    assert "one of them" in refused(run("summary"))
    assert "one of them" in refused(run("summary", trained, "--preset", "deep"))


def test_no_model(run, tmp_path):
    assert "no such file" in refused(run("summary", "none.json"))
    (tmp_path / "text.json").write_text("hello")
    assert "not valid JSON" in refused(run("summary", "text.json"))


RECIPE = '[[layers]]\ntype = "Flatten"\n\n[[layers]]\ntype = "Dense"\nactivation = "softmax"\n\n[train]\nepochs = 3\nlr = 0.01\n'


def test_recipe(run, tmp_path):
    (tmp_path / "own.toml").write_text(RECIPE)
    result = run("summary", "own.toml")
    assert result.exit_code == 0, result.stderr
    assert "7,850" in result.stdout
    assert "shown for images of 28 x 28 x 1 and 10 classes" in result.stdout
    assert "epochs = 3, lr = 0.01" in result.stdout
    (tmp_path / "own.toml").write_text("[model]\ninput_shape = [4, 4, 1]\n" + RECIPE.replace("activation", "units = 2\nactivation"))
    result = run("summary", "own.toml")
    assert "34" in result.stdout and "shown for" not in result.stdout


def test_wrong_recipe(run, tmp_path):
    (tmp_path / "own.toml").write_text(RECIPE.replace("activation", "aktivation"))
    assert "own.toml: [[layers]] number 2: unknown key 'aktivation', did you mean 'activation'?" in refused(run("summary", "own.toml"))
    (tmp_path / "own.toml").write_text(RECIPE.replace("epochs", "epoches"))
    assert "own.toml: [train]: unknown key 'epoches', did you mean 'epochs'?" in refused(run("summary", "own.toml"))
    assert "no such file" in refused(run("summary", "none.toml"))
