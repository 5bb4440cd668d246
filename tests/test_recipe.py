"""Recipes: models in TOML files, the same as those made in Python, and errors that say where."""

from dataclasses import replace

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample, recipe
from jitcnn.presets import PRESETS

ALL = """
[model]
input_shape = [12, 10, 1]

[[layers]]
type = "Conv2d"
filters = 4
kernel_size = [3, 1]
stride = 2
padding = [[1, 0], [0, 1]]
use_bias = false
activation = "relu"

[[layers]]
type = "Upsample"
factor = 2

[[layers]]
type = "Pool2d"
kind = "average"

[[layers]]
type = "Dropout"
rate = 0.25

[[layers]]
type = "Flatten"

[[layers]]
type = "Dense"

[[layers]]
type = "Activation"
name = "softmax"

[train]
epochs = 3
"""
SMALL = '[[layers]]\ntype = "Flatten"\n\n[[layers]]\ntype = "Dense"\nactivation = "softmax"\n'


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a recipe; returns its name."""
    monkeypatch.chdir(tmp_path)

    def call(text):
        (tmp_path / "own.toml").write_text(text)
        return "own.toml"

    return call


def test_same_as_in_python(write):
    found = recipe.read(write(ALL))
    assert found.tables == {"train": {"epochs": 3}}
    assert found.takes_classes
    model = found.build(classes=5, seed=7)
    layers = [
        Conv2d(4, (3, 1), stride=2, padding=((1, 0), (0, 1)), use_bias=False, activation="relu", input_shape=(12, 10, 1)),
        Upsample(2),
        Pool2d(kind="average"),
        Dropout(0.25),
        Flatten(),
        Dense(5),
        Activation("softmax"),
    ]
    same = CNN(layers, seed=7, normalize="per-image")
    assert model.digest() == same.digest()
    assert [layer.describe() for layer in model.layers] == [layer.describe() for layer in same.layers]
    assert model.preparation == same.preparation
    assert [layer.key for layer in model.layers if isinstance(layer, Dropout)] == [same.layers[3].key]


def test_trains(write):
    model = recipe.read(write(SMALL)).build(input_shape=(8, 8, 1), classes=4, seed=1)
    model.compile(learning_rate=0.01)
    x = np.zeros((16, 8, 8, 1), np.uint8)
    y = np.arange(16) % 4
    x[np.arange(16), y] = 255
    model.train(x, y, epochs=20, progress=False)
    assert (model.predict(x).argmax(1) == y).all()


def test_shape_and_classes_come_from_the_file_or_the_data(write):
    open_ended = recipe.read(write(SMALL))
    assert open_ended.input_shape is None
    assert open_ended.build(input_shape=(4, 4, 1), classes=3).output_shape == (3,)
    with pytest.raises(ValueError, match=r"own\.toml: input_shape is missing"):
        open_ended.build(classes=3)
    with pytest.raises(ValueError, match=r"number 2 \(Dense\): 'units' is missing: give the number of classes"):
        open_ended.build(input_shape=(4, 4, 1))
    closed = recipe.read(write("[model]\ninput_shape = 16\n[[layers]]\ntype = 'Dense'\nunits = 2\nactivation = 'softmax'"))
    assert not closed.takes_classes
    assert closed.build(classes=3).output_shape == (2,)
    with pytest.raises(ValueError, match=r"\[model\]: input_shape is \(16,\), and the images are \(4, 4, 1\)"):
        closed.build(input_shape=(4, 4, 1))


def test_hidden_layers_say_their_units(write):
    hidden = SMALL.replace('[[layers]]\ntype = "Dense"', '[[layers]]\ntype = "Dense"\n[[layers]]\ntype = "Dense"')
    with pytest.raises(ValueError, match=r"own\.toml: \[\[layers\]\] number 2 \(Dense\): 'units' is missing: only the last"):
        recipe.read(write(hidden))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "own.toml: there is no [[layers]]: give one for each layer"),
        ("layers = []", "own.toml: there is no [[layers]]"),
        ("layers = [1]", "own.toml: [[layers]] number 1 is 1, expected a table"),
        ("[layers]\ntype = 'Flatten'", "own.toml: there is no [[layers]]"),
        ("[[layers]]\ntype =", "own.toml: not a TOML file: Invalid value (at"),
        ("[[layer]]\ntype = 'Flatten'", "own.toml: unknown key 'layer', did you mean 'layers'?"),
        ("train = 3\n" + SMALL, "own.toml: train is 3, expected a table, [train]"),
        (SMALL + "[model]\ninput_shape = [28, 28]", "own.toml: [model]: input_shape is (28, 28): add the channel axis, (28, 28, 1)"),
        (SMALL + "[model]\ninput_shape = 'big'", "own.toml: [model]: input_shape is 'big', expected an integer"),
        (SMALL + "[[layers]]\nrate = 0.1", "own.toml: [[layers]] number 3: 'type' is missing, expected one of 'Conv2d', "),
        (SMALL + "[[layers]]\ntype = 'conv2D'", "own.toml: [[layers]] number 3: type is 'conv2D', did you mean 'Conv2d'?"),
        (SMALL + "[[layers]]\ntype = 'LSTM'", "own.toml: [[layers]] number 3: type is 'LSTM', expected one of 'Conv2d', "),
        (SMALL + "[[layers]]\ntype = 3", "own.toml: [[layers]] number 3: type is 3, expected one of "),
        (
            SMALL + "[[layers]]\ntype = 'Conv2d'\nfiltres = 8",
            "own.toml: [[layers]] number 3: unknown key 'filtres', did you mean 'filters'?",
        ),
        (SMALL + "[[layers]]\ntype = 'Conv2d'", "own.toml: [[layers]] number 3 (Conv2d): 'filters' is missing"),
        (SMALL + "[[layers]]\ntype = 'Flatten'\ninput_shape = 3", "number 3: input_shape stands in a table [model]"),
        (SMALL + "use_bias = 'no'", "own.toml: [[layers]] number 2 (Dense): use_bias is 'no', expected true or false"),
    ],
)
def test_what_cannot_be_read(write, text, message):
    with pytest.raises(ValueError) as error:
        recipe.read(write(text))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("type = 'Conv2d'\nfilters = 0", "(Conv2d): filters is 0, expected at least 1"),
        (f"type = 'Conv2d'\nfilters = {2**61}", f"(Conv2d): parameter 'weights' would hold 3 x 3 x 1 x {2**61} numbers, more than can be"),
        (f"type = 'Upsample'\nfactor = {2**31}", "(Upsample): the output of upsample1 would hold"),
        ("type = 'Conv2d'\nfilters = 8.5", "(Conv2d): filters is 8.5, expected an integer"),
        ("type = 'Conv2d'\nfilters = nan", "(Conv2d): filters is nan, expected an integer"),
        ("type = 'Conv2d'\nfilters = 8\nactivation = 'rele'", "(Conv2d): activation is 'rele', expected one of None, 'linear', 'relu'"),
        ("type = 'Conv2d'\nfilters = 8\nactivation = ['relu']", "(Conv2d): activation is ['relu'], expected one of"),
        ("type = 'Conv2d'\nfilters = 8\nkernel_size = [3, 3, 3]", "(Conv2d): kernel_size is [3, 3, 3], expected an integer or a pair"),
        ("type = 'Conv2d'\nfilters = 8\npadding = {rows = 1}", "(Conv2d): padding is {'rows': 1}"),
        ("type = 'Conv2d'\nfilters = 8\nalgorithm = 2", "(Conv2d): algorithm is 2, expected one of"),
        ("type = 'Conv2d'\nfilters = 8\nkernel_size = 9", "(Conv2d): conv1: nothing would be left of its input of 8 x 8 pixels"),
        ("type = 'Pool2d'\nkind = ['max']", "(Pool2d): kind is ['max'], expected one of"),
        ("type = 'Dropout'\nrate = nan", "(Dropout): rate is nan, expected a share"),
        ("type = 'Dropout'\nrate = 1979-05-27", "(Dropout): rate is datetime.date"),
        ("type = 'Dense'\nunits = 3", "(Dense): dense1 takes a row of features, and its input is an image"),
    ],
)
def test_what_cannot_be_built(write, layer, message):
    name = write(f"[[layers]]\n{layer}\n{SMALL}")
    with pytest.raises(ValueError) as error:
        recipe.read(name).build(input_shape=(8, 8, 1), classes=4)
    assert f"own.toml: [[layers]] number 1 {message}" in str(error.value)


def test_hostile_files(write, tmp_path):
    with pytest.raises(ValueError, match="not a TOML file"):
        recipe.read(write(f"a = {'[' * 100_000}"))
    with pytest.raises(ValueError, match="more than the 1,048,576"):
        recipe.read(write("#" * (2**20 + 1)))
    with pytest.raises(ValueError, match="1,500 layers, more than the 1,000"):
        recipe.read(write("[[layers]]\ntype = 'Flatten'\n" * 1500))
    (tmp_path / "own.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ValueError, match=r"not a text in UTF-8 \(byte 5\)"):
        recipe.read("own.toml")
    with pytest.raises(ValueError, match=r"none\.toml: no such file"):
        recipe.read("none.toml")


def test_layers_of_a_recipe_in_a_preset_have_first_weights_by_the_seed(tmp_path):
    """Also where somebody looks at them before the first image comes."""
    (tmp_path / "own.toml").write_text(ALL)
    preset = replace(PRESETS["default"], layers=recipe.read(tmp_path / "own.toml").new_layers)
    first, again, other = (preset.build(seed=seed, input_shape=(12, 10, 1), classes=3) for seed in (3, 3, 4))
    again.check_images(np.zeros((1, 12, 10, 1)))
    assert first.digest() == again.digest() != other.digest()
