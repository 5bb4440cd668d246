"""The text's layers, each alone: its examples, its attributes, its passes."""

import inspect

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from jitcnn.blog import FFL, Conv2d, Dropout, Flatten, Pool2d, Upsample

PICTURE = np.array(((1, 2, 3, 1), (11, 12, 4, 10), (101, 11, 88, 10), (10, 11, 11, 5)))


def image(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def convolved(x, weights, biases, stride=(1, 1)):
    """Convolution of a padded image, by NumPy."""
    windows = sliding_window_view(x, weights.shape[:2], axis=(0, 1))[:: stride[0], :: stride[1]]
    return np.einsum("rcakl,klaf->rcf", windows, weights) + np.ravel(biases)


@pytest.mark.parametrize(
    ("layer", "signature"),
    [
        (FFL, "(input_shape=None, neurons=1, bias=None, weights=None, activation=None, is_bias=True)"),
        (
            Conv2d,
            "(input_shape=None, filters=1, kernel_size=(3, 3), isbias=True, activation=None, stride=(1, 1), padding='zero', "
            "kernel=None, bias=None)",
        ),
        (Pool2d, "(kernel_size=(2, 2), stride=None, kind='max', padding=None)"),
        (Dropout, "(prob=0.5)"),
        (Flatten, "(input_shape=None)"),
        (Upsample, "(kernel_size=(2, 2))"),
    ],
)
def test_signatures(layer, signature):
    parameters = [parameter.replace(annotation=parameter.empty) for parameter in inspect.signature(layer).parameters.values()]
    assert str(inspect.Signature(parameters)) == signature


# Conv2d


def test_conv_session():
    img = image(28, 28, 1)
    conv = Conv2d()
    conv.input = img
    conv.weights = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]]).reshape(3, 3, 1, 1)
    conv.biases = np.zeros(1)
    conv.out = np.zeros((28, 28, 1))
    cout = conv.apply_activation(img)
    assert cout.reshape(28, 28).shape == (28, 28)
    padded = np.pad(img, ((1, 1), (1, 1), (0, 0)))
    np.testing.assert_allclose(cout, convolved(padded, conv.weights, conv.biases), atol=1e-12)
    assert conv.out is cout


@pytest.mark.parametrize("kernel_size", [(1, 1), (3, 3), (5, 3)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize(("padding", "mode"), [(None, None), ("zero", "constant"), ("same", "edge")])
def test_conv_pads_one_pixel_whatever_the_kernel(kernel_size, stride, padding, mode):
    img = image(9, 8, 2)
    conv = Conv2d(input_shape=(9, 8, 2), filters=3, kernel_size=kernel_size, stride=stride, padding=padding)
    padded = img if mode is None else np.pad(img, ((1, 1), (1, 1), (0, 0)), mode=mode)
    expected = convolved(padded, conv.weights, conv.biases, stride)
    assert conv.output_shape == expected.shape
    np.testing.assert_allclose(conv.apply_activation(img), expected, atol=1e-12)


def test_conv_attributes():
    conv = Conv2d(input_shape=(28, 28, 1), filters=8, padding=None, activation="relu")
    assert (conv.input_shape, conv.output_shape, conv.kernel_size) == ((28, 28, 1), (26, 26, 8), (3, 3, 1, 8))
    assert (conv.filters, conv.stride, conv.padding, conv.activation, conv.isbias) == (8, (1, 1), None, "relu", True)
    assert (conv.weights.shape, conv.biases.shape, conv.parameters) == ((3, 3, 1, 8), (8, 1), 80)
    assert Conv2d().kernel_size == (3, 3)
    conv.apply_activation(image(28, 28, 1))
    assert (conv.out >= 0).all() and (conv.input.shape, conv.out.shape) == ((28, 28, 1), (26, 26, 8))


def test_conv_takes_kernel_and_bias():
    kernel, bias = image(3, 3, 2, 4), image(4, 1)
    conv = Conv2d(filters=4, padding=None, kernel=kernel, bias=bias)
    np.testing.assert_allclose(conv.apply_activation(image(6, 6, 2)), convolved(image(6, 6, 2), kernel, bias), atol=1e-12)
    np.testing.assert_array_equal(conv.weights, kernel)
    np.testing.assert_array_equal(conv.biases, bias)


def test_conv_without_bias():
    conv = Conv2d(input_shape=(6, 6, 1), isbias=False)
    assert (conv.parameters, conv.biases) == (9, 0)
    conv.biases = 0
    with pytest.raises(ValueError, match="has no bias"):
        conv.biases = np.ones(1)


def test_weights_are_views():
    conv = Conv2d(input_shape=(6, 6, 1))
    conv.weights[...] = 0
    conv.biases[...] = 2
    conv.weights += 1
    np.testing.assert_allclose(conv.apply_activation(np.ones((6, 6, 1)))[2, 2], 11)


@pytest.mark.parametrize("kernel_size", [(2, 2), (3, 4)])
def test_even_kernels_are_refused(kernel_size):
    conv = Conv2d(input_shape=(8, 8, 1), kernel_size=kernel_size)
    with pytest.raises(ValueError, match="odd length"):
        conv.apply_activation(image(8, 8, 1))


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expects input of \(8, 8, 1\) while \(9, 9, 1\) is given"):
        Conv2d(input_shape=(8, 8, 1)).apply_activation(image(9, 9, 1))
    with pytest.raises(ValueError, match=r"takes weights of \(3, 3, 2, 1\)"):
        Conv2d(input_shape=(8, 8, 2)).weights = np.ones((3, 3, 1, 1))
    with pytest.raises(ValueError, match="Padding"):
        Conv2d(padding="reflect")


# Pool2d


@pytest.mark.parametrize(
    ("kind", "expected"), [("max", ((12, 10), (101, 88))), ("min", ((1, 1), (10, 5))), ("average", ((6.5, 4.5), (33.25, 28.5)))]
)
def test_pool_example(kind, expected):
    pool = Pool2d(kernel_size=(2, 2), stride=(2, 2), kind=kind)
    np.testing.assert_array_equal(pool.apply_activation(PICTURE.reshape(4, 4, 1))[:, :, 0], expected)
    np.testing.assert_array_equal(Pool2d(kind=kind).apply_activation(PICTURE), expected)


def test_pool_session():
    pool = Pool2d(kernel_size=(7, 7), kind="max")
    test = np.random.default_rng(0).integers(1, 100, (32, 32, 3))
    o = pool.apply_activation(test)
    assert o.shape == pool.output_shape == (4, 4, 3)
    assert o[0, 0, 1] == test[:7, :7, 1].max()
    assert pool.apply_activation(test[:14]).shape == (2, 4, 3)  # as in the text, images of another size may follow


def test_pool_stride_and_padding():
    assert Pool2d(kernel_size=(3, 3), stride=2).apply_activation(image(9, 9, 2)).shape == (4, 4, 2)
    pool = Pool2d(kernel_size=(3, 3), stride=(2, 2), padding="zero")
    out = pool.apply_activation(-np.ones((9, 9, 1)))
    assert out.shape == (5, 5, 1) and (out == -1).all()  # padding never wins


def test_pool_attributes():
    pool = Pool2d()
    assert (pool.kernel_size, pool.stride, pool.kind, pool.parameters, pool.weights, pool.isbias) == ((2, 2), (2, 2), "max", 0, 0, False)
    pool.input_shape = (26, 26, 4)
    pool.set_output_shape()
    assert pool.output_shape == (13, 13, 4)
    with pytest.raises(ValueError, match="Pool kind"):
        Pool2d(kind="median")


# Dropout, Flatten, Upsample


def test_dropout_session():
    x = np.arange(0, 100).reshape(10, 10)
    dp = Dropout()
    first, second = dp.apply_activation(x), dp.apply_activation(x)
    assert first.shape == (10, 10) and (first != second).any()
    np.testing.assert_array_equal(first[first != 0], 2 * x[first != 0])
    np.testing.assert_array_equal(dp.apply_activation(x, train=False), x)


def test_dropout_keeps_the_mean():
    out = Dropout(0.2).apply_activation(np.ones((100, 100, 4)))
    assert (out == 0).mean() == pytest.approx(0.2, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.01)
    assert out.max() == pytest.approx(1.25)


def test_flatten_session():
    x = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 1], [0, 0, 1]])
    f = Flatten()
    assert f.apply_activation(x).tolist() == [1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1]
    assert Flatten(input_shape=(3, 3, 3)).output_shape == 27
    np.testing.assert_array_equal(Flatten().apply_activation(image(3, 3, 3)), image(3, 3, 3).ravel())


def test_upsample_example():
    expected = ((12, 12, 10, 10), (12, 12, 10, 10), (101, 101, 88, 88), (101, 101, 88, 88))
    np.testing.assert_array_equal(Upsample().apply_activation(np.array(((12, 10), (101, 88)))), expected)


def test_upsample_session():
    picture = np.arange(784, dtype=np.uint8).reshape(28, 28, 1)
    us = Upsample(kernel_size=(1, 3))
    img = us.apply_activation(picture)
    np.testing.assert_array_equal(img.reshape(28, 28 * 3), np.repeat(picture[:, :, 0], 3, axis=1))


# FFL


@pytest.mark.parametrize("activation", [None, "linear", "relu", "sigmoid", "tanh", "softmax"])
def test_ffl(activation):
    x, weights, bias = image(5), image(5, 3), image(3)
    ffl = FFL(input_shape=5, neurons=3, weights=weights, bias=bias, activation=activation)
    soma = x @ weights + bias
    expected = {
        "relu": np.maximum(soma, 0),
        "sigmoid": 1 / (1 + np.exp(-soma)),
        "tanh": np.tanh(soma),
        "softmax": np.exp(soma) / np.exp(soma).sum(),
    }.get(activation, soma)
    np.testing.assert_allclose(ffl.apply_activation(x), expected, atol=1e-12)
    np.testing.assert_allclose(ffl.apply_activation(np.stack((x, x))), (expected, expected), atol=1e-12)


def test_ffl_attributes():
    ffl = FFL(784, 10, activation="softmax")
    assert (ffl.input_shape, ffl.output_shape, ffl.neurons, ffl.parameters) == (784, 10, 10, 7850)
    assert (ffl.weights.shape, ffl.biases.shape) == ((784, 10), (10,))
    assert FFL(784, 10, is_bias=False).parameters == 7840
    with pytest.raises(ValueError, match="activation"):
        FFL(784, 10, activation="sofmax")
    later = FFL(neurons=2)
    assert later.input_shape is None
    later.input_shape = 4
    later.set_output_shape()
    assert (later.weights.shape, later.output_shape) == ((4, 2), 2)
    with pytest.raises(ValueError, match="no input_shape"):
        FFL().set_output_shape()


def test_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    FFL(5, 3).apply_activation(np.ones(5))
    Dropout().apply_activation(np.ones((5, 5, 1)))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
