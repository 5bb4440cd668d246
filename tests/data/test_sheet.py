"""The sheet of examples holds the pictures themselves, class by class."""

import sys

import numpy as np
import pytest

from jitcnn import Augmentation, kernels
from jitcnn.data import Dataset, sheet
from jitcnn.data.sheet import GAP, MARGIN, draw, examples, preview, rows_of

Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 4
DATA = Dataset("some", RNG.integers(0, 256, (40, 16, 12, 3), np.uint8), LABELS, None, None, ["a", "bb", "c", "dddd"], "0" * 12)


def test_examples_are_of_their_class_and_come_again():
    drawn = examples(LABELS, 5, 6, 1)
    assert [len(set(numbers)) for numbers in drawn] == [6, 6, 6, 6, 0]
    assert all((LABELS[numbers] == number).all() for number, numbers in enumerate(drawn))
    assert [n.tolist() for n in examples(LABELS, 5, 6, 1)] == [n.tolist() for n in drawn]
    assert [n.tolist() for n in examples(LABELS, 5, 6, 2)] != [n.tolist() for n in drawn]


def test_pictures_are_where_they_belong(tmp_path):
    width, height = preview(DATA, tmp_path / "sheet.png", count=5)
    picture = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    assert picture.shape == (height, width, 3)
    rows = rows_of(DATA, 5, None, 0)
    assert [name for name, _ in rows] == DATA.classes
    zoom = 64 // 16
    left = width - MARGIN - 5 * (12 * zoom + GAP)
    for row, (_, pictures) in enumerate(rows):
        for column, image in enumerate(pictures):
            top, at = MARGIN + row * (16 * zoom + GAP), left + column * (12 * zoom + GAP)
            shown = picture[top : top + 16 * zoom : zoom, at : at + 12 * zoom : zoom]
            np.testing.assert_array_equal(shown, image)
    assert (picture[:, :left] < 128).any(), "names are written"


def test_augmented_rows_begin_with_the_picture_itself():
    augmentation = Augmentation.parse("photos,mixup")
    for (_, pictures), numbers in zip(rows_of(DATA, 4, augmentation, 3), examples(LABELS, 4, 1, 3), strict=True):
        assert len(pictures) == 4
        np.testing.assert_array_equal(pictures[0], DATA.x[numbers[0]])
        assert all(np.abs(pictures[0] - other).max() > 20 for other in pictures[1:])
    (_, pictures), *_ = rows_of(DATA, 3, Augmentation(rotate=20), 3)
    expected = kernels.augment_images(DATA.x, examples(LABELS, 4, 1, 3)[0], seed=3, epoch=1, rotate=20)
    np.testing.assert_array_equal(pictures[2], expected[0])


def test_floats_large_pictures_and_grey_ones():
    small = draw([("x", np.array([-1.0, 3.0]).reshape(1, 1, 2, 1))], -1, 3)
    pixels = np.asarray(small)[MARGIN : MARGIN + 32, -MARGIN - GAP - 64 : -MARGIN - GAP]
    assert (pixels[:, :32] == 0).all() and (pixels[:, 32:] == 255).all()
    large = draw([("x", np.zeros((1, 600, 400, 3), np.uint8))], 0, 255)
    assert large.size[1] == 128 + GAP + 2 * MARGIN


def test_classes_without_images_have_no_row_and_many_classes_end_somewhere():
    assert [name for name, _ in rows_of(Dataset("d", DATA.x[:3], LABELS[:3], None, None, DATA.classes, ""), 5, None, 0)] == ["a", "bb", "c"]
    many = Dataset("d", np.zeros((60, 2, 2, 1)), np.arange(60), None, None, [str(n) for n in range(60)], "")
    assert len(rows_of(many, 5, None, 0)) == sheet.MOST_CLASSES


def test_without_pillow(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ValueError, match=r"drawing pictures needs Pillow: pip install 'jitcnn\[images\]'"):
        preview(DATA, tmp_path / "sheet.png")


def test_names_of_any_letters_and_length():
    pytest.importorskip("matplotlib")
    drawn = {name: np.asarray(sheet.draw([(name, np.zeros((1, 8, 8, 1), np.uint8))], 0, 255)) for name in ("\u00fc", "\u00e4", "n" * 200)}
    assert not np.array_equal(drawn["\u00fc"], drawn["\u00e4"])  # both would be the same box
    assert drawn["n" * 200].shape[1] < 500
