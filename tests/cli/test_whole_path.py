"""From files to a classifier that is used, on real pictures: the digits that come along, as IDX files and as picture files of all kinds."""

import gzip

import numpy as np
import pytest

from jitcnn.data import mnist
from tests.cli.conftest import done
from tests.data.reading import write_folder

TRAIN = ("train", "--preset", "conv-pool", "--quiet", "--no-report", "--seed", "1")


@pytest.fixture(scope="module")
def images():
    (x, y), (x_test, y_test) = mnist.load()
    return x[:2000, ..., 0], y[:2000], x_test[:300, ..., 0], y_test[:300]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files(run, tmp_path, images, suffix):
    x, y, x_test, y_test = images
    folder = write_folder(tmp_path / "fashion", x, y.astype(np.uint8), x_test, y_test.astype(np.uint8), suffix)
    assert "2,000 images of 28 x 28 x 1 to train on, 300 test images, 10 classes" in run("data", "info", folder).stdout
    assert run(*TRAIN, "--data", folder, "--epochs", "4", "--out", "m.json").exit_code == 0
    assert done(run("eval", "m.json", "--json"))["accuracy"] > 0.85


def ten(one, zero):
    """A one and a zero side by side: the class that comes after 2 and 7 only where numbers count."""
    return np.hstack([one[:, 4:24], zero[:, 4:24]])


def save(pixels, path, number):
    """A picture in another size, mode and format each time."""
    from PIL import Image

    zoom = (1, 2.5, 3)[number % 3]
    grey = Image.fromarray(pixels).resize((round(pixels.shape[1] * zoom), round(28 * zoom)), Image.Resampling.BICUBIC)
    kinds = {
        "L.png": grey, "L.jpg": grey, "RGB.png": grey.convert("RGB"), "P.png": grey.convert("P"), "CMYK.jpg": grey.convert("CMYK"),
        "16.png": Image.fromarray(np.asarray(grey).astype(np.uint16) * 257), "RGBA.png": grey.convert("RGBA"),
        "turned.jpg": grey.rotate(90, expand=True),
    }  # fmt: skip
    name, picture = list(kinds.items())[number % len(kinds)]
    exif = Image.Exif()
    exif[0x0112] = 6 if name == "turned.jpg" else 1
    path.mkdir(parents=True, exist_ok=True)
    picture.save(path / f"{number}-{name}", **({"exif": exif} if name.endswith("jpg") else {}))


@pytest.fixture
def pictures(tmp_path, images, monkeypatch):
    """train and test: 3 x 80 and 3 x 16 pictures of twos, sevens and tens."""
    pytest.importorskip("PIL")
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path / "cache"))
    x, y, *_ = images
    by_digit = {digit: x[y == digit] for digit in (0, 1, 2, 7)}
    for part, numbers in (("train", range(80)), ("test", range(80, 96))):
        for number in numbers:
            for name in ("2", "7"):
                save(by_digit[int(name)][number], tmp_path / "pictures" / part / name, number)
            save(ten(by_digit[1][number], by_digit[0][number]), tmp_path / "pictures" / part / "10", number)
    return tmp_path / "pictures"


def test_pictures_of_mixed_sizes_and_modes(run, pictures):
    found = done(run("data", "info", pictures, "--json"))
    assert found["classes"] == ["2", "7", "10"] and found["counts"] == [80] * 3 and found["test_counts"] == [16] * 3
    assert done(run("data", "check", pictures, "--json"))["exact_duplicates"] == []
    assert run("data", "preview", pictures, "--size", "24", "--gray", "--augment", "digits").exit_code == 0
    options = ("--data", pictures, "--size", "24", "--gray", "--epochs", "12", "--lr", "0.005", "--out", "m.json")
    assert run(*TRAIN, *options).exit_code == 0
    evaluated = done(run("eval", "m.json", "--json"))
    assert evaluated["images"] == 48 and evaluated["accuracy"] > 0.9
    answers = done(run("predict", "m.json", pictures / "test", "--json"))["pictures"]
    right = np.mean([answer["class"] == answer["file"].split("/")[-2] for answer in answers])
    assert right == evaluated["accuracy"]  # the same file gives the same answer on both ways


def test_compressed_arrays_are_the_plain_ones(tmp_path, images):
    from jitcnn.data import load

    x, y, *_ = images
    folder = write_folder(tmp_path / "plain", x[:50], y[:50].astype(np.uint8))
    (tmp_path / "packed").mkdir()
    for path in folder.iterdir():
        (tmp_path / "packed" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(load(folder).x, load(tmp_path / "packed").x)
