"""Labels as users pass them, and the validation share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitcnn.initializers import generator
from jitcnn.labels import as_targets, proportional, validation_split

SOFTMAX = {"wants_classes": True, "shares": True}
SIGMOID = {"wants_classes": False, "shares": True}
SQUARES = {"wants_classes": False, "shares": False}


def targets(y, outputs, loss, accuracy=True, dtype=np.float32):
    shape = outputs if isinstance(outputs, tuple) else (outputs,)
    return as_targets(y, len(y), shape, accuracy=accuracy, dtype=dtype, **loss)


@pytest.mark.parametrize(
    "y",
    [
        [2, 0, 1],
        np.array([2, 0, 1], np.uint8),
        np.array([[2], [0], [1]]),
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], bool),
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], np.float64),
    ],
)
def test_classes(y):
    found = targets(y, 3, SOFTMAX)
    assert found.targets.dtype == np.int64
    assert found.targets.tolist() == found.classes.tolist() == [2, 0, 1]
    for loss in (SIGMOID, SQUARES):
        found = targets(y, 3, loss)
        assert found.targets.dtype == np.float32
        assert found.targets.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
        assert found.classes.tolist() == [2, 0, 1]


def test_booleans():
    assert targets([True, False], 2, SOFTMAX).targets.tolist() == [1, 0]
    found = targets([True, False], 1, SIGMOID)
    assert found.targets.tolist() == [[1], [0]]
    assert found.classes.tolist() == [1, 0]


def test_numbers():
    found = targets([0.25, 0.75], 1, SIGMOID)
    assert found.targets.tolist() == [[0.25], [0.75]]
    assert found.classes is None
    found = targets([[0.5, 3.0], [-1.0, 2.0]], 2, SQUARES, accuracy=False, dtype=np.float64)
    assert found.targets.dtype == np.float64
    pictures = np.random.default_rng(0).random((3, 4, 4, 1))
    assert targets(pictures, (4, 4, 1), SQUARES, accuracy=False).targets.shape == (3, 16)


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "message"),
    [
        ([0, 3, 1], 3, SOFTMAX, "y has the label 3 at 1, and the model 3 classes, 0 to 2: see the last layer"),
        ([1, 2, 3], 3, SOFTMAX, "labels from 1 to 3 become y - 1"),
        ([0, -1], 3, SOFTMAX, "y has the label -1 at 1"),
        ([0.0, 1.0], 3, SOFTMAX, r"expected class numbers: give y.astype\(int\)"),
        ([[0, 1], [1, 0]], 3, SOFTMAX, r"y is \(2, 2\), and the model has 3 outputs"),
        ([[0.5, 0.5], [1, 0]], 2, SOFTMAX, r"y has \[0.5 0.5\] at 0, which is not one-hot"),
        ([[1, 1], [1, 0]], 2, SOFTMAX, "not one-hot"),
        (["cat", "dog"], 2, SOFTMAX, "y is <U3 .* expected class numbers"),
        ([0, 2], 1, SIGMOID, "y has 2 at 1: targets of a sigmoid lie from 0 to 1"),
        ([[0.5, 1.5]], 2, SIGMOID, r"y has \[0.5 1.5\] at 0: targets of a sigmoid"),
        ([[0.5, 0.5, 0.5]], 2, SQUARES, r"y is \(1, 3\), and the model's output is \(2,\)"),
        ([[0.5, 3.0]], 2, SQUARES, r"y holds numbers, not classes, so there is no accuracy: compile with metrics=\(\)"),
        ([0.5, np.nan], 1, SQUARES, "y contains NaN in label 1"),
    ],
)
def test_faults(y, outputs, loss, message):
    with pytest.raises(ValueError, match=message):
        targets(y, outputs, loss)


def test_length():
    with pytest.raises(ValueError, match="x has 5 images and y has 2 labels"):
        as_targets([0, 1], 5, (2,), accuracy=True, dtype=np.float32, **SOFTMAX)


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**63 - 1),
)
def test_validation_share(sizes, share, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    wanted = round(len(classes) * share)
    if not 0 < wanted < len(classes):
        with pytest.raises(ValueError, match="which leaves none to"):
            validation_split(len(classes), share, classes, generator(seed, 0))
        return
    training, validation = validation_split(len(classes), share, classes, generator(seed, 0))
    assert len(validation) == wanted
    assert np.array_equal(np.sort(np.concatenate([training, validation])), np.arange(len(classes)))
    counts = np.bincount(classes[validation], minlength=len(sizes))
    assert (np.abs(counts - np.array(sizes) * wanted / len(classes)) < 2).all()
    again = validation_split(len(classes), share, classes, generator(seed, 0))
    assert np.array_equal(again[1], validation)


def test_validation_share_without_classes():
    training, validation = validation_split(100, 0.2, None, generator(1, 0))
    assert len(validation) == 20
    assert not set(training) & set(validation)
    assert not np.array_equal(validation, validation_split(100, 0.2, None, generator(2, 0))[1])


def test_one_of_each_class_stays_to_train_on():
    assert proportional(np.array([2, 2, 2, 1]), 3).tolist() == [1, 1, 1, 0]
    assert proportional(np.array([1, 1, 10]), 6).tolist() == [0, 0, 6]
