"""Files in the text's format: a round trip, what the text's own code wrote, and what is refused."""

import json

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from jitcnn.blog import CNN, FFL, Conv2d, Upsample, load_model, save_model


def images(count=4):
    return np.random.default_rng(0).standard_normal((count, 8, 8, 1))


@pytest.fixture
def written():
    """What the text's code wrote of a small model: float64, numbers of parameters as floats, no biases where a layer has none."""
    rng = np.random.default_rng(1)
    none = {"isbias": False, "activation": None, "parameters": 0, "weights": 0.0}
    layers = {
        "Input Layer": {
            "type": "Conv2d", "input_shape": [8, 8, 1], "filters": 2, "isbias": True, "activation": "relu", "stride": [1, 1],
            "padding": "zero", "kernel_size": [3, 3, 1, 2], "output_shape": [8, 8, 2], "parameters": 20.0, "name": "Input Layer",
            "weights": rng.standard_normal((3, 3, 1, 2)).tolist(), "biases": rng.standard_normal((2, 1)).tolist(),
        },
        "Pool2d1": {
            "type": "Pool2d", "input_shape": [8, 8, 2], "output_shape": [4, 4, 2], "padding": None, "kernel_size": [2, 2],
            "stride": [2, 2], "kind": "max", "name": "Pool2d1", **none,
        },
        "Dropout2": {"type": "Dropout", "input_shape": [4, 4, 2], "output_shape": [4, 4, 2], "prob": 0.2, "name": "Dropout2", **none},
        "Flatten3": {"type": "Flatten", "input_shape": [4, 4, 2], "output_shape": 32, "name": "Flatten3", **none},
        "Out Layer(FFL)": {
            "type": "FFL", "input_shape": 32, "neurons": 3, "isbias": True, "name": "Out Layer(FFL)", "activation": "softmax",
            "output_shape": 3, "parameters": 99.0,
            "weights": rng.standard_normal((32, 3)).tolist(), "biases": rng.standard_normal(3).tolist(),
        },
    }  # fmt: skip
    return {"model": "CNN", **layers}


def write(path, document):
    path.write_text(json.dumps(document))
    return path


def test_what_the_text_wrote(written, tmp_path, capsys):
    mm = load_model(write(tmp_path / "model.json", written))
    assert capsys.readouterr().out == "Model Loaded...\n"
    mm.summary()
    assert capsys.readouterr().out.endswith("Total Parameters: 119\n")
    assert [layer.name for layer in mm.layers] == list(written)[1:]
    conv, out = written["Input Layer"], written["Out Layer(FFL)"]
    windows = sliding_window_view(np.pad(images()[0], ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1))
    convolved = np.maximum(np.einsum("rcakl,klaf->rcf", windows, conv["weights"]) + np.ravel(conv["biases"]), 0)
    soma = convolved.reshape(4, 2, 4, 2, 2).max(axis=(1, 3)).ravel() @ np.array(out["weights"]) + out["biases"]
    np.testing.assert_allclose(mm.predict(images()[0])[0], np.exp(soma) / np.exp(soma).sum(), rtol=1e-4)


def test_the_repository_calls_it_sequential(written, tmp_path):
    written["model"] = "Sequential"
    written["Pool2d1"]["activation"] = "linear"
    assert len(load_model(write(tmp_path / "model.json", written)).layers) == 5


def test_biases_are_added_whatever_isbias_says(written, tmp_path):
    """As the text's convolution did."""
    expected = load_model(write(tmp_path / "model.json", written)).predict(images())
    written["Input Layer"]["isbias"] = False
    np.testing.assert_array_equal(load_model(write(tmp_path / "model.json", written)).predict(images()), expected)


def test_round_trip(small, tmp_path, capsys, monkeypatch):
    y = np.eye(3)[[0, 1, 2, 0]]
    small.train(images(), y, epochs=1, val_split=0)
    expected = small.predict(images())
    capsys.readouterr()
    small.save_model(tmp_path / "m.json")
    assert capsys.readouterr().out == "\nModel Saved.\n"
    mm = load_model(tmp_path / "m.json")
    assert (mm.predict(images()) == expected).all()
    assert (mm.predict(images()[0]) == small.predict(images()[0])).all()
    monkeypatch.chdir(tmp_path)
    save_model(small)
    assert json.loads((tmp_path / "model.json").read_text()) == json.loads((tmp_path / "m.json").read_text())
    mm = load_model()
    mm.compile_model(loss="cse")
    mm.train(images(), y, epochs=1, val_split=0)
    assert [layer.name for layer in mm.layers] == [layer.name for layer in small.layers]


def test_round_trip_of_the_other_settings(tmp_path):
    m = CNN()
    m.add(Upsample(kernel_size=(1, 2)))
    m.layers[0].input_shape = (8, 8, 1)
    m.add(Conv2d(filters=2, kernel_size=(5, 3), stride=(2, 3), padding="same", isbias=False, activation="tanh"))
    save_model(m, tmp_path / "m.json")
    mm = load_model(tmp_path / "m.json")
    assert (mm.layers[1].stride, mm.layers[1].padding, mm.layers[1].biases) == ((2, 3), "same", 0)
    np.testing.assert_array_equal(mm.predict(images()), m.predict(images()))


def test_the_format(small, tmp_path):
    save_model(small, tmp_path / "m.json")
    document = json.loads((tmp_path / "m.json").read_text())
    assert list(document) == ["model", "Input Layer", "Pool2d1", "Dropout2", "Flatten3", "Out Layer(FFL)"]
    conv = document["Input Layer"]
    assert (conv["type"], conv["kernel_size"], conv["output_shape"], conv["parameters"]) == ("Conv2d", [3, 3, 1, 2], [6, 6, 2], 20)
    assert np.shape(conv["weights"]) == (3, 3, 1, 2) and np.shape(conv["biases"]) == (2, 1)
    assert (document["Dropout2"]["prob"], document["Pool2d1"]["kind"], document["Flatten3"]["output_shape"]) == (0.2, "max", 18)
    assert (document["Out Layer(FFL)"]["neurons"], document["Out Layer(FFL)"]["input_shape"]) == (3, 18)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(model="NN"), "not a model of the text"),
        (lambda d: d["Pool2d1"].pop("kind"), "'Pool2d1' lacks 'kind'"),
        (lambda d: d["Pool2d1"].update(kind="median"), "Pool kind"),
        (lambda d: d["Flatten3"].update(type="Reshape"), "its type is 'Reshape'"),
        (lambda d: d["Flatten3"].update(output_shape=33), "its output is 32, and the file says 33"),
        (lambda d: d.update(Flatten3=[1, 2]), "'Flatten3'"),
        (lambda d: d["Out Layer(FFL)"].update(weights=[[1.0, 2.0]]), r"its weights are \(1, 2\), expected \(32, 3\)"),
        (lambda d: d["Out Layer(FFL)"].update(weights="many"), r"'Out Layer\(FFL\)'"),
        (lambda d: d["Out Layer(FFL)"].update(neurons=10**15, output_shape=10**15), r"its weights are \(32, 3\)"),
        (lambda d: d["Out Layer(FFL)"].update(biases=[1.0]), r"its bias are \(1,\), expected \(3,\)"),
        (lambda d: d["Input Layer"].update(filters="two"), "'Input Layer'"),
    ],
)
def test_damaged_files_are_refused(written, change, message, tmp_path):
    change(written)
    with pytest.raises(ValueError, match=message):
        load_model(write(tmp_path / "model.json", written))


@pytest.mark.parametrize("text", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"[" * 100_000])
def test_other_files_are_refused(text, tmp_path):
    (tmp_path / "model.json").write_bytes(text)
    with pytest.raises(ValueError, match=r"model\.json: not"):
        load_model(tmp_path / "model.json")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "none.json")


def test_type_of_a_loaded_layer(written, tmp_path):
    mm = load_model(write(tmp_path / "model.json", written))
    assert isinstance(mm.layers[-1], FFL) and type(mm.layers[0]).__name__ == "Conv2d"
