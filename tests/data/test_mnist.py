"""The embedded digits are the published ones, and only what is asked for is decoded."""

import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import jitcnn.data.mnist
from jitcnn.data import files, load, mnist

FOLDER = Path(jitcnn.data.mnist.__file__).parent
SUMS = {name: digest for digest, name in re.findall(r"^    ([0-9a-f]{64})  (\S+)$", (FOLDER / "README.md").read_text(), re.MULTILINE)}


@pytest.mark.parametrize("name", sorted(SUMS))
def test_sums_of_the_readme(name):
    data = (FOLDER / name).read_bytes() if name.endswith(".gz") else gzip.decompress((FOLDER / f"{name}.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() == SUMS[name]


def test_everything():
    (x, y), (x_test, y_test) = mnist.load()
    assert (x.shape, x_test.shape, x.dtype) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1), np.uint8)
    assert (y.shape, y_test.shape, y.dtype) == ((60_000,), (10_000,), np.int64)
    assert y[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_first_images_are_those_of_the_whole(monkeypatch):
    (x, y), (x_test, y_test) = mnist.load()
    decoded = []
    read = files.read_bytes
    monkeypatch.setattr(files, "read_bytes", lambda stream, count, what: decoded.append(count) or read(stream, count, what))
    (some, labels), (some_test, labels_test) = mnist.load(train_limit=7, test_limit=3)
    assert sum(decoded) < 10 * 784 + 70_000 + 200  # ten images, all labels, headers
    np.testing.assert_array_equal(some, x[:7])
    np.testing.assert_array_equal(labels, y[:7])
    np.testing.assert_array_equal(some_test, x_test[:3])
    np.testing.assert_array_equal(labels_test, y_test[:3])


def test_name_classes_and_digest_do_not_depend_on_the_limit():
    small, smaller = load("mnist", train_limit=3, test_limit=2), load("mnist", train_limit=1, test_limit=1)
    assert (small.name, small.classes, small.digest) == (smaller.name, smaller.classes, smaller.digest)
    assert (small.name, small.classes) == ("mnist", [str(digit) for digit in range(10)])


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_has_to_be_positive(limit):
    with pytest.raises(ValueError, match="at least 1"):
        mnist.load(train_limit=limit)
