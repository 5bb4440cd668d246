"""Images of the public functions, and how they are changed at random: what is read, what is refused, and what the message says."""

import numpy as np
import pytest

from jitcnn import reference as r

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 3, 2, 1)


def test_images_of_every_dtype():
    for dtype in (np.uint8, np.float32, np.float64):
        batch = r.take_images(PIXELS.astype(dtype), [3, 0])
        assert batch.dtype == np.float32
        np.testing.assert_array_equal(batch, PIXELS[[3, 0]])


def test_standardised_images():
    batch = r.take_images(np.concatenate([PIXELS, np.full((1, 3, 2, 1), 9, np.uint8)]), [1, 4], normalize="per-image", dtype="float64")
    assert batch[0].mean() == pytest.approx(0) and batch[0].std() == pytest.approx(1)
    assert np.all(batch[1] == 0)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((PIXELS, [4]), {}, "order reaches from 4 to 4, expected 0 to 3"),
        ((PIXELS, [-1]), {}, "order reaches from -1"),
        ((PIXELS, [1.0]), {}, "order is .*expected at least one integer"),
        ((PIXELS, []), {}, "order is .*expected at least one integer"),
        ((PIXELS[..., 0], [0]), {}, r"images is \(4, 3, 2\), expected 4 axes.*images\[..., None\]"),
        ((PIXELS.astype(int), [0]), {}, "images are int64, expected uint8, float32 or float64"),
        ((PIXELS, [0]), {"normalize": True}, "normalize is True, expected one of None, 'per-image'"),
        ((PIXELS, [0]), {"dtype": "float16"}, "dtype is 'float16', expected one of 'float32', 'float64'"),
        ((PIXELS, [0]), {"out": np.zeros((1, 3, 2, 1), int)}, "expected float32 or float64"),
    ],
)
def test_images_that_are_refused(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        r.take_images(*arguments, **settings)


SEEN = {"seed": 1, "epoch": 0}


def test_mixed_labels_have_a_column_for_each_class():
    assert r.mix_labels([0, 2], [1, 0], mixup=0, **SEEN).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert r.mix_labels([0, 2], [1, 0], mixup=0, classes=4, **SEEN).shape == (2, 4)


@pytest.mark.parametrize(
    ("function", "arguments", "settings", "message"),
    [
        (r.mix_labels, ([0, 2], [0]), {"mixup": 0, "classes": 2}, "labels reach from 0 to 2, expected 0 to 1, the last of 2 classes"),
        (r.mix_labels, ([-1, 2], [0]), {"mixup": 0}, "labels reach from -1 to 2, expected 0 to 2"),
        (r.mix_labels, ([0, 2], [2]), {"mixup": 0}, "order reaches from 2 to 2"),
        (r.mix_labels, ([0, 2], [0]), {"mixup": 0.6}, "mixup is 0.6, expected a number from 0 to 0.5"),
        (r.augment_images, (PIXELS, [0]), {"rotate": 181}, "rotate is 181, expected a number from 0 to 180 degrees"),
        (r.augment_images, (PIXELS, [0]), {"shift": float("nan")}, "shift is nan, expected a number from 0 to 1"),
        (r.augment_images, (PIXELS, [0]), {"epoch": -1}, "epoch is -1"),
        (r.augment_images, (PIXELS.astype(int), [0]), {}, "images are int64, expected uint8, float32 or float64"),
        (r.augment_images, (PIXELS[0], [0]), {}, "images"),
    ],
)
def test_augmentation_that_is_refused(function, arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments, **{**SEEN, **settings})
