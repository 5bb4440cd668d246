"""What `jitcnn data check` finds: planted copies, blanks and wrong labels, and nothing else."""

import io
import os

import numpy as np
import pytest

from jitcnn.data import checking, mnist
from jitcnn.data.checking import Pair


def scenes(count, rows=40, columns=56, seed=0):
    """Smooth random pictures, light and shade more than colours, no two alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 180, (count, 6, 8, 1)) + rng.uniform(0, 75, (count, 6, 8, 3))
    by_rows, by_columns = (interpolation(size, n) for size, n in ((rows, 6), (columns, 8)))
    return np.einsum("ri,nijc,sj->nrsc", by_rows, coarse, by_columns).astype(np.uint8)


def interpolation(size, n):
    places = np.linspace(0, n - 1, size)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(n)))


def test_exact_duplicates_name_the_first_one():
    images = scenes(20)
    images[7] = images[12] = images[3]
    assert checking.exact_duplicates([images, images[[5, 19]]]) == [Pair(3, 7), Pair(3, 12), Pair(5, 20), Pair(19, 21)]
    one_off = images.copy()
    one_off[7, 3, 2, 1] ^= 1
    assert Pair(3, 7) not in checking.exact_duplicates([one_off])


def jpeg(image, quality):
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def smaller(image):
    from PIL import Image

    size = image.shape[1::-1]
    return np.asarray(Image.fromarray(image).resize((size[0] // 2, size[1] // 2)).resize(size))


CHANGES = {
    "compressed": lambda image: jpeg(image, 40),
    "made smaller": smaller,
    "darker": lambda image: (image * 0.7).astype(np.uint8),
    "less contrast": lambda image: (60 + image * 0.4).astype(np.uint8),
    "a few specks": lambda image: np.where(np.random.default_rng(1).random(image.shape) < 0.01, 255, image).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_near_duplicates_are_found_and_nothing_else(change):
    pytest.importorskip("PIL")
    images = scenes(300)
    assert checking.near_duplicates([images]) == []
    copies = np.stack([change(image) for image in images[::10]])
    assert checking.near_duplicates([images, copies]) == [Pair(10 * n, 300 + n) for n in range(30)]


def test_grey_images_and_floats_and_images_smaller_than_a_thumbnail():
    images = scenes(100, 9, 11)[..., :1] / 255
    noisy = images[:20] + np.random.default_rng(0).normal(0, 0.005, images[:20].shape)
    assert checking.near_duplicates([images, noisy]) == [Pair(n, 100 + n) for n in range(20)]


def test_one_or_two_images():
    images = scenes(2)
    assert checking.near_duplicates([images[:1]]) == [] == checking.near_duplicates([images])
    assert checking.near_duplicates([images[:1], images[:1]]) == [Pair(0, 1)]


def test_compressed_drawings():
    """Whose areas of one colour compression makes uneven."""
    pytest.importorskip("PIL")
    rng = np.random.default_rng(0)
    images = np.empty((40, 40, 56, 3), np.uint8)
    for image in images:
        paper, ink, (top, left) = rng.integers(170, 250, 3), rng.integers(0, 80, 3), rng.integers(3, 18, 2)
        image[:] = paper
        image[top : top + rng.integers(8, 20), left : left + rng.integers(8, 35)] = ink
    copies = np.stack([jpeg(image, 60) for image in images])
    assert {Pair(n, 40 + n) for n in range(40)} <= set(checking.near_duplicates([images, copies]))


def test_all_digits():
    (x, _), (x_test, _) = mnist.load()
    assert checking.exact_duplicates([x, x_test]) == []
    assert len(checking.near_duplicates([x, x_test])) < 20


def test_nearly_blank():
    images = scenes(10)
    images[3], images[8] = 200, np.random.default_rng(0).integers(98, 103, images[8].shape)
    assert checking.nearly_blank([images[:5], images[5:]]) == [3, 8]
    assert checking.nearly_blank([images / 255.0]) == [3, 8]


def test_odd_sizes(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    sizes = {"wide": (900, 300), "high": (300, 700), "tiny": (60, 70), "large": (1700, 1800), "usual": (420, 380)}
    for name, size in [*((f"{n}", (400 + n, 390)) for n in range(10)), *sizes.items()]:
        (tmp_path / "class").mkdir(exist_ok=True)
        Image.new("L", size).save(tmp_path / "class" / f"{name}.PNG")
    (tmp_path / "class" / "text.png").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    assert checking.odd_sizes(tmp_path) == {f"class/{name}.PNG": sizes[name] for name in ("high", "large", "tiny", "wide")}
    assert checking.odd_sizes(tmp_path / "class" / "..") == checking.odd_sizes(tmp_path)
    os.mkfifo(tmp_path / "class" / "pipe.png")  # which nobody writes to: opening it would wait for ever
    assert len(checking.odd_sizes(tmp_path)) == 4
    (tmp_path / "empty").mkdir()
    assert checking.odd_sizes(tmp_path / "empty") == {}


def test_sizes_of_pictures_that_all_differ_are_odd_only_far_beyond(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    for number in range(20):
        Image.new("L", (20 * 2 ** (number % 4), 20 * 2 ** (number % 4))).save(tmp_path / f"{number}.png")
    assert checking.odd_sizes(tmp_path) == {}
    Image.new("L", (1, 1)).save(tmp_path / "dot.png")
    assert checking.odd_sizes(tmp_path) == {"dot.png": (1, 1)}


def test_small_classes():
    labels = np.repeat([0, 1, 3], [10, 9, 30])
    assert checking.small_classes(labels, ["many", "few", "none", "most"]) == {"few": 9, "none": 0}


def test_suspects_come_by_how_unlikely_their_label_is():
    outputs = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.0, 1.0], [0.55, 0.45]])
    found = checking.suspects(outputs, np.array([0, 0, 0, 0, 1]), 3)
    assert [suspect.number for suspect in found] == [3, 2, 1]
    assert found[1][:4] == (2, 0, 1, 0.8) and found[1].loss == pytest.approx(-np.log(0.2))
    assert np.isfinite(found[0].loss)
