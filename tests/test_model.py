"""The model: structure, summary, prediction, description."""

import copy
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.preparation import Preparation
from jitcnn.summary import Summary

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (70, 9, 8, 2)).astype(np.uint8)


def layers():
    return [Conv2d(4, activation="relu"), Pool2d(), Conv2d(3, 2, padding="edge"), Dropout(0.2), Flatten(), Dense(3, activation="softmax")]


def net(engine="python", seed=1, **settings):
    return CNN(layers(), seed=seed, engine=engine, **{"normalize": "per-image", **settings})


def test_parameter_counts_of_the_known_networks():
    conv_pool = CNN(
        [
            Conv2d(4, activation="relu", input_shape=(28, 28, 1)),
            Pool2d(),
            Conv2d(8, activation="relu"),
            Dropout(0.2),
            Flatten(),
            Dense(10, activation="softmax"),
        ]
    )
    counts = [row[5] for row in conv_pool.summary().rows]
    assert counts == ["40", "0", "296", "0", "0", "9,690", "10,026"]


def test_summary():
    model = net()
    assert "?" in model.summary()
    model.predict(PIXELS[:1])
    summary = model.summary()
    assert isinstance(summary, Summary)
    assert repr(summary) == str(summary)
    lines = summary.splitlines()
    assert lines[0].split() == ["layer", "input", "shape", "output", "shape", "activation", "bias", "parameters", "multiply-adds"]
    assert lines[2].split() == ["conv1", "(Conv2d)", "9", "x", "8", "x", "2", "7", "x", "6", "x", "4", "relu", "yes", "76", "3,024"]
    assert lines[-1].split() == ["total", "211", "3,537"]
    assert summary._repr_html_().count("<tr>") == 8
    assert model._repr_html_() == summary._repr_html_()
    assert "conv1 (Conv2d)" in model._repr_html_()


def test_summary_without_an_output_layer():
    model = CNN([Conv2d(2, input_shape=(8, 8, 1))])
    assert "6 x 6 x 2" in model.summary()
    assert "total" in CNN().summary()


def test_predict_shapes():
    model = net()
    outputs = model.predict(PIXELS)
    assert outputs.shape == (70, 3)
    assert outputs.dtype == np.float32
    assert np.allclose(outputs.sum(axis=1), 1)
    single = model.predict(PIXELS[5])
    assert single.shape == (3,)
    assert np.array_equal(single, outputs[5])
    assert net(dtype="float64").predict(PIXELS).dtype == np.float64


@pytest.mark.parametrize("engine", ["python", "loops", "fast"])
def test_same_bits_at_any_batch_size(engine):
    model = net(engine)
    outputs = model.predict(PIXELS)
    assert np.array_equal(np.concatenate([model.predict(PIXELS[:7]), model.predict(PIXELS[7:40]), model.predict(PIXELS[40:])]), outputs)
    assert all(np.array_equal(model.predict(image), expected) for image, expected in zip(PIXELS[:5], outputs[:5], strict=True))


@pytest.mark.parametrize("engine", ["python", "loops", "fast"])
def test_images_of_all_dtypes_give_the_same(engine):
    model = net(engine)
    expected = model.predict(PIXELS)
    assert np.array_equal(model.predict(PIXELS.astype(np.float32)), expected)
    assert np.allclose(model.predict(PIXELS.astype(np.float64)), expected, atol=1e-6)


def test_normalisation_is_the_models_work():
    standardised = PIXELS - PIXELS.mean(axis=(1, 2, 3), keepdims=True)
    standardised /= PIXELS.std(axis=(1, 2, 3), keepdims=True)
    assert np.allclose(net(normalize=None).predict(standardised), net().predict(PIXELS), atol=1e-5)
    flat = np.full((1, 9, 8, 2), 7, np.uint8)
    assert np.array_equal(net().predict(flat), net(normalize=None).predict(np.zeros_like(flat)))


@pytest.mark.parametrize("engine", ["python", "loops", "fast"])
def test_weights_written_from_outside_count_at_once(engine):
    model = net(engine)
    model.compile("adam")
    labels = RNG.integers(0, 3, 70)
    first = model.predict(PIXELS[:4])
    model.parameters["conv1/weights"][...] *= -1
    second = model.predict(PIXELS[:4])
    assert not np.array_equal(first, second)
    model.layers[0].parameters["weights"][...] *= -1
    assert np.array_equal(model.predict(PIXELS[:4]), first)
    loss = model.evaluate(PIXELS, labels)["loss"]
    model.parameters["conv2/weights"][...] = 0
    assert model.evaluate(PIXELS, labels)["loss"] != loss

    class Write:
        def on_epoch_end(self, model, epoch, logs):
            for array in model.parameters.values():
                array[...] = 0.25

    model.train(PIXELS, labels, epochs=1, callbacks=[Write()], progress=False)
    assert (model.parameters["dense1/weights"] == 0.25).all()
    assert np.allclose(model.predict(PIXELS[:4]), 1 / 3)

    class WriteBefore:
        def on_epoch_begin(self, model, epoch):
            for array in model.parameters.values():
                array[...] = 0

    history = model.train(PIXELS, labels, epochs=1, batch_size=70, callbacks=[WriteBefore()], progress=False)
    assert history["loss"][-1] == pytest.approx(np.log(3))


def test_layer_outputs():
    model = net()
    model.predict(PIXELS[:1])
    outputs = model.layer_outputs(PIXELS[3])
    assert list(outputs) == ["conv1", "pool1", "conv2", "dropout1", "flatten1", "dense1"]
    assert {name: (x.shape, y.shape) for name, (x, y) in outputs.items()} == {
        "conv1": ((9, 8, 2), (7, 6, 4)),
        "pool1": ((7, 6, 4), (3, 3, 4)),
        "conv2": ((3, 3, 4), (3, 3, 3)),
        "dropout1": ((3, 3, 3), (3, 3, 3)),
        "flatten1": ((3, 3, 3), (27,)),
        "dense1": ((27,), (3,)),
    }
    assert abs(outputs["conv1"][0].mean()) < 1e-6
    assert outputs["conv1"][1].min() == 0
    assert np.array_equal(outputs["dense1"][1], model.predict(PIXELS[3]))
    assert model.layer_outputs(PIXELS[:4])["pool1"][1].shape == (4, 3, 3, 4)


def test_seeds():
    a, b, c = net(seed=1), net(seed=1), net(seed=2)
    for model in (a, b, c):
        model.predict(PIXELS[:1])
    assert a.digest() == b.digest() != c.digest()
    assert len(a.digest()) == 12
    assert CNN().seed != CNN().seed
    wide, narrow = net(dtype="float64"), net()
    wide.predict(PIXELS[:1]), narrow.predict(PIXELS[:1])
    assert np.array_equal(wide.parameters["conv1/weights"].astype(np.float32), narrow.parameters["conv1/weights"])


def test_the_global_generator_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    model = net(seed=None)
    model.compile()
    model.train(PIXELS, RNG.integers(0, 3, 70), epochs=1, validation=0.2, progress=False)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_first_weights():
    layers = [Conv2d(64, activation="relu", input_shape=(9, 9, 16)), Conv2d(8, activation="relu"), Flatten(), Dense(50, activation="tanh")]
    model = CNN(layers, seed=1)
    more_out, more_in, glorot = (model.parameters[f"{name}/weights"] for name in ("conv1", "conv2", "dense1"))
    assert more_out.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.05)
    assert more_in.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.05)
    limit = np.sqrt(6 / (25 * 8 + 50))
    assert np.abs(glorot).max() <= limit
    assert glorot.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert (model.parameters["conv1/bias"] == 0).all()


def test_parameters_lie_in_one_flat_aligned_buffer():
    model = net()
    model.predict(PIXELS[:1])
    flat = model.graph.values
    assert all(array.base is not None and np.shares_memory(array, flat) for array in model.parameters.values())
    assert all(parameter.flat.ctypes.data % 64 == 0 for parameter in model.graph.parameters.values())
    assert {name: array.shape for name, array in model.parameters.items()} == model.parameter_shapes


def test_adding_a_layer_keeps_the_weights_of_the_others():
    model = CNN([Conv2d(4, input_shape=(8, 8, 1)), Flatten()], seed=1, engine="python")
    weights = model.parameters["conv1/weights"].copy()
    model.add(Dense(3, activation="softmax"))
    assert np.array_equal(model.parameters["conv1/weights"], weights)
    assert model.predict(np.zeros((8, 8, 1), np.float32)).shape == (3,)


def test_description_goes_through_json():
    model = net()
    model.compile("momentum", 0.05)
    model.train(PIXELS, RNG.integers(0, 3, 70), epochs=2, progress=False)
    model.classes = ["a", "b", "c"]
    model.data = {"name": "squares", "digest": "0123456789ab"}
    model.preparation = replace(model.preparation, invert=True, resize="crop")
    description = json.loads(json.dumps(model.describe()))
    again = CNN.from_description(description, engine="python")
    for name, array in model.parameters.items():
        again.parameters[name][...] = array
    assert again.describe() == description
    assert again.digest() == model.digest()
    assert np.array_equal(again.predict(PIXELS), model.predict(PIXELS))
    assert again.optimizer.settings == {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.0}
    expected = Preparation((9, 8), 2, "crop", invert=True, normalize="per-image", classes=("a", "b", "c"))
    assert again.preparation == model.preparation == expected
    again.train(PIXELS, RNG.integers(0, 3, 70), epochs=1, progress=False)
    assert (again.epochs, len(again.history["loss"])) == (3, 1)


def test_description_takes_no_memory_for_parameters():
    description = CNN([Flatten(input_shape=(4, 4, 1)), Dense(2)], seed=0).describe()
    description["architecture"][1]["settings"]["units"] = 10**13
    model = CNN.from_description(description)
    assert model.parameter_shapes["dense1/weights"] == (16, 10**13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("seed"), "'seed' is missing"),
        (lambda d: d.update(architecture=3), "cannot be read"),
        (lambda d: d["architecture"][0].update(type="Swish"), r"a layer of type 'Swish'.*load\(path, layers="),
        (lambda d: d["architecture"][0].update(type=["Conv2d"]), "a layer of type"),
        (lambda d: d["architecture"][0]["settings"].update(colour="red"), r"layer 'conv1' \(Conv2d\) cannot be read.*colour"),
        (lambda d: d["architecture"][0]["settings"].update(filters="many"), "filters is 'many', expected an integer"),
        (lambda d: d.update(input_shape=[9, "8", 2]), "input_shape is '8', expected an integer"),
        (lambda d: d.update(loss="guess"), "loss is 'guess'"),
        (lambda d: d["optimizer"].update(name="guess"), "optimizer is 'guess'"),
        (lambda d: d["optimizer"]["settings"].update(speed=3), "speed"),
        (lambda d: d.update(dtype="float16"), "dtype is 'float16', expected one of 'float32', 'float64'"),
        (lambda d: d["preparation"].update(classes=["one"]), "classes has 1 names, and the model 3 outputs"),
    ],
)
def test_bad_descriptions(change, message):
    model = net()
    model.compile()
    model.predict(PIXELS[:1])
    description = json.loads(json.dumps(model.describe()))
    change(description)
    with pytest.raises(ValueError, match=message):
        CNN.from_description(description)


def test_a_single_output_has_no_two_names():
    model = CNN([Dense(1, activation="sigmoid", input_shape=(3,))])
    with pytest.raises(ValueError, match=r'classes has 2 names, and the model 1 outputs: end with Dense\(2, activation="softmax"\)'):
        model.classes = ["cat", "dog"]


def test_copies():
    model = net()
    model.compile(clip_norm=0.1)  # which works on all gradients as one array
    labels = RNG.integers(0, 3, 70)
    model.train(PIXELS, labels, epochs=1, progress=False)
    twins = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    for twin in twins:
        twin.train(PIXELS, labels, epochs=1, progress=False)
        assert len(model.history["loss"]) == 1
        assert twin.digest() != model.digest()
    model.train(PIXELS, labels, epochs=1, progress=False)
    assert [twin.digest() for twin in twins] == [model.digest()] * 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CNN(Conv2d(2)), r"layers is one layer, expected a list: give CNN\(\[Conv2d"),
        (lambda: CNN([Conv2d]), r"was given the class Conv2d: add an object"),
        (lambda: CNN(["conv"]), "was given a str"),
        (lambda: CNN(seed=-1), "seed is -1, expected at least 0"),
        (lambda: CNN(seed="x"), "seed is 'x', expected an integer"),
        (lambda: CNN(normalize="always"), "normalize is 'always', expected one of None, 'per-image'"),
        (lambda: CNN(dtype="int8"), "dtype is 'int8', expected one of 'float32', 'float64'"),
        (lambda: CNN(engine="gpu"), "engine is 'gpu', expected one of 'fast', 'loops', 'python'"),
        (lambda: CNN(threads=0), "threads is 0, expected at least 1"),
        (lambda: CNN(threads=10_000), "threads is 10000, and there are"),
        (lambda: CNN().predict(PIXELS), r"the model has no layers: add some"),
        (lambda: CNN([layer := Flatten(), layer]), "flatten1 is in the model already: make a new layer"),
    ],
)
def test_faults(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_dtype_may_be_numpys():
    assert CNN(dtype=np.float64).dtype == CNN(dtype="float64").dtype == np.float64


def test_features_without_images():
    x = RNG.standard_normal((10, 7)).astype(np.float32)
    model = CNN([Dense(5, activation="relu", input_shape=7), Dense(2, activation="softmax")], seed=1, engine="python")
    model.compile()
    model.train(x, RNG.integers(0, 2, 10), epochs=1, progress=False)
    assert model.predict(x[0]).shape == (2,)
    assert model.preparation.size is None


def test_activation_as_the_last_layer():
    model = CNN([Flatten(), Dense(3), Activation("softmax")], seed=1, engine="python")
    model.compile(loss="cross_entropy")
    twin = CNN([Flatten(), Dense(3, activation="softmax")], seed=1, engine="python")
    twin.compile(loss="cross_entropy")
    labels = RNG.integers(0, 3, 70)
    for each in (model, twin):
        each.train(PIXELS.astype(np.float32) / 255, labels, epochs=1, progress=False)
    assert model.digest() == twin.digest()
