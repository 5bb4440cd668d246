"""`jitcnn summary`, of a file and of a preset."""

import pytest

from jitcnn import load
from tests.cli.conftest import TINY, done, refused


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


def test_a_runs_folder_is_the_model_that_it_came_to(run, digits, tmp_path):
    """Of every command that takes a MODEL."""
    pillow = pytest.importorskip("PIL.Image")
    found = done(run(*TINY, "--data", digits, "--json"))
    pillow.new("L", (8, 8)).save("dark.png")
    for arguments in (["summary"], ["eval"], ["predict", "dark.png"], ["convert", "copy.json"]):
        spoken = [run(arguments[0], model, *arguments[1:]) for model in (found["model"], found["run"])]
        assert [result.exit_code for result in spoken] == [0, 0]
    assert found["digest"] in run("summary", found["run"]).stdout and load("copy.json").digest() == found["digest"]
    assert "not the folder of a run" in refused(run("predict", tmp_path, "dark.png"))


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
