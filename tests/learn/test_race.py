"""The race: all ways give the same numbers, and speeds are measured as they say."""

import time

import numpy as np
import pytest

from jitcnn import kernels
from jitcnn.kernels import winograd_choice
from jitcnn.learn import ladder, race


@pytest.mark.parametrize("number", range(1, len(race.ways())))
def test_all_but_the_slowest_give_the_same_numbers(number):
    """On several images; `prepare` looks at one, in every way."""
    images, weights = race.digits()[:3], race.draw_weights()
    _, change, network = race.ways()[number]
    expected = race.by_numpy(images.astype(np.float64), race.Weights(*(w.astype(np.float64) for w in weights)))
    assert np.allclose(network(images, weights), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert change


def test_plain_loops_give_the_same_numbers():
    """On an image of which little is not black, and with few filters: it takes the way through the whole network."""
    weights = race.draw_weights()
    few = race.Weights(
        weights.first[..., :2],
        weights.second[:, :, :2, :2],
        weights.third[:, :, :2, :2],
        weights.dense.reshape(100, 64, 10)[:, :2].reshape(200, 10),
    )
    few = race.Weights(*map(np.ascontiguousarray, few))
    images = race.digits()[:1]
    assert race.ways()[0][0] == "loops"
    assert np.allclose(race.ways()[0][2](images, few), race.by_numpy(images, few), atol=1e-4)


def test_names():
    assert [name for name, _, _ in race.ways()] == ["loops", "NumPy", "@njit", "prange", "tile", "Winograd"]


def test_the_tile_is_direct_and_winograd_is_not(monkeypatch):
    """Forced on all convolutions but the first, which has too few channels for it."""
    used = []
    right = kernels.conv2d

    def conv2d(*arguments, algorithm="auto", **settings):
        used.append(algorithm)
        return right(*arguments, algorithm=algorithm, **settings)

    monkeypatch.setattr(kernels, "conv2d", conv2d)
    for _, _, network in race.ways()[4:]:
        network(race.digits()[:1], race.draw_weights())
    assert used == ["auto", "direct", "direct", "auto", "winograd", "winograd"]
    _, second, third, _ = race.draw_weights()
    assert winograd_choice.choose(second.shape, (1, 1), (12, 12))[0] and winograd_choice.choose(third.shape, (1, 1), (10, 10))[0]


def test_images_per_second():
    calls = []

    def run(images):
        calls.append(images)
        time.sleep(0.001 * images)

    rate, images = ladder.images_per_second(run, most=1000, seconds=0.1)
    assert images == 16  # 1, 4 and 16 images take less than an eighth of the time, or just more
    assert 500 < rate < 1000
    assert calls[:2] == [1, 1]


def test_slow_ways_are_timed_on_one_image():
    calls = []
    rate, images = ladder.images_per_second(lambda images: calls.append(images) or time.sleep(0.02), most=64, seconds=0.1, warm=True)
    assert images == 1
    assert 20 < rate < 50
    assert set(calls) == {1}


def test_a_chart():
    speeds = [ladder.Speed(ladder.Rung(name, "something", print), rate, 4) for name, rate in (("a", 1.0), ("b", 10.0), ("c", 1000.0))]
    lines = ladder.chart(speeds, 42).splitlines()
    assert [len(line) for line in lines[1::3]][:3] == [12, 22, 42]  # two spaces, and ten cells for each factor of ten
    assert lines[6] == "c             1,000 images/s  100 x the line before, 1,000 x a"
