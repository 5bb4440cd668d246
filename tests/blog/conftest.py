"""What the text's sessions share."""

import pytest

from jitcnn.blog import CNN, FFL, Conv2d, Dropout, Flatten, Pool2d, mnist


@pytest.fixture(scope="session")
def digits():
    """The text's x, y, xt, yt: some of them."""
    return mnist(train_limit=600, test_limit=100)


@pytest.fixture
def small():
    """A network for 8 x 8 images, compiled, of all kinds of layers."""
    m = CNN(seed=1)
    m.add(Conv2d(input_shape=(8, 8, 1), filters=2, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Dropout(0.2))
    m.add(Flatten())
    m.add(FFL(neurons=3, activation="softmax"))
    m.compile_model(lr=0.01, opt="sgd", loss="cse")
    return m
