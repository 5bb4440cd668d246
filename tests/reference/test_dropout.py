import numpy as np
import pytest

from jitcnn.reference.compiled import compiled
from jitcnn.reference.dropout import image_key, mix, random_bits

HALF = 2**31
SEEDS = [0, 1, -1, 7, 2**31, 2**32 - 1, 2**32, -(2**31) - 5, 2**62 + 12345, 2**63 - 1, -(2**63)]
STEPS = [0, 1, 937, 2**31, 2**32 + 1, 2**62]


def uint64_mix(h):
    """The same hash in NumPy's unsigned 64 bits, which wrap: an implementation without big integers."""
    h = h ^ h >> np.uint64(16)
    h = h * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)
    h = h ^ h >> np.uint64(13)
    h = h * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    return h ^ h >> np.uint64(16)


def uint64_bits(seed, step, images, elements):
    n, i = np.arange(images, dtype=np.uint64)[:, None], np.arange(elements, dtype=np.uint64)[None]
    seed, step, mask = np.array([seed % 2**64], np.uint64), np.array([step % 2**64], np.uint64), np.uint64(0xFFFFFFFF)
    step_key = uint64_mix(seed * np.uint64(0x9E3779B1) + step & mask)
    key = uint64_mix(step_key + n * np.uint64(0x85EBCA77) & mask)
    return uint64_mix(i * np.uint64(0xC2B2AE3D) + key & mask)


@pytest.mark.parametrize("seed", SEEDS)
def test_hash_is_the_same_on_wrapping_integers(seed):
    for step in STEPS:
        ours = [[random_bits(image_key(seed, step, n), i) for i in range(50)] for n in range(5)]
        np.testing.assert_array_equal(ours, uint64_bits(seed, step, 5, 50))


@pytest.mark.parametrize("seed", SEEDS)
def test_same_elements_compiled_or_not(run, seed):
    for step in STEPS:
        y = np.full((5, 4, 6), np.nan)
        run("dropout", np.ones((5, 4, 6)), y, HALF, seed, np.array([step]))
        np.testing.assert_array_equal(y.reshape(5, 24), np.where(uint64_bits(seed, step, 5, 24) < HALF, 0.0, 2.0))


def test_mix_keeps_different_numbers_different():
    numbers = np.concatenate([np.arange(2**16), 2**32 - 1 - np.arange(2**16), np.arange(2**16) << 16])
    distinct = np.unique(numbers)
    assert len(np.unique(uint64_mix(distinct.astype(np.uint64)))) == len(distinct)
    assert mix(0xFFFFFFFF) == uint64_mix(np.array([0xFFFFFFFF], np.uint64))[0]


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2, 0.5, 0.9, 0.999])
def test_rate_and_expectation(rate):
    x, y, count = np.ones((64, 10000)), np.empty((64, 10000)), 640000
    for step in (1, 2):
        compiled("dropout")(x, y, round(rate * 2**32), 3, np.array([step]))
        deviation = np.sqrt(rate * (1 - rate) / count)
        assert abs(np.mean(y == 0) - rate) <= 4 * deviation
        assert abs(y.mean() - 1) <= 4 * deviation / (1 - rate)
        np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_elements_are_independent_of_each_other():
    """Seeds, steps, images and neighbours share no pattern: correlations of 100,000 bits stay below five deviations."""
    masks = {(seed, step): uint64_bits(seed, step, 2, 50001) < HALF for seed in (1, 2) for step in (1, 2)}
    first = masks[1, 1][:, :-1].ravel()
    for other in (masks[1, 2][:, :-1], masks[2, 1][:, :-1], masks[2, 2][:, :-1], masks[1, 1][::-1, :-1], masks[1, 1][:, 1:]):
        assert abs(np.corrcoef(first, other.ravel())[0, 1]) < 5 / np.sqrt(first.size)


def test_an_image_has_the_same_mask_at_any_batch_size(run):
    large, small = np.empty((6, 30)), np.empty((2, 30))
    run("dropout", np.ones((6, 30)), large, HALF, 5, np.array([9]))
    run("dropout", np.ones((2, 30)), small, HALF, 5, np.array([9]))
    np.testing.assert_array_equal(large[:2], small)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_place_and_as_its_own_gradient(run, rng, dtype):
    x = rng.normal(size=(3, 4, 4, 2)).astype(dtype)
    y, mask = np.empty_like(x), np.empty_like(x)
    run("dropout", x, y, 10**9, 5, np.array([4]))
    run("dropout", np.ones_like(x), mask, 10**9, 5, np.array([4]))
    np.testing.assert_allclose(y, x * mask, rtol=1e-6)
    run("dropout", x, x, 10**9, 5, np.array([4]))
    np.testing.assert_array_equal(x, y)


def test_limits_of_the_threshold(run):
    x, y = np.full((1, 1000), 3.0), np.empty((1, 1000))
    run("dropout", x, y, 0, 1, np.array([1]))
    np.testing.assert_array_equal(y, x)
    run("dropout", x, y, 2**32 - 1, 1, np.array([1]))
    assert np.isfinite(y).all()
    assert (y == 0).mean() > 0.99


def test_nan_stays_even_where_it_is_dropped(run):
    y = np.empty((1, 100))
    run("dropout", np.full((1, 100), np.nan), y, HALF, 1, np.array([1]))
    assert np.isnan(y).all()
