"""Names, folders and archives to images and labels."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from jitcnn.data import files, load
from jitcnn.data.published import SETS, File
from tests.data.reading import write, write_folder

rng = np.random.default_rng(3)
X, Y = rng.integers(0, 256, (12, 6, 5), np.uint8), np.arange(12, dtype=np.uint8) % 4
X_TEST, Y_TEST = rng.integers(0, 256, (5, 6, 5), np.uint8), np.array([0, 1, 2, 3, 5], np.uint8)


def check(found, x=X, x_test=X_TEST, train=12, test=5):
    np.testing.assert_array_equal(found.x, x[:train, ..., None] if x.ndim == 3 else x[:train])
    np.testing.assert_array_equal(found.y, Y[:train])
    np.testing.assert_array_equal(found.x_test, x_test[:test, ..., None] if x_test.ndim == 3 else x_test[:test])
    np.testing.assert_array_equal(found.y_test, Y_TEST[:test])
    assert found.y.dtype == found.y_test.dtype == np.int64
    assert found.classes == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("prefix", ["", "emnist-digits-"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_folder_of_idx_files(tmp_path, prefix, suffix):
    folder = write_folder(tmp_path / "digits", X, Y, X_TEST, Y_TEST, suffix, prefix)
    (folder / "README").write_text("not data")
    found = load(folder)
    check(found)
    assert found.name == str(folder)
    check(load(str(folder), train_limit=3, test_limit=2), train=3, test=2)
    assert load(folder, train_limit=1).digest == found.digest


def test_dots_in_the_names_and_no_test_set(tmp_path):
    write(tmp_path / "train-images.idx3-ubyte", X)
    write(tmp_path / "train-labels.idx1-ubyte", Y)
    found = load(tmp_path)
    np.testing.assert_array_equal(found.x[..., 0], X)
    assert found.x_test is found.y_test is None


def test_plain_file_beside_the_compressed_one(tmp_path):
    folder = write_folder(write_folder(tmp_path / "digits", X, Y, X_TEST, Y_TEST, ".gz"), X, Y, X_TEST, Y_TEST)
    for path in folder.glob("*.gz"):
        path.write_bytes(b"never opened")
    check(load(folder))


def test_several_data_sets_in_one_folder(tmp_path):
    folder = write_folder(write_folder(tmp_path, X, Y, prefix="letters-"), X, Y, prefix="digits-")
    with pytest.raises(ValueError, match=r"several data sets \(digits-, letters-\)"):
        load(folder)


@pytest.mark.parametrize(
    "missing", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
)
def test_missing_file_is_named(tmp_path, missing):
    folder = write_folder(tmp_path / "digits", X, Y, X_TEST, Y_TEST)
    (folder / missing).unlink()
    with pytest.raises(ValueError, match=f"there is no {missing}"):
        load(folder)


def test_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="holds no data: expected a folder of pictures for each class, or IDX"):
        load(tmp_path)


def test_numbers_of_images_and_labels(tmp_path):
    with pytest.raises(ValueError, match="12 images, but 5 labels"):
        load(write_folder(tmp_path, X, Y_TEST))


def test_test_images_of_another_size(tmp_path):
    with pytest.raises(ValueError, match="they have to be of one size"):
        load(write_folder(tmp_path, X, Y, X_TEST[:, 1:], Y_TEST))


LABELS = {
    "integers": (Y, Y_TEST),
    "column": (Y[:, None], Y_TEST[:, None]),
    "one-hot": (np.eye(6)[Y], np.eye(6)[Y_TEST]),
    "boolean rows": (np.eye(6, dtype=bool)[Y], np.eye(6, dtype=bool)[Y_TEST]),
}


@pytest.mark.parametrize("labels", sorted(LABELS))
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path, save, labels):
    y, y_test = LABELS[labels]
    save(tmp_path / "digits.npz", x_train=X, y_train=y, x_test=X_TEST, y_test=y_test)
    check(load(tmp_path / "digits.npz"))
    check(load(tmp_path / "digits.npz", train_limit=2, test_limit=1), train=2, test=1)


def test_images_to_validate_on(tmp_path):
    arrays = {"x_train": X, "y_train": Y, "x_val": X_TEST, "y_val": Y_TEST % 4}
    np.savez(tmp_path / "digits.npz", **arrays)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    for path in (tmp_path / "digits.npz", tmp_path):
        found = load(path, test_limit=1)
        np.testing.assert_array_equal(found.x_val[..., 0], X_TEST[:1])
        assert found.y_val.tolist() == [Y_TEST[0] % 4] and found.x_test is None


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f4", "<f8"])
def test_npz_of_colours_without_test_set(tmp_path, dtype):
    x = rng.random((12, 4, 5, 3)).astype(dtype)
    np.savez(tmp_path / "colours.npz", x=x, y=Y)
    found = load(tmp_path / "colours.npz")
    np.testing.assert_array_equal(found.x, x)
    assert found.x.dtype.isnative
    assert found.x_test is None
    assert found.classes == ["0", "1", "2", "3"]


WRONG = {
    "no x": ({"y": Y}, "has no array 'x_train'"),
    "no y": ({"x": X}, "has no array 'y'"),
    "only test images": ({"x": X, "y": Y, "x_test": X_TEST}, "has no array 'y_test'"),
    "lengths": ({"x": X, "y": Y_TEST}, "expected one label for every image"),
    "a number": ({"x": X, "y": 3}, "expected one label for every image"),
    "integer images": ({"x": X.astype(int), "y": Y}, "images are int64, expected uint8, float32 or float64"),
    "half precision": ({"x": X.astype("f2"), "y": Y}, "images are float16"),
    "flat images": ({"x": X.reshape(12, 30), "y": Y}, r"images are \(12, 30\), expected"),
    "not a number": ({"x": np.where(np.arange(360).reshape(12, 6, 5) == 331, np.nan, X), "y": Y}, "NaN or infinity in image 11"),
    "infinity": ({"x": np.full((12, 6, 5), np.inf, np.float32), "y": Y}, "NaN or infinity in image 0"),
    "channels first": (
        {"x": np.zeros((12, 3, 6, 6), np.uint8), "y": Y},
        r"channels first, expected them last: save np.moveaxis\(x, 1, 3\)",
    ),
    "another size to validate on": (
        {"x": X, "y": Y, "x_val": X[:, 1:], "y_val": Y},
        "those to validate on .5, 5, 1. of 4; they have to be",
    ),
    "another class to validate on": ({"x": X, "y": Y, "x_val": X, "y_val": Y + 1}, "of 5; they have to be alike"),
    "nothing": ({"x": X[:0], "y": Y[:0]}, "none of them 0"),
    "float labels": ({"x": X, "y": Y.astype(float)}, "of float64, expected .images,. of integers"),
    "text labels": ({"x": X, "y": Y.astype(str)}, "expected .images,. of integers"),
    "negative labels": ({"x": X, "y": Y.astype(int) - 1}, "labels go from -1 to 2"),
    "huge labels": ({"x": X, "y": Y.astype(np.uint64) + np.uint64(2**63)}, "expected class numbers from 0 to at most 65535"),
    "two classes at once": ({"x": X, "y": np.ones((12, 4))}, "not every row has one 1"),
    "objects": ({"x": np.array([None] * 12), "y": Y}, "never Python objects"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_wrong_npz(tmp_path, case):
    arrays, message = WRONG[case]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message) as raised:
        load(tmp_path / "a.npz")
    assert "\n" not in str(raised.value)


def test_neither_name_nor_path(tmp_path):
    with pytest.raises(
        ValueError,
        match=r"'?mnits'?: no such file or folder, and not the name of a known data set \(mnist, fashion-mnist, kmnist, cifar10\)",
    ):
        load("mnits")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"expected a folder of IDX files or of pictures"):
        load(tmp_path / "notes.txt")


def test_digest_tells_data_apart(tmp_path):
    first = load(write_folder(tmp_path / "a", X, Y)).digest
    assert load(shutil.copytree(tmp_path / "a", tmp_path / "b")).digest == first
    assert load(write_folder(tmp_path / "b", X[::-1], Y)).digest != first


def test_digest_of_a_large_file_hashes_samples_from_first_to_last_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_CHUNK", 8)
    monkeypatch.setattr(files, "_SAMPLES", 4)
    path = tmp_path / "large"
    path.write_bytes(bytes(1000))
    whole = files.fingerprint([path])
    for position in (0, 7, 992, 999):
        changed = bytearray(1000)
        changed[position] = 1
        path.write_bytes(changed)
        assert files.fingerprint([path]) != whole
    path.write_bytes(bytes(1001))
    assert files.fingerprint([path]) != whole


def test_a_name_is_its_folder_once_it_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="kmnist is not here: get it with `jitcnn data download kmnist`, or give a folder"):
        load("kmnist")
    folder = write_folder(tmp_path / "kmnist", X, Y, X_TEST, Y_TEST, ".gz")
    kept = tuple(File(path.name, path.stat().st_size, "") for path in folder.iterdir())
    monkeypatch.setitem(SETS, "kmnist", replace(SETS["kmnist"], files=kept))
    found = load("kmnist", train_limit=7)
    assert found.name == "kmnist" and found.classes[:3] == ["o", "ki", "su"] and found.digest == load(folder).digest
    np.testing.assert_array_equal(found.x[..., 0], X[:7])


def test_classes_without_an_image_are_said(tmp_path):
    np.savez(tmp_path / "gaps.npz", x_train=X, y_train=Y, x_test=X_TEST, y_test=Y_TEST)
    assert "\nwithout an image to train on: 4, 5" in load(tmp_path / "gaps.npz").describe()
    np.savez(tmp_path / "full.npz", x=X, y=Y)
    assert "without an image" not in load(tmp_path / "full.npz").describe()


def test_a_name_nearly_right():
    with pytest.raises(ValueError, match=r"cifar10\); did you mean fashion-mnist\?"):
        load("fashion_mnist")
