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
