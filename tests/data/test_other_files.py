"""CIFAR's binary files, `.npy` pairs and tables of pixels; folds and natural order."""

import io

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from jitcnn.data import folds, load
from jitcnn.data.splits import natural
from jitcnn.preparation import Preparation
from tests.data.reading import complaint

RNG = np.random.default_rng(2)
COLOURS, Y = RNG.integers(0, 256, (12, 32, 32, 3), np.uint8), (np.arange(12) % 10).astype(np.uint8)
FEW = hypothesis.settings(max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])


def cifar(x, *labels):
    return np.concatenate([*(y[:, None] for y in labels), x.transpose(0, 3, 1, 2).reshape(len(x), -1)], axis=1).astype(np.uint8).tobytes()


def test_cifar10(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(cifar(COLOURS[:5], Y[:5]))
    (tmp_path / "data_batch_2.bin").write_bytes(cifar(COLOURS[5:10], Y[5:10]))
    (tmp_path / "test_batch.bin").write_bytes(cifar(COLOURS[10:], Y[10:]))
    (tmp_path / "batches.meta.txt").write_text("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n")
    found = load(tmp_path)
    np.testing.assert_array_equal(found.x, COLOURS[:10])
    np.testing.assert_array_equal(found.x_test, COLOURS[10:])
    assert found.y.tolist() == Y[:10].tolist() and found.y_test.tolist() == [0, 1] and found.classes[3] == "cat"
    np.testing.assert_array_equal(load(tmp_path, train_limit=7).x, COLOURS[:7])


def test_cifar100_has_two_labels(tmp_path):
    (tmp_path / "train.bin").write_bytes(cifar(COLOURS, Y // 5, Y + 90))
    found = load(tmp_path)
    np.testing.assert_array_equal(found.x, COLOURS)
    assert found.y.tolist() == (Y + 90).tolist() and len(found.classes) == 100 and found.x_test is None


@pytest.mark.parametrize(("content", "match"), [(b"", "0 bytes"), (bytes(3074), "no multiple"), (b"\x0a" + bytes(3072), "is of class 10")])
def test_wrong_cifar(tmp_path, content, match):
    (tmp_path / "data_batch_1.bin").write_bytes(content)
    with pytest.raises(ValueError, match=match):
        load(tmp_path)


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, dtype, order):
    x = np.asarray(COLOURS[:, :7, :6], dtype, order=order)
    for name, array in {"x_train": x, "y_train": Y, "x_test": x[:4], "y_test": Y[:4]}.items():
        np.save(tmp_path / f"{name}.npy", array)
    for source in (tmp_path, tmp_path / "x_train.npy"):
        found = load(source, test_limit=3)
        np.testing.assert_array_equal(found.x, x)
        np.testing.assert_array_equal(found.x_test, x[:3])
        assert found.x.dtype.isnative and found.x.flags.c_contiguous and found.y.tolist() == Y.tolist()


def npy(array, allow_pickle=False):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        (npy(COLOURS)[:-1], npy(Y), "promised by its header, but the file has"),
        (npy(COLOURS) + b"\0", npy(Y), "it is damaged"),
        (npy(COLOURS), npy(Y[:3]), "expected one label for every image"),
        (npy(np.array([None] * 3, object), True), npy(Y), "never Python objects"),
        (npy(np.full((12, 2, 2), np.nan)), npy(Y), "NaN or infinity in image 0"),
        (npy(COLOURS.astype(np.int32)), npy(Y), "images are int32"),
        (npy(COLOURS).replace(b"(12, 32,", b"(99999999, 32,"), npy(Y), "damaged|cannot be read"),
        (b"\x93NUMPY", npy(Y), "its header cannot be read"),
    ],
)
def test_wrong_npy(tmp_path, x, y, match):
    (tmp_path / "x.npy").write_bytes(x)
    (tmp_path / "y.npy").write_bytes(y)
    with pytest.raises(ValueError, match=match) as raised:
        load(tmp_path)
    assert "\n" not in str(raised.value)


def test_npy_without_labels(tmp_path):
    np.save(tmp_path / "x.npy", COLOURS)
    np.save(tmp_path / "digits.npy", COLOURS)
    with pytest.raises(ValueError, match=r"y\.npy: no such file"):
        load(tmp_path / "x.npy")
    with pytest.raises(ValueError, match=r"name the images x\.npy"):
        load(tmp_path / "digits.npy")


def rows(x, labels, heading=""):
    lines = [",".join([str(label), *(f"{number:.9g}" for number in image.ravel())]) for image, label in zip(x, labels, strict=True)]
    return "\n".join([*([heading] if heading else []), *lines]) + "\n"


@pytest.mark.parametrize("heading", ["", "label," + ",".join(f"pixel{i}" for i in range(36))])
def test_table_of_pixels(tmp_path, heading):
    x = COLOURS[:, :6, :6, 0]
    (tmp_path / "train.csv").write_text(rows(x, Y, heading))
    found = load(tmp_path / "train.csv")
    np.testing.assert_array_equal(found.x[..., 0], x)
    assert found.x.dtype == np.uint8 and found.y.tolist() == Y.tolist() and found.classes == [str(k) for k in range(10)]
    found = load(tmp_path / "train.csv", preparation=Preparation((4, 9)), train_limit=2)
    np.testing.assert_array_equal(found.x, x[:2].reshape(2, 4, 9, 1))
    np.testing.assert_array_equal(load(tmp_path / "train.csv", preparation=Preparation((3, 4))).x, x.reshape(12, 3, 4, 3))


def test_table_of_floats_and_names(tmp_path):
    x = RNG.random((3, 2, 2), np.float32)
    (tmp_path / "a.csv").write_text(rows(x, ["k10", "k2", "k10"]))
    found = load(tmp_path / "a.csv")
    np.testing.assert_array_equal(found.x[..., 0], x)
    assert found.classes == ["k2", "k10"] and found.y.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "holds no rows"),
        ("label,a,b,c,d\n", "holds no rows"),
        ("1,2,3,4,5\n1,2,3,4\n", "line 2 has 4 cells, and those before have 5"),
        ("1,2,3,4,5\n1,2,x,4,5\n", "line 2 has 'x'"),
        ("1,2,3,4,nan\n", "line 1 has NaN"),
        ("1,2,3,4,1e300\n", "line 1 has NaN, infinity or a number too large"),
        ("1,2,3,4\n", "3 pixels behind each label, which is not a square"),
        ("1\n", "has one cell a row"),
        ("file;label\na.png;cat\n", "has one cell a row"),
        ("a,b,c,d,label\n1,2,3,4,5\n", "its heading has label in column 5, expected it first"),
        ("label,file\ncat,a.png\n", "names pictures in column 2, expected them in the first"),
        ("1,2,3,4,\0\n", "not a text file|cannot be read"),
    ],
)
def test_wrong_table(tmp_path, text, match):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=match) as raised:
        load(tmp_path / "a.csv")
    assert "\n" not in str(raised.value)


WHOLE = {
    "a.csv": rows(COLOURS[:3, :2, :2, 0], Y[:3], "label,a,b,c,d").encode(),
    "data_batch_1.bin": cifar(COLOURS[:2], Y[:2]),
    "x.npy": npy(COLOURS[:3, :4, :4].astype(np.float32)),
}


@pytest.mark.parametrize("name", sorted(WHOLE))
@hypothesis.given(data=st.data())
@FEW
def test_damaged_bytes_give_images_or_one_line(tmp_path, name, data):
    content = bytearray(WHOLE[name])
    near = st.integers(0, min(len(content), 160) - 1) | st.integers(0, len(content) - 1)
    for position in data.draw(st.lists(near, min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    (tmp_path / "y.npy").write_bytes(npy(Y[:3]))
    assert "\n" not in complaint(load, tmp_path / name if name.endswith(".csv") else tmp_path)


def test_folds():
    y = np.repeat([0, 1, 2], [30, 11, 4])
    found = folds(y, 4, seed=3)
    np.testing.assert_array_equal(np.sort(np.concatenate([held for _, held in found])), np.arange(45))
    for training, held in found:
        np.testing.assert_array_equal(np.sort(np.concatenate([training, held])), np.arange(45))
        assert np.abs(np.bincount(y[held], minlength=3) - np.array([30, 11, 4]) / 4).max() < 1
    assert all((a == b).all() for (a, _), (b, _) in zip(found, folds(y, 4, seed=3), strict=True))
    assert any(len(a) != len(b) or (a != b).any() for (a, _), (b, _) in zip(found, folds(y, 4, seed=4), strict=True))
    for count, match in ((1, "folds"), (46, "there are 45 images")):
        with pytest.raises(ValueError, match=match):
            folds(y, count)


def test_natural_order():
    assert natural({"10", "2", "1", "a", "B", "a10b", "a9", "é"}) == ["1", "2", "10", "B", "a", "a9", "a10b", "é"]
    assert natural(["٣", "3"]) == ["3", "٣"]
