"""Small models, run by the plain loops: nothing is compiled for a picture."""

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample

pytest.importorskip("matplotlib")


@pytest.fixture
def grey():
    """Two convolutions on grey images, with every kind of layer between."""
    layers = [
        Conv2d(3, activation="relu", input_shape=(10, 8, 1)),
        Pool2d(),
        Dropout(0.5),
        Conv2d(4, 2, padding="same", use_bias=False),
        Activation("tanh"),
        Upsample(2),
        Flatten(),
        Dense(6, activation="relu"),
        Dense(5, activation="softmax"),
    ]
    model = CNN(layers, seed=1, normalize="per-image", engine="python")
    model.classes = ["ant", "a $5 bee", "c\nd", "a name that has no end", "e"]
    return model


@pytest.fixture
def coloured():
    """A convolution on colour images, without names of classes."""
    return CNN([Conv2d(5, 3, input_shape=(6, 6, 3)), Flatten(), Dense(2, activation="softmax")], seed=1, engine="python")


@pytest.fixture
def features():
    """Dense layers alone."""
    return CNN([Dense(7, activation="relu", input_shape=5), Dense(1, activation="sigmoid")], seed=1, engine="python")


@pytest.fixture
def image():
    """A grey image."""
    return np.random.default_rng(0).integers(0, 256, (10, 8, 1), np.uint8)


def images_in(figure):
    """The arrays of all images in a figure, in order."""
    return [np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan) for axes in figure.axes for image in axes.images]


def texts_in(figure):
    """Everything that is written in a figure: titles, names of axes and ticks, labels."""
    import matplotlib.text

    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def tiles_in(sheet, shape, count, columns, gap):
    """The tiles of a mosaic."""
    rows, width = shape
    corners = [((k // columns) * (rows + gap), (k % columns) * (width + gap)) for k in range(count)]
    return np.array([sheet[top : top + rows, left : left + width] for top, left in corners])
