"""Each change of an image against its definition, by NumPy."""

import numpy as np
import pytest

from jitcnn.forms.augment import settings

IMAGES = np.random.default_rng(1).integers(0, 256, (6, 9, 12, 2), np.uint8)
ORDER = np.array([4, 0, 3, 5, 1, 2])


@pytest.fixture
def augment(run):
    """`augment(images, order, …)`: float64 images, standardised only if asked."""

    def call(images=IMAGES, order=ORDER, position=0, count=None, epoch=0, seed=5, normalize=0, **amounts):
        count = len(order) - position if count is None else count
        y, turn = np.full((count, *images.shape[1:]), np.nan), np.array([epoch, len(order)])
        run("augment_images", images, order, np.array([position]), turn, settings(**amounts), y, normalize, seed)
        return y

    return call


def test_nothing_asked_for_changes_nothing(augment):
    np.testing.assert_array_equal(augment(), IMAGES[ORDER])


def test_standardised_like_take_images(augment, run):
    y = np.empty((6, 9, 12, 2))
    run("take_images", IMAGES, ORDER, np.array([0]), y, 1)
    np.testing.assert_allclose(augment(normalize=1), y, atol=1e-12)
    assert not augment(np.full((1, 5, 5, 1), 7, np.uint8), np.array([0]), normalize=1, noise=1, brightness=1).any()


def test_flip_mirrors_columns_of_about_the_share_asked_for(augment):
    np.testing.assert_array_equal(augment(flip=1), IMAGES[ORDER][:, :, ::-1])
    strip = np.tile(np.array([0, 1], np.uint8).reshape(1, 1, 2, 1), (1000, 1, 1, 1))
    mirrored = augment(strip, np.arange(1000), flip=0.3)[:, 0, 0, 0]
    assert set(mirrored) == {0, 1} and 250 < mirrored.sum() < 350


def test_a_shift_moves_by_at_most_its_share_and_repeats_the_edge(augment):
    ramp = np.arange(101, dtype=np.uint8).reshape(1, 101, 1, 1) * np.ones((400, 1, 1, 1), np.uint8)
    middle = augment(ramp, np.arange(400), shift=0.2)[:, 50, 0, 0] - 50
    assert -20.2 <= middle.min() < -18 and 18 < middle.max() <= 20.2 and abs(middle.mean()) < 2
    moved = augment(ramp, np.arange(400), shift=0.2)
    for image, by in zip(moved[:20, :, 0, 0], middle[:20], strict=True):
        np.testing.assert_allclose(image, np.clip(np.arange(101) + by, 0, 100), atol=1e-9)


def slopes(image):
    """Of an image of a plane, how far its value goes from one row, and one column, to the next in the middle."""
    i, j = image.shape[0] // 2, image.shape[1] // 2
    return image[i + 1, j, 0] - image[i, j, 0], image[i, j + 1, 0] - image[i, j, 0]


@pytest.fixture
def planes():
    """Images whose value is the column's number, and the row's: affine maps are exact on them."""
    rows, columns = np.mgrid[0.0:15.0, 0.0:15.0]
    return (np.tile(plane[None, ..., None], (120, 1, 1, 1)) for plane in (rows, columns))


def test_rotation_is_one_within_its_angle(augment, planes):
    (down_r, right_r), (down_c, right_c) = (slopes_of(augment(plane, np.arange(120), rotate=30)) for plane in planes)
    np.testing.assert_allclose(down_r, right_c, atol=1e-9)
    np.testing.assert_allclose(right_r, -down_c, atol=1e-9)
    np.testing.assert_allclose(down_r**2 + right_r**2, 1, atol=1e-9)
    angles = np.degrees(np.arctan2(down_c, right_c))
    assert -30 <= angles.min() < -27 and 27 < angles.max() <= 30 and abs(angles.mean()) < 6


def slopes_of(images):
    return np.transpose([slopes(image) for image in images])


def test_scale_is_the_same_in_both_directions(augment, planes):
    (down, _), (_, right) = (slopes_of(augment(plane, np.arange(120), scale=0.5)) for plane in planes)
    np.testing.assert_allclose(down, right, atol=1e-9)
    assert 0.5 <= 1 / down.max() < 0.55 and 1.4 < 1 / down.min() <= 1.5


def test_shear_leaves_rows_where_they_are(augment, planes):
    (down_r, right_r), (down_c, right_c) = (slopes_of(augment(plane, np.arange(120), shear=20)) for plane in planes)
    np.testing.assert_allclose(down_r, 1, atol=1e-9)
    np.testing.assert_allclose(right_r, 0, atol=1e-9)
    np.testing.assert_allclose(right_c, 1, atol=1e-9)
    assert np.degrees(np.arctan(np.abs(down_c).max())) == pytest.approx(20, abs=1)


def test_the_middle_stays(augment, planes):
    for plane in planes:
        y = augment(plane, np.arange(120), rotate=30, scale=0.5, shear=20, flip=0.5)
        np.testing.assert_allclose(y[:, 7, 7], plane[:, 7, 7], atol=1e-9)


def test_brightness_adds_and_contrast_multiplies_about_the_mean(augment):
    chosen = IMAGES[ORDER].astype(float)
    added = augment(brightness=0.3) - chosen
    extent = np.ptp(chosen, axis=(1, 2, 3))
    np.testing.assert_allclose(added, added[:, :1, :1, :1] * np.ones_like(added), atol=1e-9)
    assert (np.abs(added[:, 0, 0, 0]) <= 0.3 * extent).all() and np.ptp(added[:, 0, 0, 0]) > 0
    means = chosen.mean(axis=(1, 2, 3), keepdims=True)
    factors = (augment(contrast=0.5) - means) / (chosen - means)
    np.testing.assert_allclose(factors, factors[:, :1, :1, :1] * np.ones_like(factors), rtol=1e-9)
    assert (np.abs(factors - 1) <= 0.5 + 1e-9).all() and np.ptp(factors) > 0


def test_brightness_means_the_same_for_bytes_and_for_floats(augment):
    bytes_, floats = (augment(images, brightness=0.3, contrast=0.2, noise=0.1) for images in (IMAGES, IMAGES / 255))
    np.testing.assert_allclose(bytes_ / 255, floats, atol=1e-9)


def test_erasing_writes_the_mean_into_one_rectangle(augment):
    images = np.random.default_rng(2).integers(0, 256, (150, 20, 10, 3), np.uint8)
    y = augment(images, np.arange(150), erase=0.5)
    heights = []
    for image, changed in zip(images.astype(float), y, strict=True):
        where = (changed != image).any(axis=2)
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        heights.append(len(rows))
        if len(rows):
            box = changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            np.testing.assert_allclose(box, image.mean(), atol=1e-9)
            assert len(rows) == np.ptp(rows) + 1 <= 10 and len(columns) == np.ptp(columns) + 1 <= 5
    assert min(heights) == 0 and max(heights) == 10


def test_noise_is_about_normal(augment):
    images = np.zeros((50, 40, 50, 1), np.uint8)
    images[:, 0, 0] = 200
    noise = augment(images, np.arange(50), noise=0.1) - images
    deviations = noise.std(axis=(1, 2, 3))
    assert deviations.max() <= 0.1 * 200 * 1.05 and deviations.min() < 4 and deviations.max() > 16
    shown = noise[deviations.argmax()] / deviations.max()
    assert abs(shown.mean()) < 0.1 and 0.6 < (np.abs(shown) < 1).mean() < 0.75 and np.abs(shown).max() > 2.5
    assert abs(np.corrcoef(shown[:-1].ravel(), shown[1:].ravel())[0, 1]) < 0.1


def test_mixup_is_a_mixture_with_an_image_of_the_order(augment, run):
    """Pictures that are one-hot: a mixture says what was mixed, and labels must agree with it."""
    images = np.eye(8).reshape(8, 1, 8, 1)
    order = np.array([6, 2, 5, 1, 7])  # the others are never seen
    y = augment(images, order, mixup=0.5)[:, 0, :, 0]
    np.testing.assert_allclose(y.sum(axis=1), 1)
    assert (y[np.arange(5), order] >= 0.5).all() and not y[:, [0, 3, 4]].any() and (y > 0).sum() > 7
    labels, amounts = np.full((5, 8), np.nan), settings(mixup=0.5)
    run("mix_labels", np.arange(8), order, np.array([0]), np.array([0, 5]), amounts, labels, 5)
    np.testing.assert_allclose(labels, y, atol=1e-15)
    run("mix_labels", np.eye(8), order, np.array([0]), np.array([0, 5]), amounts, labels, 5)
    np.testing.assert_allclose(labels, y, atol=1e-15)


EVERYTHING = {"shift": 0.1, "rotate": 20, "flip": 0.5, "brightness": 0.2, "contrast": 0.3, "erase": 0.4, "noise": 0.1}


def test_an_image_is_drawn_for_by_its_number_alone(augment):
    """Neither its batch nor its place in the order matters; epoch and seed do."""
    y = dict(zip(ORDER.tolist(), augment(**EVERYTHING), strict=True))
    np.testing.assert_array_equal(augment(position=3, count=2, **EVERYTHING), [y[5], y[1]])
    np.testing.assert_array_equal(augment(order=np.array([1, 1, 0]), **EVERYTHING), [y[1], y[1], y[0]])
    for other in ({"epoch": 1}, {"seed": 6}):
        assert not np.isclose(augment(**other, **EVERYTHING), augment(**EVERYTHING)).all(axis=(1, 2, 3)).any()
    same = np.repeat(IMAGES[:1], 2, axis=0)
    first, second = augment(same, np.arange(2), **EVERYTHING)
    assert not np.allclose(first, second)
