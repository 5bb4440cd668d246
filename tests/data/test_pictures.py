"""Folders and tables of pictures: found, numbered, decoded once and kept."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from jitcnn import CNN, Dense, Flatten
from jitcnn import load as load_model
from jitcnn.data import load, pictures
from jitcnn.preparation import Preparation

RNG = np.random.default_rng(1)
MODES = ("RGB", "L", "RGBA", "P", "CMYK", "I;16")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "decoded"


def picture(number, mode="RGB", size=(20, 16)):
    """Blocks of colour, drawn by number."""
    blocks = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8).repeat(size[0] // 4, axis=0).repeat(size[1] // 4, axis=1)
    return Image.fromarray(blocks[..., 0].astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(blocks).convert(mode)


def write(path, number, mode="RGB", size=(20, 16), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(number, mode, size).save(path, **options)
    return path


def fill(folder, classes=("a2", "a10", "b"), count=3, first=0):
    for k, name in enumerate(classes):
        for number in range(count):
            write(folder / name / f"{number}.png", first + 10 * k + number)
    return folder


def test_classes_alone_in_natural_order(tmp_path):
    found = load(fill(tmp_path / "set"))
    assert found.classes == ["a2", "a10", "b"] and found.y.tolist() == [0, 1, 2] * 3
    assert found.x.shape == (9, 20, 16, 3) and found.x_test is found.x_val is None
    for number, seed in enumerate((0, 10, 20, 1, 11, 21, 2, 12, 22)):
        np.testing.assert_array_equal(found.x[number], np.asarray(picture(seed)))
    assert found.preparation == Preparation((20, 16), 3, classes=("a2", "a10", "b"))
    assert "9 images of 20 x 16 x 3 in 3 classes\nclasses: a2 3, a10 3, b 3\npictures made 20 x 16 x 3 in colour" in found.describe()
    assert load(tmp_path / "set", train_limit=4).y.tolist() == [0, 1, 2, 0]


def test_parts(tmp_path):
    folder = tmp_path / "set"
    fill(folder / "Training")
    fill(folder / "valid", ("b", "a2"), 2, 100)
    fill(folder / "test", count=1, first=200)
    found = load(folder)
    assert (len(found.x), found.y_val.tolist(), found.y_test.tolist()) == (9, [0, 2, 0, 2], [0, 1, 2])
    np.testing.assert_array_equal(found.x_val[1], np.asarray(picture(100)))
    np.testing.assert_array_equal(found.x_test[1], np.asarray(picture(210)))
    assert "4 to validate on, 3 to test with" in found.describe()


def test_sizes_and_modes_are_mixed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for number, mode in enumerate(MODES):
        write(
            tmp_path / "set" / "mixed" / f"{number}.png" if mode != "CMYK" else tmp_path / "set/mixed/4.jpg",
            number,
            mode,
            (8 + 4 * number, 16),
        )
        write(tmp_path / "set" / "turned" / f"{number}.jpeg", number, size=(8, 24), exif=exif)
    found = load(tmp_path / "set", preparation=Preparation((12, 10), 1, "stretch"))
    assert found.x.shape == (12, 12, 10, 1) and found.x.dtype == np.uint8
    model = CNN([Flatten(input_shape=(12, 10, 1)), Dense(2, activation="softmax")], seed=1, engine="python")
    model.preparation = found.preparation
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path / "model.json")
    pairs = zip(*(sorted((tmp_path / "set" / name).iterdir()) for name in ("mixed", "turned")), strict=True)
    paths = [path for pair in pairs for path in pair]
    images = np.stack([again.prepare(path) for path in paths])
    np.testing.assert_array_equal(found.x, images)  # what is predicted is what was trained on
    np.testing.assert_array_equal(load(tmp_path / "set", preparation=again.preparation).x, images)  # and what is evaluated


@pytest.mark.parametrize(
    ("sizes", "modes", "expected"),
    [
        ([(20, 16), (20, 16), (40, 40)], "L", ((20, 16), 1)),
        ([(20, 16), (40, 36), (60, 80)], "L", ((36, 36), 1)),
        ([(400, 200)] * 3, "RGB", ((64, 32), 3)),
    ],
)
def test_size_and_channels_are_chosen(tmp_path, sizes, modes, expected):
    paths = [write(tmp_path / f"{number}.png", number, modes, size) for number, size in enumerate(sizes)]
    found = pictures.chosen(Preparation(), paths)
    assert (found.size, found.channels) == expected
    assert pictures.chosen(Preparation((5, 6)), paths).size == (5, 6)


def test_decoded_once(tmp_path, cache, monkeypatch):
    folder = fill(tmp_path / "set")
    first = load(folder)
    assert len(list(cache.iterdir())) == 1
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "write_images", None)
        np.testing.assert_array_equal(load(folder).x, first.x)
    (kept,) = cache.iterdir()
    content = kept.read_bytes()
    kept.unlink()  # it is still mapped
    kept.write_bytes(content[:-20])
    np.testing.assert_array_equal(load(folder).x, first.x)
    before = (folder / "b" / "1.png").stat()
    write(folder / "b" / "1.png", 77)
    os.utime(folder / "b" / "1.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = load(folder)
    np.testing.assert_array_equal(changed.x[5], np.asarray(picture(77)))
    assert changed.digest != first.digest and not list(cache.glob("*.tmp"))


def test_broken_pictures_are_left_out_or_refused(tmp_path):
    folder = fill(tmp_path / "set")
    (folder / "a2" / "0.png").write_text("a text")
    cut = (folder / "b" / "2.png").read_bytes()[:-30]
    (folder / "b" / "2.png").write_bytes(cut)
    for _ in range(2):  # decoded, and from the cache
        found = load(folder)
        assert found.y.tolist() == [1, 2, 0, 1, 2, 0, 1]
        np.testing.assert_array_equal(found.x[-1], np.asarray(picture(12)))
        assert len(found.notes) == 2 and "0.png: not a picture that Pillow reads" in found.notes[0] and "2.png" in found.describe()
        with pytest.raises(ValueError, match=r"0\.png: not a picture"):
            load(folder, strict=True)
    for path in (folder / "b").iterdir():
        path.write_text("")
    with pytest.raises(ValueError, match="none of the pictures of the class b can be read"):
        load(folder)


def test_names_of_a_part_nearly_right(tmp_path):
    fill(tmp_path / "train")
    fill(tmp_path / "tset")
    with pytest.raises(ValueError, match="holds a folder tset, did you mean test"):
        load(tmp_path)


def test_a_class_named_almost_like_a_part(tmp_path):
    assert load(fill(tmp_path / "set", ("rain", "snow"))).classes == ["rain", "snow"]


def test_what_is_in_no_class_is_named(tmp_path):
    fill(tmp_path / "train", ("cat", "dog"))
    fill(tmp_path / "train" / "cat" / "more", ("kitten",))
    write(tmp_path / "train" / "cat" / "old" / "1.png", 1)
    fill(tmp_path / "trian", ("cat",))
    write(tmp_path / "beside.png", 1)
    (tmp_path / "models" / "a").mkdir(parents=True)
    notes = [note.removeprefix(f"{tmp_path}").partition(":")[0] for note in load(tmp_path).notes]
    assert notes == ["/trian", "", "/train/cat/old"]
    (tmp_path / "test").mkdir()
    with pytest.raises(ValueError, match="test: there are no folders of classes in it"):
        load(tmp_path)


def test_class_that_was_not_trained_on(tmp_path):
    fill(tmp_path / "train", ("cat", "dog"))
    fill(tmp_path / "test", ("cat", "dogs"))
    with pytest.raises(ValueError, match="the class dogs is not one of those that are learnt, did you mean dog"):
        load(tmp_path)
    known = Preparation((20, 16), 3, classes=("dog", "bird", "cat"))
    assert load(tmp_path / "train", preparation=known).y.tolist() == [2, 0] * 3


def test_empty_class_one_class_and_no_train(tmp_path):
    fill(tmp_path / "a", ("cat",))
    with pytest.raises(ValueError, match="at least two, and there is only cat"):
        load(tmp_path / "a")
    (tmp_path / "a" / "dog").mkdir()
    with pytest.raises(ValueError, match="dog: the class is empty"):
        load(tmp_path / "a")
    fill(tmp_path / "b" / "test")
    fill(tmp_path / "b" / "val")
    with pytest.raises(ValueError, match="holds test and val, but no train"):
        load(tmp_path / "b")


@pytest.mark.parametrize("what", ["file", "class"])
def test_links_to_elsewhere_are_refused(tmp_path, what):
    folder, secret = fill(tmp_path / "set"), fill(tmp_path / "elsewhere", ("c",))
    if what == "file":
        (folder / "b" / "9.png").symlink_to(secret / "c" / "0.png")
    else:
        (folder / "c").symlink_to(secret / "c")
    with pytest.raises(ValueError, match="leaves the folder"):
        load(folder)


def test_names_of_any_bytes(tmp_path):
    folder = fill(tmp_path / "set", ("a", os.fsdecode(b"caf\xe9")), 2)
    write(folder / "a" / os.fsdecode(b"\xff.png"), 5)
    found = load(folder)
    assert found.classes == ["a", "caf\\udce9"] and len(found.x) == 5
    found.describe().encode()


def test_too_many_pixels(tmp_path, monkeypatch):
    folder = fill(tmp_path / "set")
    write(folder / "b" / "9.png", 1, size=(200, 200))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    found = load(folder)
    assert len(found.x) == 9 and "more than 10,000 pixels" in found.notes[0]


def test_table_of_paths(tmp_path):
    for number in range(3):
        write(tmp_path / "images" / f"{number}.png", number)
    (tmp_path / "labels.csv").write_text("file,label\nimages/2.png,dog\nimages/0.png, cat\nimages/1.png,dog\n")
    found = load(tmp_path / "labels.csv")
    assert found.classes == ["cat", "dog"] and found.y.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(found.x[0], np.asarray(picture(2)))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("0.png,a\n1.png,b\n9.png,a\n", "line 3 names 9.png, and there is no such file"),
        ("0.png,a\n1.png\n", "line 2 has no label"),
        ("0.png,a\n1.png,a\n", "all pictures are of one class, a"),
        ("0.png,a\n../outside.png,b\n", "leaves the folder"),
    ],
)
def test_wrong_table_of_paths(tmp_path, text, match):
    for name in ("in/0.png", "in/1.png", "outside.png"):
        write(tmp_path / name, 1)
    (tmp_path / "in" / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=match):
        load(tmp_path / "in" / "labels.csv")


def test_floats_of_a_picture_become_bytes():
    stream = io.BytesIO()
    Image.fromarray(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)).save(stream, "TIFF")
    image = pictures.as_bytes(Preparation((3, 4), 1).prepare(stream.getvalue()))
    assert image.dtype == np.uint8 and image.ravel().tolist() == np.rint(np.linspace(0, 255, 12)).astype(int).tolist()


def test_a_folder_too_high_or_too_low(tmp_path):
    fill(tmp_path / "outer" / "animals")
    with pytest.raises(ValueError, match=r"there is only animals: did you mean \S*/outer/animals\?"):
        load(tmp_path / "outer")
    with pytest.raises(ValueError, match=r"animals/b: holds pictures, but no folder for each class"):
        load(tmp_path / "outer" / "animals" / "b")
    with pytest.raises(ValueError, match=r"no such file or folder, .*; did you mean animals\?"):
        load(tmp_path / "outer" / "animal")
