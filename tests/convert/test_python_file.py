"""The Python file: short, alone with NumPy, and of the same opinion as the model."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from jitcnn import CNN, Dense, Flatten, Layer
from jitcnn.convert import convert

LONGEST = 150  # lines without the weights


def module(path):
    specification = importlib.util.spec_from_file_location("converted", path)
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


def test_outputs_are_those_of_the_model(model, images, tmp_path):
    convert(model, tmp_path / "model.py")
    outputs = module(tmp_path / "model.py").predict(images)
    expected = model.predict(images)
    assert outputs.dtype == model.dtype
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6 if model.dtype == np.float32 else 1e-12)
    assert np.ptp(outputs, axis=0).max() > 1e-3  # the images differ in what comes out


def test_it_is_short_and_needs_numpy_only(model, tmp_path):
    convert(model, tmp_path / "model.py")
    text = (tmp_path / "model.py").read_text()
    assert len(text[: text.index("W = {}")].splitlines()) < LONGEST
    assert "jitcnn" not in text.partition('"""\n')[2].partition('"""\n')[2]
    script = "import sys, model; print(sorted({'jitcnn', 'numba', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.fixture
def digits(tmp_path):
    """A module of a model with named classes, and the model."""
    model = CNN([Flatten(input_shape=(3, 4, 1)), Dense(3, activation="softmax")], seed=1)
    model.classes = ["cat", 'a "dog"', "Vögel\\n"]
    convert(model, tmp_path / "digits.py")
    return tmp_path / "digits.py", model


def test_as_a_program(digits, tmp_path):
    path, model = digits
    x = np.random.default_rng(0).random((2, 3, 4, 1), np.float32)
    for stored, count in ((x, 2), (x[..., 0], 2), (x[0], 1), (x[0, ..., 0], 1), ((x * 255).astype(np.uint8), 2)):
        np.save(tmp_path / "x.npy", stored)
        done = subprocess.run([sys.executable, path, "x.npy"], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert len(lines) == count
        outputs = model.predict(stored.reshape(-1, 3, 4, 1))[0]
        best = int(outputs.argmax())
        assert lines[0].startswith(f"{model.classes[best]} {outputs[best]:.4f}  ")


@pytest.mark.parametrize(
    ("array", "message"),
    [(np.zeros((2, 5, 4)), "(2, 5, 4)"), (np.full((3, 4), np.nan), "finite"), (np.array(["text"]), "<U4"), (None, "No such file")],
    ids=["shape", "nan", "text", "missing"],
)
def test_bad_images_are_one_line(digits, tmp_path, array, message):
    if array is not None:
        np.save(tmp_path / "x.npy", array)
    done = subprocess.run([sys.executable, digits[0], "x.npy"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_weights_are_exact(digits):
    path, model = digits
    assert {name: array.tobytes() for name, array in module(path).W.items()} == {n: a.tobytes() for n, a in model.parameters.items()}


class Own(Layer):
    """A layer that no other language has."""

    def forward(self, step, x):
        return x, lambda grad_y: grad_y


@pytest.mark.parametrize("suffix", [".py", ".h"])
def test_a_layer_of_ones_own_is_refused_by_name(tmp_path, suffix):
    model = CNN([Flatten(input_shape=(3, 4, 1)), Own(), Dense(3)], seed=1)
    with pytest.raises(ValueError, match=r"own1 is a layer of one's own \(Own\).*Conv2d, Pool2d"):
        convert(model, tmp_path / f"model{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".py", ".h"])
def test_a_model_without_shape_is_refused(tmp_path, suffix):
    with pytest.raises(ValueError, match="input_shape"):
        convert(CNN([Flatten(), Dense(3)], seed=1), tmp_path / f"model{suffix}")


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.py \(NumPy only\)"):
        convert(CNN([Dense(3, input_shape=2)], seed=1), tmp_path / "model.onnx")
