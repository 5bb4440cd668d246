"""A digit of one's own becomes what MNIST's makers would have made of it, and is recognised."""

import numpy as np
import pytest

from jitcnn import presets
from jitcnn.data import mnist
from jitcnn.digits import components, digit, otsu, without_lines
from jitcnn.preparation import Preparation
from tests import drawings


def bar(rows=200, columns=150, paper=200, ink=40):
    """An upright stroke off the middle."""
    drawn = np.full((rows, columns), paper, np.uint8)
    drawn[20:100, 90:102] = ink
    return drawn


def test_box_and_centre_of_mass():
    for label, kind in ((2, None), (7, None), (4, drawings.fonts()[1])):
        image = digit(drawings.picture(np.random.default_rng(label), label, kind)).astype(float)
        assert image.shape == (28, 28)
        rows, columns = np.flatnonzero(image.max(axis=1) > 60), np.flatnonzero(image.max(axis=0) > 60)
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        y, x = (np.average(np.arange(28) + 0.5, weights=image.sum(axis=axis)) for axis in (1, 0))
        assert (y, x) == (pytest.approx(14, abs=0.6), pytest.approx(14, abs=0.6))


def test_dark_and_light_give_the_same():
    drawn = bar()
    assert (digit(drawn) == digit(255 - drawn)).all()
    assert (digit(drawn, dark_ink=True) == digit(drawn)).all()
    assert digit(drawn)[14, 14] == 255
    assert digit(drawn)[0].max() == 0


def test_proportions_are_kept_and_thin_strokes_thickened():
    strokes = [np.pad(np.full((80, width), 40, np.uint8), 60, constant_values=200) for width in (2, 40)]
    columns = [np.count_nonzero(digit(stroke).max(axis=0) > 128) for stroke in strokes]
    assert 2 <= columns[0] <= 4
    assert 9 <= columns[1] <= 11


def test_light_from_the_side_changes_little():
    plain = bar().astype(float)
    light = np.linspace(0.6, 1.2, plain.shape[1])
    difference = digit(plain).astype(float) - digit(plain * light)
    assert np.abs(difference).mean() < 5


def test_ruled_lines_go_and_strokes_stay_whole():
    mask = np.zeros((60, 60), bool)
    mask[10:50, 28:33] = True
    crossed = mask.copy()
    crossed[20:22] = crossed[40] = True
    crossed[:, 7] = True
    assert (without_lines(crossed)[:, 28:33] == mask[:, 28:33]).all()
    assert without_lines(crossed)[:, :27].sum() < 20  # of more than 200: what stays are crossings, too small to be a digit
    assert (without_lines(mask) == mask).all()


def test_components_and_threshold():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    labels = components(mask)
    assert labels[0, 0] == labels[1, 1] != labels[0, 3]
    assert labels[0, 3] == labels[1, 3]
    assert len(np.unique(labels[mask])) == 3
    assert 10 < otsu(np.array([8.0, 9, 10, 80, 81, 82])) <= 80


@pytest.mark.parametrize("picture", [np.full((50, 40), 130, np.uint8), np.zeros((1, 1), np.uint8)])
def test_nothing_on_the_paper(picture):
    with pytest.raises(ValueError, match="no digit found"):
        digit(picture)


def test_as_a_preparation():
    preparation = Preparation((28, 28), 1, resize="digit", invert="auto")
    colours = np.repeat(bar()[..., None], 3, axis=2)
    assert (preparation.prepare(colours)[..., 0] == digit(bar())).all()
    assert (preparation.prepare((bar() / 255).astype(np.float32)) == preparation.prepare(bar())).mean() > 0.99
    assert Preparation.from_dict(preparation.to_dict()) == preparation
    with pytest.raises(ValueError, match="28 x 28"):
        Preparation((32, 32), 1, resize="digit")


@pytest.fixture(scope="module")
def model(pytestconfig):
    """The default preset, as `jitcnn train` makes it, or with two thirds of its epochs unless ``--full``."""
    (x, y), _ = mnist.load()
    preset = presets.PRESETS["default"]
    epochs = preset.epochs if pytestconfig.getoption("--full") else 4
    made = preset.build(seed=0)
    made.train(x, y, epochs=epochs, schedule=preset.schedule, augment=preset.augment, progress=False)
    return made


def test_mnist_itself_stays_what_it_is(model):
    _, (x, y) = mnist.load()
    found = np.stack([digit(image) for image in x[:300].reshape(-1, 28, 28)])[..., None]
    assert (model.predict(found).argmax(axis=1) == y[:300]).mean() > 0.96


def test_drawings_are_recognised(model, full, figures):
    """Pens and ten typefaces, all of them thick and thin, shifted, turned, dark and light, in uneven light, on squared paper."""
    generator = np.random.default_rng(3)
    kinds = [None] * 8 + drawings.fonts()
    labels = np.tile(np.arange(10), len(kinds) * (5 if full else 1))
    found = [digit(drawings.picture(generator, label, kinds[number // 10 % len(kinds)])) for number, label in enumerate(labels)]
    accuracy = (model.predict(np.stack(found)[..., None]).argmax(axis=1) == labels).mean()
    figures["digits of one's own: drawings recognised"] = f"{accuracy:.1%} of {len(labels)}"
    assert accuracy >= 0.95
