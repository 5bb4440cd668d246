"""Shapes, parameters, names, and layers called alone."""

import copy
import pickle

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Layer, Pool2d, Upsample
from jitcnn.graph import Graph
from jitcnn.layers.geometry import padding_sides

IMAGE = np.array([[1, 2, 3, 1], [11, 12, 4, 10], [101, 11, 88, 10], [10, 11, 11, 5]], np.float32)[None, :, :, None]


def output_shape(layer, input_shape):
    return Graph([layer], seed=0).layers[0].place(input_shape)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Conv2d(8), (26, 30, 8)),
        (Conv2d(8, 5), (24, 28, 8)),
        (Conv2d(8, (2, 5)), (27, 28, 8)),
        (Conv2d(8, padding="valid"), (26, 30, 8)),
        (Conv2d(8, padding="same"), (28, 32, 8)),
        (Conv2d(8, 2, padding="zero", stride=(3, 2)), (10, 16, 8)),
        (Conv2d(8, padding="edge", stride=2), (14, 16, 8)),
        (Conv2d(8, padding=2), (30, 34, 8)),
        (Conv2d(8, padding=(0, 1)), (26, 32, 8)),
        (Conv2d(8, padding=((1, 0), (0, 2))), (27, 32, 8)),
        (Pool2d(), (14, 16, 3)),
        (Pool2d(3), (9, 10, 3)),
        (Pool2d(3, stride=2, padding="same"), (14, 16, 3)),
        (Upsample((2, 3)), (56, 96, 3)),
        (Flatten(), (28 * 32 * 3,)),
        (Dropout(0.5), (28, 32, 3)),
        (Activation("relu"), (28, 32, 3)),
    ],
    ids=str,
)
def test_shapes(layer, expected):
    assert output_shape(layer, (28, 32, 3)) == expected


def test_same_padding_lies_as_in_tensorflow_and_pytorch():
    assert padding_sides("same", (5, 6), (2, 3), (1, 1)) == ((0, 1), (1, 1))
    assert padding_sides("same", (5, 6), (3, 3), (2, 2)) == ((1, 1), (0, 1))


def test_worked_examples_of_the_text():
    assert Pool2d()(IMAGE)[0, :, :, 0].tolist() == [[12, 10], [101, 88]]
    assert Pool2d(kind="average")(IMAGE)[0, 0, 0, 0] == 6.5
    small = np.array([[12, 10], [101, 88]], np.float32)[None, :, :, None]
    assert Upsample()(small)[0, :, :, 0].tolist() == [[12, 12, 10, 10]] * 2 + [[101, 101, 88, 88]] * 2


def test_parameters_are_views_that_can_be_written():
    layer = Conv2d(2, input_shape=(4, 4, 1))
    assert dict(layer.parameters) == {}
    CNN([layer], seed=0)
    assert {name: array.shape for name, array in layer.parameters.items()} == {"weights": (3, 3, 1, 2), "bias": (2,)}
    layer.parameters["bias"][...] = [1, 2]
    layer.parameters["weights"][...] = 0
    assert (layer(np.zeros((1, 4, 4, 1), np.float32)) == [1, 2]).all()


def test_dense_weights_are_in_by_out_over_transposed_memory():
    model = CNN([Dense(3, input_shape=5)], seed=0)
    weights = model.parameters["dense1/weights"]
    assert weights.shape == (5, 3)
    assert weights.flags.f_contiguous


def test_without_bias():
    model = CNN([Conv2d(2, use_bias=False, input_shape=(4, 4, 1)), Flatten(), Dense(3, use_bias=False)], seed=0)
    assert list(model.parameters) == ["conv1/weights", "dense1/weights"]


def test_names():
    class MyLayer(Layer):
        pass

    layers = [Conv2d(1), Conv2d(1), MyLayer(), Pool2d(1), MyLayer(), Flatten(), Dense(1), Activation("relu"), Dense(2), Dropout(0.1)]
    names = CNN(layers).graph.names
    assert names == ["conv1", "conv2", "mylayer1", "pool1", "mylayer2", "flatten1", "dense1", "activation1", "dense2", "dropout1"]


def test_alone_equals_a_model_of_one_layer_and_keeps_its_weights():
    x = np.random.default_rng(0).standard_normal((3, 8, 8, 2)).astype(np.float32)
    layer = Conv2d(4, activation="relu")
    alone = layer(x)
    weights = layer.parameters["weights"].copy()
    assert (CNN([layer]).predict(x) == alone).all()
    assert (layer.parameters["weights"] == weights).all()
    assert (layer(x) == alone).all()


def test_alone_on_another_size_and_dtype():
    layer = Conv2d(4)
    x = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 1)).astype(np.uint8)
    first = layer(x)
    assert layer(x[:, :5, :6]).shape == (2, 3, 4, 4)
    assert np.array_equal(layer(x.astype(np.float32)), first)
    assert np.array_equal(layer(x[:, :5, :6]), first[:, :3, :4])


def test_alone_while_it_is_part_of_a_model():
    x = np.random.default_rng(0).standard_normal((2, 8, 8, 1)).astype(np.float32)
    layer = Conv2d(2, activation="tanh")
    model = CNN([layer, Flatten(), Dense(3)], seed=1)
    y = model.predict(x)
    model.parameters["conv1/bias"][...] = 1
    assert not np.array_equal(layer(x[:, :5, :5]), y)
    assert layer.parameters["bias"].tolist() == [1, 1]
    assert np.array_equal(model.layer_outputs(x)["conv1"][1], layer(x))


def test_two_models_share_a_layer():
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 1)).astype(np.float32)
    shared = Conv2d(2, activation="relu")
    a = CNN([shared, Flatten(), Dense(2)], seed=1, engine="python")
    b = CNN([Dropout(0.1), shared], seed=2, engine="python")
    before = a.predict(x)
    assert b.predict(x).shape == (2, 4, 4, 2)
    assert np.array_equal(a.predict(x), before)
    b.parameters["conv1/weights"][...] = 0
    b.parameters["conv1/bias"][...] = 0
    assert (a.layer_outputs(x)["conv1"][1] == 0).all()


def test_a_layer_that_has_weights_for_another_input_says_so():
    layer = Conv2d(2)
    layer(np.zeros((1, 5, 5, 1), np.float32))
    with pytest.raises(ValueError, match=r"conv1: the layer's weights are \(3, 3, 1, 2\) from earlier use.*make a new layer"):
        CNN([layer], engine="python").predict(np.zeros((1, 5, 5, 3), np.float32))


def test_copies_have_weights_of_their_own():
    layer = Conv2d(2)
    x = np.ones((1, 4, 4, 1), np.float32)
    y = layer(x)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(twin(x), y)
        twin.parameters["weights"][...] = 0
        assert np.array_equal(layer(x), y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2d(0), "filters is 0, expected at least 1"),
        (lambda: Conv2d(2.5), "filters is 2.5, expected an integer"),
        (lambda: Conv2d(2, (3, 3, 3)), "kernel_size is .* expected an integer or a pair"),
        (lambda: Conv2d(2, stride=0), "stride is 0, expected at least 1"),
        (lambda: Conv2d(2, padding="full"), "padding is 'full', expected one of None, 'valid', 'zero', 'same', 'edge'"),
        (lambda: Conv2d(2, padding=-1), "padding is -1, expected at least 0"),
        (lambda: Conv2d(2, activation="swish"), "activation is 'swish', expected one of None, 'linear', 'relu'"),
        (lambda: Conv2d(2, input_shape=(28, 28)), r"input_shape is \(28, 28\): add the channel axis, \(28, 28, 1\)"),
        (lambda: Conv2d(2, input_shape=(1, 28, 28, 1)), "input_shape is .* expected .* of one image"),
        (lambda: Pool2d(kind="median"), "kind is 'median', expected one of 'max', 'min', 'average'"),
        (lambda: Dense(True), "units is True, expected an integer"),
        (lambda: Dropout(1), "rate is 1, expected a share from 0"),
        (lambda: Dropout("a lot"), "rate is 'a lot'"),
        (lambda: Upsample(0), "factor is 0, expected at least 1"),
        (lambda: Activation("softplus"), "activation is 'softplus'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([Conv2d(2, 3), Conv2d(2, 5)], "conv2: nothing would be left of its input of 4 x 4 pixels, since its kernel_size is 5 x 5: make"),
        ([Pool2d(), Pool2d(), Pool2d()], "pool3: nothing would be left of its input of 1 x 1 pixels.*padding='same'.*pool less"),
        ([Pool2d(2, padding=2)], "pool1: padding 2 would make windows of padding only"),
        ([Dense(2)], r"dense1 takes a row of features, and its input is an image of \(6, 6, 1\): put Flatten\(\) before it"),
        ([Flatten(), Conv2d(2)], r"conv1 takes images \(rows, columns, channels\), and its input is \(36,\)"),
        ([Flatten(), Pool2d()], "pool1 takes images"),
        ([Flatten(), Upsample()], "upsample1 takes images"),
        ([Conv2d(2), Conv2d(2, input_shape=(6, 6, 1))], r"conv2 was given input_shape=\(6, 6, 1\), and its input is \(4, 4, 2\): leave"),
    ],
)
def test_layers_that_do_not_fit(layers, message):
    model = CNN([Dropout(0, input_shape=(6, 6, 1))])
    for layer in layers[:-1]:
        model.add(layer)
    with pytest.raises(ValueError, match=message):
        model.add(layers[-1])


def test_a_layer_that_does_not_fit_is_not_added():
    model = CNN([Conv2d(2, input_shape=(6, 6, 1))], engine="python")
    with pytest.raises(ValueError, match="put Flatten"):
        model.add(Dense(2))
    model.add(Flatten())
    model.add(Dense(2))
    assert model.graph.names == ["conv1", "flatten1", "dense1"]
    assert model.predict(np.zeros((6, 6, 1), np.float32)).shape == (2,)
