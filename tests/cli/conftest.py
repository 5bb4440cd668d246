import json

import numpy as np
import pytest
from click.testing import CliRunner
from jitcnn_cli.main import main

from jitcnn.data.published import SETS

# A network of tiny images, so that each command takes a moment in any engine.
TINY = ["train", "--preset", "single-conv", "--epochs", "1", "--batch-size", "8", "--no-report"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command line in an empty folder: the result has `exit_code`, `stdout` and `stderr`."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def digits(tmp_path):
    """An .npz of 40 images to train on and 16 to test with, 8 x 8, of 4 classes that are easy to tell apart."""
    generator = np.random.default_rng(0)

    def draw(count):
        labels = np.arange(count) % 4
        images = generator.integers(0, 60, (count, 8, 8), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label : 2 * label + 2] += 180
        return images, labels

    (x, y), (x_test, y_test) = draw(40), draw(16)
    np.savez(tmp_path / "digits.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return tmp_path / "digits.npz"


@pytest.fixture
def trained(run, digits):
    """A model's file."""
    result = run(*TINY, "--data", digits, "--out", "model.json", "--quiet")
    assert result.exit_code == 0, result.stderr
    return digits.parent / "model.json"


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """`kept(name)`: pretend that a data set is here, with files of the right sizes that take no room."""
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path / "data"))

    def call(name):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        for file in SETS[name].files:
            for part, size in file.contents:
                with open(folder / part, "wb") as stream:
                    stream.truncate(size)

    return call


def done(result):
    """The JSON object of a command that succeeded."""
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def refused(result, code=2):
    """The one line on stderr of a command that did not."""
    assert result.exit_code == code, result.stdout + result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("jitcnn: ")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    return result.stderr
