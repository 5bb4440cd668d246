"""Mistakes of from-scratch code: each is made, found and named, and nothing stays changed."""

import numpy as np
import pytest

from jitcnn.engine import eager
from jitcnn.layers import Dropout, Layer
from jitcnn.learn import experiment
from jitcnn.learn.mistakes import MISTAKES, switched_on
from jitcnn.learn.source import ROOT, with_lines
from jitcnn.reference.prepared import PREPARED

HINTS = {
    "relu-derivative": "relu's derivative is taken to be its output",
    "activation-after": "relu's derivative is applied after instead of before",
    "dropout-scale": "0.25 times what it should be",
    "pool-overwritten": "overlapping windows overwrite each other",
    "bias-last-image": "comes from the last image of the batch only",
    "kernel-not-flipped": "computed with the kernel not flipped",
}


@pytest.fixture
def unchanged():
    """What the engines and layers run, before and after."""

    def state():
        return (*PREPARED.values(), eager.PREPARED, eager.compiled, Layer.forward, Dropout.forward)

    before = state()
    yield
    assert all(a is b for a, b in zip(before, state(), strict=True))


def test_every_mistake_of_the_list_is_there():
    assert list(MISTAKES) == list(HINTS)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=lambda mistake: mistake.name)
def test_the_check_finds_and_names_it(mistake, unchanged):
    wrong = experiment.check(mistake, made=True)
    assert not wrong.ok
    assert HINTS[mistake.name] in wrong.hint
    assert experiment.check(mistake, made=False).ok


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=lambda mistake: mistake.name)
def test_the_place_is_that_of_the_right_line(mistake):
    path, number = mistake.place.split(", line ")
    lines = (ROOT / path).read_text().splitlines()
    for offset, line in enumerate(mistake.right.splitlines()):
        assert lines[int(number) - 1 + offset].strip() == line.strip()


def test_it_changes_training_by_the_compiled_loops(unchanged, monkeypatch):
    monkeypatch.setattr(experiment, "EPOCHS", 2)
    right, wrong = (experiment.curve(mistake) for mistake in (None, MISTAKES["kernel-not-flipped"]))
    assert right[0] != wrong[0]
    assert right == experiment.curve(None)


def test_nothing_stays_changed_after_an_error(unchanged):
    for mistake in MISTAKES.values():
        with pytest.raises(KeyboardInterrupt), switched_on(mistake):
            raise KeyboardInterrupt


def test_the_small_network_learns():
    losses = experiment.curve(None)
    assert len(losses) == experiment.EPOCHS
    assert losses[-1] < losses[0] / 2


def test_lines_that_are_not_there():
    with pytest.raises(ValueError, match="holds 'nowhere' 0 times"):
        with_lines(PREPARED["relu"], "nowhere", "pass")


def test_the_digits_are_averaged_pixels():
    images, labels = experiment.digits()
    assert images.shape == (experiment.IMAGES, 14, 14, 1)
    assert images.min() >= 0 and images.max() <= 255 and labels[0] == 5
    assert np.isclose(images[0].mean(), experiment.mnist.load(train_limit=1)[0][0].mean(), rtol=1e-5)
