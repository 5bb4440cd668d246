"""One way from a picture of any size and mode to the image that a model takes."""

import io
import json
import os
import zlib

import numpy as np
import pytest
from PIL import Image

from jitcnn import CNN, Dense, Flatten, load
from jitcnn.preparation import Preparation

RNG = np.random.default_rng(5)
COLOURS = RNG.integers(0, 256, (40, 30, 3), np.uint8)
RAMP = np.linspace(0, 255, 40).astype(np.uint8)[:, None].repeat(20, axis=1)  # 40 x 20, dark above


def stored(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def grey(size, **settings):
    return Preparation(size, 1, **settings)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_mode(mode, channels):
    picture = Image.fromarray(COLOURS)
    picture = Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257) if mode == "I;16" else picture.convert(mode)
    found = Preparation((12, 10), channels).prepare(picture)
    assert found.shape == (12, 10, channels) and found.dtype == (np.float32 if mode == "F" else np.uint8)
    assert found.min() < 120 < found.max() and found.flags.c_contiguous


def test_same_size_keeps_every_bit():
    np.testing.assert_array_equal(Preparation((40, 30), 3).prepare(COLOURS), COLOURS)
    np.testing.assert_array_equal(Preparation((40, 30), 3).prepare(stored(Image.fromarray(COLOURS))), COLOURS)
    np.testing.assert_array_equal(Preparation((40, 30), 3).prepare(COLOURS.transpose(2, 0, 1)), COLOURS)
    floats = COLOURS[..., 0] / 300
    np.testing.assert_array_equal(grey((40, 30)).prepare(floats)[..., 0], floats.astype(np.float32))
    deep = np.asarray(COLOURS[..., 0], np.uint16) * 257
    np.testing.assert_array_equal(grey((40, 30)).prepare(deep)[..., 0], COLOURS[..., 0])
    np.testing.assert_array_equal(grey((40, 30)).prepare(stored(Image.fromarray(deep)))[..., 0], COLOURS[..., 0])
    np.testing.assert_array_equal(grey((40, 30)).prepare(COLOURS[..., 0] > 9)[..., 0], np.where(COLOURS[..., 0] > 9, 255, 0))


def test_grey_weights_are_named():
    pure = np.eye(3, dtype=np.uint8).reshape(1, 3, 3) * 255
    assert grey((1, 3)).prepare(pure).ravel().tolist() == [76, 150, 29]
    np.testing.assert_allclose(grey((1, 3)).prepare(pure / 255).ravel(), [0.299, 0.587, 0.114], rtol=1e-6)
    assert (Preparation((40, 20), 3).prepare(RAMP) == RAMP[..., None]).all()


def test_pad_keeps_proportions_and_centres():
    found = grey((20, 20)).prepare(np.full((40, 20), 200, np.uint8))[..., 0]
    assert (found[:, 5:15] == 200).all() and not found[:, :5].any() and not found[:, 15:].any()
    assert grey((8, 8)).prepare(np.full((1, 4000), 9, np.uint8))[..., 0].any(axis=1).tolist() == [False] * 3 + [True] + [False] * 4


def test_crop_takes_the_middle():
    found = grey((20, 20), resize="crop").prepare(RAMP)[..., 0]
    np.testing.assert_array_equal(found, RAMP[10:30])
    wide = grey((20, 10), resize="crop").prepare(RAMP.T.copy())[..., 0]
    assert wide.min() >= RAMP[14, 0] and wide.max() <= RAMP[25, 0] and (np.diff(wide.astype(int), axis=1) >= 0).all()


def test_stretch_takes_all_and_means_areas():
    found = grey((20, 20), resize="stretch").prepare(RAMP)[..., 0]
    np.testing.assert_allclose(found[1:-1, 0], RAMP.reshape(20, 2, 20).mean(axis=(1, 2))[1:-1], atol=1)
    chequered = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert np.abs(grey((16, 16)).prepare(chequered).astype(int) - 128).max() < 12


def test_inverted():
    np.testing.assert_array_equal(grey((40, 20), invert=True).prepare(RAMP)[..., 0], 255 - RAMP)
    np.testing.assert_allclose(grey((40, 20), invert=True).prepare(RAMP / 255)[..., 0], 1 - RAMP / 255, atol=1e-6)
    with pytest.raises(ValueError, match="invert is 'auto'"):
        grey((40, 20), invert="auto").prepare(RAMP)


def test_transparent_pixels_lie_on_white():
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0, 0] = 10, 20, 30, 255
    picture[1, 1] = 0, 0, 0, 128
    expected = [[[10, 20, 30], [255] * 3], [[255] * 3, [127] * 3]]
    for source in (picture, stored(Image.fromarray(picture))):
        assert Preparation((2, 2), 3).prepare(source).tolist() == expected
    palette = Image.new("P", (2, 2))
    palette.putpalette([0, 0, 0, 50, 60, 70])
    palette.putpixel((0, 0), 1)
    assert grey((2, 2)).prepare(stored(palette, transparency=0)).ravel().tolist() == [58, 255, 255, 255]


def test_turned_as_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    data = stored(Image.fromarray(RAMP), "JPEG", quality=100, exif=exif)
    found = grey((20, 40)).prepare(data)[..., 0]
    np.testing.assert_allclose(found, np.rot90(RAMP, -1), atol=2)


def test_same_bits_whatever_the_source(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    path.write_bytes(stored(Image.fromarray(COLOURS)))
    prepare = Preparation((13, 17), 3).prepare
    for source in (path, str(path), path.read_bytes(), Image.fromarray(COLOURS), COLOURS, COLOURS.astype(np.int64)):
        np.testing.assert_array_equal(prepare(source), prepare(COLOURS))


def test_a_stored_model_prepares_and_predicts_the_same(tmp_path):
    model = CNN([Flatten(input_shape=(9, 7, 3)), Dense(2, activation="softmax")], seed=1, normalize="per-image", engine="python")
    model.preparation = Preparation(resize="crop", invert=True, normalize="per-image", classes=["cat", "dog"])
    image = model.prepare(COLOURS)
    assert image.shape == (9, 7, 3)
    for suffix in (".json", ".npz"):
        model.save(tmp_path / f"model{suffix}")
        again = load(tmp_path / f"model{suffix}")
        assert again.preparation == model.preparation
        assert again.classes == ["cat", "dog"]
        np.testing.assert_array_equal(again.prepare(COLOURS), image)
        again.engine = "python"
        np.testing.assert_array_equal(again.predict(image), model.predict(image))
    with pytest.raises(ValueError, match="and the model takes"):
        model.preparation = Preparation((9, 8), 3)


def png_of(width, height):
    """The start of a file that claims so many pixels."""
    chunks = [b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0]), b"IDAT" + zlib.compress(bytes(9))]
    return b"\x89PNG\r\n\x1a\n" + b"".join((len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (b"hello", "not a picture that Pillow reads"),
        (b"", "not a picture that Pillow reads"),
        (stored(Image.fromarray(COLOURS))[:900], "cannot be read"),
        (png_of(20_000, 20_000), "more than 52,000,000 pixels"),
        (png_of(10_000, 10_000), "more than 52,000,000 pixels"),
        ("missing.png", "missing.png: cannot be read .no such file"),
        (os.curdir, "not a regular file"),
        (3, "not int"),
        (np.zeros((2, 3, 4, 5)), r"\(2, 3, 4, 5\)"),
        (np.zeros((0, 3)), r"\(0, 3, 1\)"),
        (np.full((3, 3), 256), "from 256 to 256"),
        (np.full((3, 3), np.nan), "NaN or infinity"),
        (np.full((3, 3), "a"), "expected uint8"),
    ],
)
def test_what_is_no_picture(source, match):
    with pytest.raises(ValueError, match=match) as raised:
        grey((4, 4)).prepare(source)
    assert "\n" not in str(raised.value)


def test_rows_of_features_have_no_pictures():
    model = CNN([Dense(2, input_shape=5)], seed=1)
    with pytest.raises(ValueError, match="no picture can be made"):
        model.prepare(COLOURS)


def test_settings_go_through_json():
    preparation = Preparation((3, 4), 1, "stretch", invert="auto", normalize="per-image", classes=("a", "b"))
    assert Preparation.from_dict(json.loads(json.dumps(preparation.to_dict()))) == preparation
