"""Labels and targets of the public losses: how they may be written, what is refused, and what the message says."""

import numpy as np
import pytest

from jitcnn import reference as r

LOGITS = np.array([[1.0, 2.0, 3.0], [3.0, 0.0, 1.0]])


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0],
        np.array([2, 0], np.uint8),
        np.array([2, 0], np.uint64),
        [[0, 0, 1], [1, 0, 0]],
        np.array([[0, 0, 1], [1, 0, 0]], np.float16),
        np.array([[0, 0, 1], [1, 0, 0]], bool),
    ],
)
def test_ways_to_write_labels(labels):
    loss, grad = r.cross_entropy(LOGITS, labels)
    assert type(loss) is float
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.log([p[0, 2], p[1, 0]]).mean())
    np.testing.assert_allclose(grad, (p - [[0, 0, 1], [1, 0, 0]]) / 2)
    assert r.score(LOGITS, labels).tolist() == [1, 1]


def test_boolean_labels_of_two_classes():
    assert r.cross_entropy([[0.0, 1.0]], np.array([True]))[0] == r.cross_entropy([[0.0, 1.0]], [1])[0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([2, 3], r"labels\[1\] is 3, expected 0 to 2, as logits have 3 classes"),
        ([-1, 0], r"labels\[0\] is -1, expected 0 to 2"),
        (np.array([2**64 - 1, 0], np.uint64), r"labels\[0\] is 18446744073709551615, expected 0 to 2"),
        ([2.0, 0.0], r"labels are float64, expected integers or booleans: give labels.astype"),
        ([float("nan"), 0.0], "labels are float64"),
        ([0], r"labels are \(1,\), expected \(2,\) class numbers or \(2, 3\) one-hot rows"),
        ([[2], [0]], r"labels are \(2, 1\), expected"),
        ([[0, 1, 1], [1, 0, 0]], r"labels\[0\] is \[0, 1, 1\], expected a one-hot row"),
        ([[1, 0, 0], [0, 0, 0]], r"labels\[1\] is \[0, 0, 0\], expected a one-hot row"),
        ([[1, 0, 0], [0, 2, 0]], r"labels\[1\]"),
        ([[1, 0, 0], [0, float("nan"), 0]], r"labels\[1\]"),
        (["2", "0"], "labels are <U1"),
        ([["0", "0", "1"], ["0", "0", "1"]], "labels are <U1, expected numbers"),
    ],
)
def test_labels_that_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        r.cross_entropy(LOGITS, labels)


ROWS = [[1, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize("targets", [ROWS, np.array(ROWS, bool), np.array(ROWS, np.float32)])
def test_ways_to_write_targets(targets):
    loss, grad = r.cross_entropy(LOGITS, targets, kind="binary")
    p, t = 1 / (1 + np.exp(-LOGITS)), np.array(targets, float)
    assert loss == pytest.approx(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))
    np.testing.assert_allclose(grad, (p - t) / 6)


def test_targets_of_one_class():
    assert r.cross_entropy([[1.0], [2.0]], [True, False], kind="binary")[0] == r.binary_cross_entropy([[1.0], [2.0]], [[1], [0]])[0]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([[1, 0, 1], [0, 1, 2]], r"targets\[1, 2\] is 2, expected a number from 0 to 1"),
        ([[1, 0, float("nan")], [0, 1, 1]], r"targets\[0, 2\] is nan, expected a number from 0 to 1"),
        ([1, 0], r"targets are \(2,\), expected \(2, 3\)"),
        ([["a"] * 3] * 2, "targets are <U1, expected numbers"),
    ],
)
def test_targets_that_are_refused(targets, message):
    with pytest.raises(ValueError, match=message):
        r.binary_cross_entropy(LOGITS, targets)


def test_nan_reaches_loss_and_gradient():
    logits = np.array([[np.nan, 1.0], [0.0, 1.0]])
    for loss, grad in (r.cross_entropy(logits, [0, 1]), r.binary_cross_entropy(logits, [[0, 1], [1, 0]]), r.mse(logits, np.ones((2, 2)))):
        assert np.isnan(loss) and np.isnan(grad[0]).any() and not np.isnan(grad[1]).any()
