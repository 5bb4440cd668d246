"""What users pass as images: each fault is a precise sentence that says what to do."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten
from jitcnn.inputs import as_images
from tests.foreign_arrays import DLPack

SHAPE = (28, 28, 1)


def zeros(*shape, dtype=np.float32):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("x", "input_shape", "message"),
    [
        (zeros(60, 28, 28), SHAPE, r"x is \(60, 28, 28\): add the channel axis, x\[\.\.\., None\]"),
        (zeros(28, 28), SHAPE, r"x is \(28, 28\): add the channel axis, x\[\.\.\., None\]"),
        (zeros(28, 28, 1), SHAPE, r"x is \(28, 28, 1\), one image: add the image axis, x\[None\]"),
        (zeros(9, 1, 28, 28), SHAPE, r"channels before rows and columns: give x.transpose\(0, 2, 3, 1\)"),
        (zeros(9, 3, 32, 30), (32, 30, 3), r"channels before rows and columns: give x.transpose\(0, 2, 3, 1\)"),
        (zeros(3, 32, 30), (32, 30, 3), r"channels before rows and columns: give x.transpose\(1, 2, 0\)"),
        (zeros(9, 28, 28, 3), SHAPE, "with 3 channels: the model takes images of .*, with 1"),
        (zeros(9, 27, 28, 1), SHAPE, r"x is \(9, 27, 28, 1\): the model takes images of \(28, 28, 1\)"),
        (zeros(9, 784), SHAPE, r"give x.reshape\(-1, 28, 28, 1\)"),
        (zeros(0, 28, 28, 1), SHAPE, "it holds no images"),
        (zeros(9, 28, 28, 1, dtype=np.int64), SHAPE, r"x is int64, expected uint8, float32 or float64: give x.astype\(np.uint8\)"),
        (zeros(9, 28, 28, 1, dtype=np.float16), SHAPE, r"x is float16, .* give x.astype\(np.float32\)"),
        (zeros(9, 28, 28, 1, dtype=bool), SHAPE, r"x is bool, .* give x.astype\(np.float32\)"),
        (zeros(9, 28, 28, 1, dtype=">f4"), SHAPE, "x is >f4, expected"),
        ("digits", SHAPE, "x is <U6"),
        (zeros(9, 28, 28), (784,), r"give x.reshape\(len\(x\), -1\), or start the model with Flatten"),
        (zeros(784), (784,), r"one row: .*: give x\[None\]"),
        (zeros(9, 7), (784,), r"x is \(9, 7\): the model takes rows of 784 features"),
        (zeros(9, 28, 28), None, r"add the channel axis, x\[\.\.\., None\], or for one image the image axis"),
        (
            zeros(9, 3, 32, 32),
            None,
            r"looks like channels before rows and columns: give x.transpose\(0, 2, 3, 1\), or input_shape=\(3, 32, 32\)",
        ),
        (zeros(9), None, r"x is \(9,\), expected \(images, rows, columns, channels\)"),
    ],
)
def test_faults(x, input_shape, message):
    with pytest.raises(ValueError, match=message):
        as_images(x, input_shape)


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@pytest.mark.parametrize("at", [0, 2345, 2999])
def test_not_a_number(value, kind, at):
    x = zeros(3000, 28, 28, 1)
    x[at, 3, 4, 0] = value
    with pytest.raises(ValueError, match=f"x contains {kind} in image {at}: "):
        as_images(x, SHAPE)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_are_taken_as_they_are(dtype):
    x = zeros(5, 28, 28, 1, dtype=dtype)
    assert np.shares_memory(as_images(x, SHAPE), x)
    assert np.shares_memory(as_images(x[..., 0][..., None], SHAPE), x)


def test_arrays_of_others_are_taken_as_they_are():
    x = zeros(5, 28, 28, 1)
    assert np.shares_memory(as_images(DLPack(x), SHAPE), x)


def test_read_only_and_strided_images():
    x = np.random.default_rng(0).integers(0, 255, (6, 1, 8, 8)).astype(np.uint8)
    model = CNN([Conv2d(2, input_shape=(8, 8, 1)), Flatten(), Dense(2)], seed=0, engine="python")
    turned = x.transpose(0, 2, 3, 1)
    expected = model.predict(turned.copy())
    assert np.array_equal(model.predict(turned), expected)
    frozen = turned.copy()
    frozen.flags.writeable = False
    assert np.array_equal(model.predict(frozen), expected)
    assert np.array_equal(model.predict(turned[::2]), expected[::2])
