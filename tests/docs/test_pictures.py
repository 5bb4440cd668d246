"""The pictures of docs/how-it-works: each is made by the script beside it and shown on a page, and shows what the page says."""

import re
import runpy
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from jitcnn import reference

matplotlib = pytest.importorskip("matplotlib")
DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(path.name for path in (DOCS / "pictures").glob("*.png"))


def arrays_in(figure):
    return [np.asarray(image.get_array(), float) for axes in figure.axes for image in axes.images]


@pytest.fixture(scope="module")
def untrained():
    """The figures that need no training, by name."""
    script = runpy.run_path(str(DOCS / "pictures" / "plots.py"))
    return script, dict(islice(script["pictures"](), 4))


def test_every_picture_is_made_and_shown():
    script = (DOCS / "pictures" / "plots.py").read_text()
    shown = {name for page in (DOCS / "how-it-works").glob("*.md") for name in re.findall(r"pictures/(\S+\.png)\)", page.read_text())}
    made = [*re.findall(r'yield "([\w-]+)"', script), "history-sgd", "history-momentum", "history-adam"]
    assert sorted(shown) == sorted(f"{name}.png" for name in made) == PICTURES


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_small_and_not_empty(name):
    path = DOCS / "pictures" / name
    colours = np.asarray(matplotlib.image.imread(path)[..., :3] * 255, np.int64) @ [1, 256, 65536]
    assert path.stat().st_size < 60_000
    assert len(np.unique(colours)) > 50
    assert 0.005 < (colours != colours[0, 0]).mean() < 0.8


def test_kernels_by_hand(untrained):
    """The outputs in the picture are those of the reference loop with Sobel's kernels and a blur."""
    script, figures = untrained
    image = script["digit"](script["DIGIT"])
    kernels = np.stack([*script["EDGES"].values()], axis=-1).reshape(3, 3, 1, 3)
    expected = reference.conv2d(image[None].astype(np.float64), kernels.astype(np.float64), padding=1)[0]
    arrays = arrays_in(figures["convolution"])
    assert np.array_equal(arrays[0], image[..., 0].astype(np.float64))
    outputs = arrays[3::3]
    assert len(outputs) == 3
    assert all(any(np.allclose(shown, expected[..., k], atol=1e-5) for shown in outputs) for k in range(3))


def test_what_relu_pooling_and_upsampling_show(untrained):
    _, figures = untrained
    edges = arrays_in(figures["convolution"])[3::3]
    after_relu, after_pooling = (arrays_in(figures[name])[10:] for name in ("activations", "pooling"))
    assert np.array_equal(after_relu[1], np.maximum(after_relu[0], 0))
    assert np.allclose(after_relu[0], edges[0])
    assert np.array_equal(after_pooling[1], after_pooling[0].reshape(14, 2, 14, 2).max(axis=(1, 3)))
    _, pixels, means, _, blocks = arrays_in(figures["sizes"])
    assert np.allclose(means, pixels.reshape(7, 4, 7, 4).mean(axis=(1, 3)))
    assert np.array_equal(blocks, np.kron(means, np.ones((4, 4))))
