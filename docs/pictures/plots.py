"""Draws the pictures of docs/how-it-works/ with `jitcnn.plots`: `python docs/pictures/plots.py`, about a minute.

The same files every time on one kind of processor and one version of matplotlib: seeds are fixed, and times are left out.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample, plots
from jitcnn.data import mnist
from jitcnn.optimizers import AdamW
from jitcnn.presets import PRESETS

HERE = Path(__file__).parent
DIGIT = 30  # of the test images: a 3
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
EDGES = {"upright edges": SOBEL, "level edges": SOBEL.T, "blur": np.full((3, 3), 1 / 9)}


def edges(*more, padding="same"):
    """A network whose first layer has the three kernels of EDGES, none of them learned."""
    model = CNN([Conv2d(3, padding=padding, use_bias=False, input_shape=(28, 28, 1)), *more], seed=1, engine="python")
    model.layers[0].weights.value[:] = np.stack(list(EDGES.values()), axis=-1)[:, :, None]
    return model


def digit(number):
    """A test digit with numbers from 0 to 1."""
    _, (images, _) = mnist.load()
    return (images[number] / 255).astype(np.float32)


def trained(layers, images, epochs, validation=None, **settings):
    """A network after some epochs on the first training digits."""
    (x, y), _ = mnist.load()
    model = CNN(layers, seed=1, normalize="per-image")
    model.compile(**{"optimizer": "adam", "learning_rate": 0.002, **settings})
    model.train(x[:images], y[:images], epochs=epochs, validation=validation, progress=False)
    return model


def one_layer():
    """A dense layer alone: each class has one weight a pixel."""
    layers = [Flatten(input_shape=(28, 28, 1)), Dense(10, activation="softmax")]
    return trained(layers, 10_000, 3, optimizer=AdamW(0.002, weight_decay=2.0), learning_rate=None)


def small_network(images, epochs, *more, **settings):
    """Convolution, pooling, perhaps more, dense."""
    layers = [Conv2d(8, activation="relu", input_shape=(28, 28, 1)), Pool2d(), Flatten(), *more, Dense(10, activation="softmax")]
    return trained(layers, images, epochs, **settings)


def large_filters():
    """A network whose first filters are large enough to be looked at."""
    first = [Conv2d(8, 5, activation="relu", input_shape=(28, 28, 1)), Pool2d()]
    return trained([*first, Conv2d(16, activation="relu"), Pool2d(), Flatten(), Dense(10, activation="softmax")], 10_000, 10)


def curves(model):
    """Loss and accuracy by epoch; the learning rate is the same in all of them."""
    return plots.history({name: column for name, column in model.history.items() if name != "rate"})


def pictures():
    """Each picture's name and figure."""
    image = digit(DIGIT)
    yield "convolution", plots.outputs(edges(), image)
    yield "pooling", plots.outputs(edges(Pool2d()), image)
    yield "activations", plots.outputs(edges(Activation("relu")), image)
    yield "sizes", plots.outputs(CNN([Pool2d(4, kind="average", input_shape=(28, 28, 1)), Upsample(4)], engine="python"), image)
    _, (digits, _) = mnist.load()
    dense = one_layer()
    yield "dense", plots.weights(dense)
    yield "softmax", plots.outputs(dense, digits[DIGIT])
    yield "graph", plots.graph(small_network(1_000, 1))
    yield "filters-before", plots.filters(CNN([Conv2d(8, 5, activation="relu", input_shape=(28, 28, 1))], seed=1))
    yield "filters-after", plots.filters(large_filters(), "conv1")
    yield "derivative", plots.cam(trained(PRESETS["default"].build(seed=1).layers, 20_000, 3), digits[DIGIT], 3)
    yield "without-dropout", curves(small_network(1_000, 30, validation=0.5))
    yield "with-dropout", curves(small_network(1_000, 30, Dropout(0.5), validation=0.5))
    for name in ("sgd", "momentum", "adam"):
        yield f"history-{name}", curves(small_network(5_000, 8, optimizer=name))


if __name__ == "__main__":
    for name, figure in pictures():
        path = HERE / f"{name}.png"
        plots.save(figure, path)
        Image.open(path).convert("RGB").quantize(256, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)  # a third of the bytes
