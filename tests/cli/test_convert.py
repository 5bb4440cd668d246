"""`jitcnn convert`: which file, by its suffix."""

import subprocess
import sys

import numpy as np
import pytest

from jitcnn import load
from tests.cli.conftest import refused


def test_between_model_files(run, trained, tmp_path):
    assert run("convert", trained, "model.npz").exit_code == 0
    assert (tmp_path / "model.npz").read_bytes()[:2] == b"PK"
    result = run("convert", "model.npz", "back.json")
    assert result.stdout == f"back.json: {(tmp_path / 'back.json').stat().st_size:,} bytes, 1,236 parameters\n"
    assert (tmp_path / "back.json").read_bytes() == trained.read_bytes()


def test_python(run, digits, trained, tmp_path):
    assert run("convert", trained, "model.py").exit_code == 0
    with np.load(digits) as archive:
        images = archive["x_test"]
    np.save(tmp_path / "images.npy", images)
    printed = subprocess.run([sys.executable, "model.py", "images.npy"], cwd=tmp_path, capture_output=True, text=True).stdout
    expected = load(trained).predict(images[..., None]).argmax(axis=1)
    assert [line.split()[0] for line in printed.splitlines()] == [str(label) for label in expected]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.json"], "Missing argument 'OUT'"),
        (["none.json", "out.py"], "none.json: no such file"),
        (["model.json", "out.onnx"], "out.onnx: the suffix says what is written"),
        (["model.json", "out"], "out: the suffix says what is written"),
        (["model.json", "folder.py"], "folder.py is a folder"),
    ],
)
def test_bad_input_is_one_line(run, trained, tmp_path, arguments, message):
    (tmp_path / "folder.py").mkdir()
    assert message in refused(run("convert", *arguments))


def test_a_folder_that_is_not_there(run, trained):
    assert "none" in refused(run("convert", trained, "none/out.py"))
