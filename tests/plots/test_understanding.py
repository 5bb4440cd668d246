"""Pictures of a step done again, of influence, and of labels to check."""

from dataclasses import replace

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten, plots
from jitcnn.influence import Influence
from jitcnn.replay import replay
from tests.plots.conftest import texts_in

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (30, 6, 6, 1)).astype(np.uint8)
Y = RNG.integers(0, 3, 30)
NAMES = ["ant", "bee", "cat"]


def tiles(figure):
    """The pictures, in the order in which they are drawn."""
    return [image.get_array() for image in figure.axes[0].images]


def captions(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_verticalalignment() == "bottom"]


def texts(figure):
    return " ".join(texts_in(figure))


@pytest.fixture(scope="module")
def found():
    model = CNN([Conv2d(2, activation="relu"), Flatten(), Dense(3, activation="softmax")], seed=1, normalize="per-image", engine="python")
    model.compile("sgd", 0.01)
    return replay(model, X, Y, step=2, why="conv1[0,0,0,1]", epochs=1, batch_size=5, progress=False)


def test_a_batch_by_its_losses(found):
    figure = plots.replay(found, NAMES)
    assert len(tiles(figure)) == 5
    for pixels, title, place in zip(tiles(figure), captions(figure), found.worst, strict=True):
        lines = title.split("\n")
        assert lines[0] == f"image {found.images[place]}"
        assert lines[1] == f"is {NAMES[found.labels[place]]}, said {NAMES[found.predictions[place]]}"
        assert lines[2] == f"loss {found.losses[place]:.4g}"
        assert lines[3] == f"gradient {found.weight.by_image[place]:+.2e}"
        np.testing.assert_allclose(pixels, found.x[place, :, :, 0])
    assert "Step 2, epoch 1" in texts(figure) and "conv1/weights[0,0,0,1]" in texts(figure)


def test_a_large_batch_and_no_images(found):
    many = {name: np.repeat(getattr(found, name), 20, axis=0) for name in ("images", "labels", "x", "predictions", "losses", "lengths")}
    figure = plots.replay(replace(found, **many, weight=None))
    assert len(tiles(figure)) == 64 and "The 64 of 100 images" in texts(figure)
    with pytest.raises(ValueError, match="a batch is drawn of images"):
        plots.replay(replace(found, x=found.x.reshape(5, -1)))


def test_influence_for_and_against():
    scores = np.zeros(30)
    scores[[4, 7, 9]] = 3.0, -1.5, 2.0
    figure = plots.influence(Influence(scores, 1), X, Y, X[20], NAMES, 5)
    expected = ["this image", f"image 4, {NAMES[Y[4]]}\n+3", f"image 9, {NAMES[Y[9]]}\n+2", f"image 7, {NAMES[Y[7]]}\n-1.5"]
    assert captions(figure) == expected
    for pixels, number in zip(tiles(figure), (20, 4, 9, 7), strict=True):
        assert np.array_equal(pixels, X[number, :, :, 0])
    assert all(text in texts(figure) for text in ("Why bee?", "Spoke for bee", "Spoke against bee"))
    assert len(tiles(plots.influence(Influence(np.zeros(30), 1), X, Y, X[20]))) == 1


def test_labels_to_check():
    scores = np.arange(30.0)
    figure = plots.suspects(X, Y, [29, 28], scores, [0, 2], NAMES)
    assert captions(figure) == [f"image 29: 29\nlabelled {NAMES[Y[29]]}\nsaid ant", f"image 28: 28\nlabelled {NAMES[Y[28]]}\nsaid cat"]
    with pytest.raises(ValueError, match="what is drawn is images"):
        plots.suspects(X.reshape(30, -1), Y, [1], scores, [0])
