import numpy as np
import pytest

from jitcnn.forms.augment import settings
from jitcnn.kernels.augment import LOWERINGS
from jitcnn.kernels.buffers import Border
from jitcnn.kernels.program import Program
from jitcnn.reference import augment as reference

SHAPES = [(1, 1, 1), (1, 5, 1), (28, 28, 1), (3, 7, 3), (11, 13, 4)]
KINDS = [np.uint8, np.float32, np.float64]
REALS = [np.float32, np.float64]
EVERYTHING = {
    "shift": 0.1, "rotate": 20, "scale": 0.2, "shear": 10, "flip": 0.5,
    "brightness": 0.2, "contrast": 0.3, "erase": 0.6, "noise": 0.1, "mixup": 0.3,
}  # fmt: skip
SEED = 2**40 + 12345


class Batch:
    """A program that takes augmented images and mixed labels."""

    def __init__(self, images, real, normalize=0, batch=7, border=None, threads=1, **amounts):
        self.images, self.normalize, self.labels = images, normalize, np.arange(len(images)) % 3
        self.order, self.position = np.arange(len(images))[::-1].copy(), np.zeros(1, np.int64)
        self.turn, self.settings = np.array([2, len(images)]), settings(**amounts)
        self.program = Program(batch, threads)
        buffer = self.program.border(self.program.buffer((batch, *images.shape[1:]), real), border or Border())
        rest = self.order, self.position, self.turn, self.settings
        LOWERINGS["augment_images"](self.program, images, *rest, buffer, normalize, SEED)
        targets = self.program.buffer((batch, 3), real)
        LOWERINGS["mix_labels"](self.program, self.labels, *rest, targets, SEED)
        self.y, self.targets = np.zeros(buffer.shape, real), np.zeros(targets.shape, real)
        self.program.copy(buffer, self.program.external(self.y))
        self.program.copy(targets, self.program.external(self.targets))
        self.program.finish()

    def check(self, position, batch, images=None):
        """Run on `batch` images from a position on and compare with the loops; returns the bytes that came."""
        self.position[0] = position
        self.program.run(batch=batch)
        y, targets = np.empty((batch, *self.y.shape[1:])), np.empty((batch, 3))
        rest = self.order, self.position, self.turn, self.settings
        reference.augment_images(self.images if images is None else images, *rest, y, self.normalize, SEED)
        reference.mix_labels(self.labels, *rest, targets, SEED)
        limit = 1e-6 if self.y.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(self.y[:batch], y, rtol=0, atol=limit * max(1, np.abs(y).max()))
        np.testing.assert_allclose(self.targets[:batch], targets, atol=limit)
        return self.y[:batch].tobytes() + self.targets[:batch].tobytes()


def pixels(kind, *shape):
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, shape, dtype=np.uint8) if kind == np.uint8 else rng.normal(3, 10, shape).astype(kind)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize(("normalize", "border"), [(0, Border()), (1, Border(1, 2, 0, 3))], ids=["plain", "standardised, border"])
def test_like_the_loops_on_any_threads(shape, kind, real, normalize, border):
    batches = [Batch(pixels(kind, 20, *shape), real, normalize, border=border, threads=t, **EVERYTHING) for t in (1, 2)]
    for position, batch in [(0, 7), (14, 6), (5, 1)]:
        one, two = (b.check(position, batch) for b in batches)
        assert one == two


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_setting_alone(name):
    Batch(pixels(np.uint8, 9, 6, 5, 2), np.float64, 1, **{name: EVERYTHING[name]}).check(0, 7)


def test_an_image_has_the_same_bits_in_any_batch():
    batch = Batch(pixels(np.uint8, 20, 9, 8, 1), np.float32, 1, **EVERYTHING)
    batch.check(0, 7)
    expected = batch.y.copy()
    batch.check(3, 2)
    assert batch.y[:2].tobytes() == expected[3:5].tobytes()


def test_turn_settings_order_and_images_may_change():
    batch = Batch(pixels(np.uint8, 20, 6, 5, 2), np.float32, 1, **EVERYTHING)
    batch.check(0, 7)
    first = batch.y.copy()
    batch.turn[0] += 1
    batch.check(0, 7)
    assert not np.array_equal(batch.y, first)
    batch.settings[:] = settings(erase=1)
    batch.order[:] = np.random.default_rng(0).permutation(20)
    batch.check(3, 7)
    fewer = pixels(np.uint8, 9, 6, 5, 2)[::-1].copy()
    batch.order[:] %= 9
    batch.turn[1] = 4
    batch.settings[:] = settings(mixup=0.5)
    batch.program.bind(batch.images, fewer)
    batch.check(2, 7, fewer)


def test_one_colour_becomes_zeros():
    images = np.full((4, 9, 5, 3), 93, np.uint8)
    batch = Batch(images, np.float32, 1, batch=4, **EVERYTHING)
    batch.program.run()
    assert not batch.y.any()
