import numpy as np
import pytest

from jitcnn.kernels.buffers import Border
from jitcnn.kernels.image import LOWERINGS, store
from jitcnn.kernels.program import Program
from jitcnn.reference import image as reference

SHAPES = [(1, 1, 1), (1, 5, 1), (28, 28, 1), (3, 7, 3), (11, 13, 4)]
KINDS = [np.uint8, np.float32, np.float64]
REALS = [np.float32, np.float64]


def pixels(rng, kind, *shape):
    return rng.integers(0, 256, shape, dtype=np.uint8) if kind == np.uint8 else rng.normal(3, 10, shape).astype(kind)


class Batch:
    """A program that takes images, with its order and position."""

    def __init__(self, images, real, normalize, batch=7, border=None, threads=1):
        self.images, self.normalize = images, normalize
        self.order, self.position = np.arange(len(images))[::-1].copy(), np.zeros(1, np.int64)
        self.program = Program(batch, threads)
        buffer = self.program.border(self.program.buffer((batch, *images.shape[1:]), real), border or Border())
        LOWERINGS["take_images"](self.program, images, self.order, self.position, buffer, normalize)
        self.y = np.zeros(buffer.shape, real)
        self.program.copy(buffer, self.program.external(self.y))
        self.program.finish()

    def check(self, position, batch, images=None):
        """Run on `batch` images from a position on and compare with the loops; returns what came."""
        self.position[0] = position
        self.program.run(batch=batch)
        expected = np.empty((batch, *self.y.shape[1:]), self.y.dtype)
        reference.take_images(self.images if images is None else images, self.order, self.position, expected, self.normalize)
        np.testing.assert_allclose(self.y[:batch], expected, rtol=1e-6, atol=1e-13 if self.y.dtype == np.float64 else 1e-30)
        return self.y[:batch].copy()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("normalize", [0, 1])
@pytest.mark.parametrize("border", [Border(), Border(1, 2, 0, 3)], ids=["plain", "border"])
def test_take_images(rng, shape, kind, real, normalize, border):
    batches = [Batch(pixels(np.random.default_rng(3), kind, 20, *shape), real, normalize, border=border, threads=t) for t in (1, 2)]
    for position, batch in [(0, 7), (7, 7), (14, 6), (5, 1)]:
        one, two = (b.check(position, batch) for b in batches)
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_one_colour_becomes_zeros(kind):
    images = np.empty((4, 9, 5, 3), kind)
    images[:] = np.array([0, 255, 7, 93.1]).astype(kind)[:, None, None, None]
    batch = Batch(images, np.float32, 1, batch=4)
    batch.program.run()
    assert not batch.y.any()


def test_one_pixel_apart_in_images_with_many_pixels():
    """Sums of 32 bits would overflow, and squares minus the square of the mean would cancel."""
    images = np.full((3, 300, 300, 3), 255, np.uint8)
    images[0, 5, 5, 1], images[1, 0, 0, 0], images[2, ::2] = 254, 0, 254
    Batch(images, np.float64, 1, batch=3).check(0, 3)


def test_nan_and_infinity_stay_visible(rng):
    images = pixels(rng, np.float32, 3, 4, 4, 1)
    images[0, 1, 2], images[1, 3, 3] = np.nan, np.inf
    y = Batch(images, np.float32, 1, batch=3).check(0, 3)
    assert np.isnan(y[1:]).all() and np.isfinite(y[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_images_may_change(rng, kind):
    batch = Batch(pixels(rng, kind, 20, 6, 5, 2), np.float32, 1)
    batch.check(0, 7)
    batch.order[:] = rng.permutation(20)
    batch.check(3, 7)
    fewer = pixels(rng, kind, 9, 6, 5, 2)
    batch.order[:] %= 9
    batch.program.bind(batch.images, fewer)
    batch.check(2, 7, fewer)
    batch.check(19, 1, fewer)


@pytest.mark.parametrize(("kind", "shape"), [(np.int64, ()), (np.float32, (3,)), (np.float64, (1,))])
@pytest.mark.parametrize("threads", [1, 2])
def test_labels_are_taken_and_results_stored(rng, kind, shape, threads):
    labels = rng.integers(-5, 100, (20, *shape)).astype(kind)
    order, position = rng.permutation(20), np.zeros(1, np.int64)
    program = Program(8, threads)
    y = program.buffer((8, *shape), kind)
    LOWERINGS["take_labels"](program, labels, order, position, y)
    stored = np.full((20, *shape), -1, np.float64)
    store(program, y, stored, position)
    program.finish()
    program.run()
    position[0] = 8
    program.run()
    position[0] = 16
    program.run(batch=3)
    np.testing.assert_array_equal(stored[:19], labels[order][:19])
    assert (stored[19:] == -1).all()
    others = labels[:12] + 1
    order[:] %= 12
    program.bind(labels, others)
    program.run(batch=4)
    np.testing.assert_array_equal(stored[16:], others[order][16:])


def test_store_takes_bordered_images(rng):
    x, stored, position = rng.normal(size=(5, 3, 4, 2)), np.zeros((9, 3, 4, 2), np.float32), np.array([4])
    program = Program(5, 1)
    buffer = program.border(program.buffer(x.shape, x.dtype), Border(1, 2, 0, 3))
    program.copy(program.external(x), buffer)
    store(program, buffer, stored, position)
    program.finish().run()
    np.testing.assert_array_equal(stored[4:], x.astype(np.float32))
    assert not stored[:4].any()


def test_store_refuses_what_does_not_fit():
    program = Program(4, 1)
    buffer = program.buffer((4, 3), np.float32)
    with pytest.raises(ValueError, match="same sizes behind the first axis"):
        store(program, buffer, np.zeros((9, 2), np.float32), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="C-contiguous"):
        store(program, buffer, np.zeros((3, 9), np.float32).T, np.zeros(1, np.int64))


def scored(name, outputs, labels, threads, *top, batch=None, border=None):
    program = Program(len(outputs), threads)
    source = program.buffer((len(outputs), 1, 1, outputs.shape[1]), outputs.dtype)
    program.copy(program.external(outputs.reshape(source.shape)), source)
    program.border(source, border or Border())
    hits, stored = program.buffer((len(outputs),), np.int64), np.full(len(outputs), -1)
    LOWERINGS[name](program, source.reshaped(outputs.shape), program.external(labels), hits, *top)
    store(program, hits, stored, np.zeros(1, np.int64))
    program.finish().run(batch=batch)
    return stored


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("classes", [1, 2, 10, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_score(rng, real, classes, threads):
    outputs = rng.integers(0, 4, (30, classes)).astype(real)
    outputs[3, -1], outputs[4, 0], outputs[5] = np.nan, np.nan, np.inf
    labels, expected = rng.integers(0, classes, 30), np.empty(30, np.int64)
    for top in (1, 3):
        reference.score(outputs, labels, expected, top)
        np.testing.assert_array_equal(scored("score", outputs, labels, threads, top), expected)
        np.testing.assert_array_equal(scored("score", outputs, labels, threads, top, border=Border(1, 2, 0, 3)), expected)
        np.testing.assert_array_equal(scored("score", outputs, labels, threads, top, batch=7)[:8], [*expected[:7], -1])


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("classes", [1, 3, 20])
def test_score_binary(rng, real, classes):
    targets = rng.integers(0, 2, (30, classes)).astype(real)
    outputs = np.where(rng.random((30, 1)) < 0.5, targets, rng.random((30, classes))).astype(real)
    outputs[3, 0], outputs[4] = np.nan, 0.5
    expected = np.empty(30, np.int64)
    reference.score_binary(outputs, targets, expected)
    np.testing.assert_array_equal(scored("score_binary", outputs, targets, 1), expected)
    np.testing.assert_array_equal(scored("score_binary", outputs, targets, 2), expected)
