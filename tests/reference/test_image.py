import numpy as np
import pytest

ORDER = np.array([4, 0, 3, 3, 1, 2])


@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 4, 3, 2), (5, 1, 2, 1)])
def test_images(run, rng, source, dtype, shape):
    images = (255 * rng.uniform(size=shape)).astype(source)
    y = np.full((3, *shape[1:]), np.nan, dtype)
    run("take_images", images, ORDER, np.array([2]), y, 0)
    chosen = images[[3, 3, 1]].astype("float64")
    np.testing.assert_array_equal(y, chosen.astype(dtype))
    run("take_images", images, ORDER, np.array([2]), y, 1)
    expected = (chosen - chosen.mean(axis=(1, 2, 3), keepdims=True)) / chosen.std(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(y, expected, rtol=1e-12 if dtype == "float64" else 1e-6, atol=1e-12 if dtype == "float64" else 1e-6)


@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("colour", [0, 7, 0.1, 254.3])
def test_an_image_of_one_colour_becomes_zeros(run, source, colour):
    images, y = np.full((1, 28, 28, 1), colour).astype(source), np.empty((1, 28, 28, 1))
    run("take_images", images, np.array([0]), np.array([0]), y, 1)
    np.testing.assert_array_equal(y, 0)


def test_a_small_variation_on_a_large_base(run, rng):
    """One pass over sums of squares would lose these digits."""
    pattern = rng.normal(size=(1, 8, 8, 1))
    y = np.empty_like(pattern)
    run("take_images", 1e6 + pattern, np.array([0]), np.array([0]), y, 1)
    np.testing.assert_allclose(y, (pattern - pattern.mean()) / pattern.std(), atol=1e-8)


@pytest.mark.parametrize("normalize", [0, 1])
def test_nan_stays_in_its_image(run, normalize):
    images, y = np.arange(24.0).reshape(2, 2, 3, 2), np.empty((2, 2, 3, 2))
    images[0, 0, 0, 0] = np.nan
    run("take_images", images, np.array([0, 1]), np.array([0]), y, normalize)
    assert np.isnan(y[0, 0, 0, 0])
    assert np.isnan(y[0]).all() == (normalize == 1)
    assert np.isfinite(y[1]).all()


def test_labels(run, rng):
    numbers, rows = np.arange(10, 15), rng.normal(size=(5, 3))
    y, y_rows = np.full(3, -1), np.full((3, 3), np.nan)
    run("take_labels", numbers, ORDER, np.array([3]), y)
    run("take_labels", rows, ORDER, np.array([3]), y_rows)
    np.testing.assert_array_equal(y, [13, 11, 12])
    np.testing.assert_array_equal(y_rows, rows[[3, 1, 2]])


def test_score(run, rng):
    outputs, labels, hits = rng.normal(size=(50, 4)), rng.integers(0, 4, 50), np.full(50, -1)
    run("score", outputs, labels, hits, 1)
    np.testing.assert_array_equal(hits, outputs.argmax(axis=1) == labels)
    for top in (2, 3, 4):
        run("score", outputs, labels, hits, top)
        np.testing.assert_array_equal(hits, (np.argsort(-outputs, axis=1)[:, :top] == labels[:, None]).any(axis=1))


def test_score_of_equals_counts_the_first(run):
    hits = np.full(2, -1)
    for top, expected in ((1, [1, 0]), (2, [1, 1])):
        run("score", np.array([[1.0, 3.0, 3.0], [1.0, 3.0, 3.0]]), np.array([1, 2]), hits, top)
        np.testing.assert_array_equal(hits, expected)


def test_nan_is_never_right(run):
    hits = np.full(4, -1)
    outputs = np.array([[np.nan, 3.0, 2.0], [1.0, np.nan, 2.0], [np.nan, 3.0, 2.0], [np.nan] * 3])
    run("score", outputs, np.array([0, 1, 1, 0]), hits, 1)
    np.testing.assert_array_equal(hits, 0)
    run("score", outputs, np.array([0, 1, 1, 0]), hits, 2)
    np.testing.assert_array_equal(hits, [0, 0, 1, 0])


def test_score_binary(run, rng):
    outputs, targets, hits = rng.uniform(size=(50, 2)), rng.integers(0, 2, (50, 2)).astype(float), np.full(50, -1)
    outputs[0], targets[0] = 0.5, 0.0
    run("score_binary", outputs, targets, hits)
    np.testing.assert_array_equal(hits, ((outputs > 0.5) == (targets > 0.5)).all(axis=1))
    assert hits[0] == 1
