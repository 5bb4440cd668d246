"""From a picture to the numbers that a model takes: one way, stored with the model, for training, evaluation and prediction alike."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from jitcnn.checks import finite, positive
from jitcnn.forms.geometry import choice, integer

NORMALIZATIONS = (None, "per-image", "dataset")
RESIZES = ("pad", "crop", "stretch", "digit")
GREYS = {"ITU-R BT.601": (0.299, 0.587, 0.114)}
INVERSIONS = (False, True, "auto")
DIGIT = (28, 28)
CHANNELS = (1, 3)  # of pictures; arrays of other numbers of channels are taken as they are
MOST_CLASSES = 65_536
MOST_PIXELS = 52_000_000  # of a picture from a file: decoding takes up to 16 bytes for each, and a file of some kilobytes can say so many
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # Pillow's others call programs, or are rarely looked at for defects
STRIP = 2**20  # numbers that are computed with at once, in wider integers


@dataclass(frozen=True)
class Preparation:
    """How any picture becomes an image of the model's size.

    Parameters
    ----------
    size : (int, int), optional
        Rows and columns; None for rows of features, or as long as it is not known.
    channels : int, optional
        1 is grey, 3 is red, green and blue.
    resize : "pad", "crop", "stretch" or "digit"
        The picture's proportions are kept, with black beside it or with what does not fit cut off equally on both sides; or they are not.
        Pixels are means over the area that they stand for (a triangle filter as wide as the scale, Pillow's BILINEAR). "digit" finds the
        one digit in the picture and centres it as MNIST's makers did, light on dark, see `jitcnn.digits`: for 28 x 28 grey pixels only.
    grey : "ITU-R BT.601"
        The weights of red, green and blue in grey: 0.299, 0.587, 0.114.
    invert : False, True or "auto"
        Whether white becomes black; "auto", with "digit" only: if the paper is lighter than the ink.
    normalize : None, "per-image" or "dataset"
        What a step does to the numbers of an image: nothing; each minus the image's mean, over its standard deviation; or each minus the
        mean of its channel over all training images, over that channel's standard deviation.
    mean, deviation : sequence of float, optional
        For "dataset", one number a channel; what the first call of `CNN.train` measures, on the images that it trains on.
    classes : sequence of str, optional
        Names of the outputs.

    Raises
    ------
    ValueError
        If an argument is none of these.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    resize: str = "pad"
    grey: str = "ITU-R BT.601"
    invert: bool | str = False
    normalize: str | None = None
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    classes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.size is not None:
            if not isinstance(self.size, Sequence) or isinstance(self.size, str) or len(self.size) != 2:
                raise ValueError(f"size is {self.size!r}, expected (rows, columns)")
            self._set("size", tuple(integer("size", number, at_least=1) for number in self.size))
        if self.channels is not None:
            self._set("channels", integer("channels", self.channels, at_least=1))
        choice("resize", self.resize, RESIZES)
        if self.resize == "digit" and ((self.size or DIGIT), self.channels or 1) != (DIGIT, 1):
            raise ValueError(f"resize is 'digit', which makes 28 x 28 grey pixels, and size is {self.size} with {self.channels} channels")
        choice("grey", self.grey, tuple(GREYS))
        if not any(self.invert is known for known in INVERSIONS[:2]) and self.invert != "auto":
            raise ValueError(f"invert is {self.invert!r}, expected one of {', '.join(map(repr, INVERSIONS))}")
        choice("normalize", self.normalize, NORMALIZATIONS)
        self._check_statistics()
        if self.classes is not None:
            if isinstance(self.classes, str) or not isinstance(self.classes, Sequence) or len(self.classes) > MOST_CLASSES:
                raise ValueError(f"classes is {type(self.classes).__name__}, expected a list of at most {MOST_CLASSES:,} names")
            self._set("classes", tuple(str(name) for name in self.classes))

    def _check_statistics(self) -> None:
        if self.normalize != "dataset":
            self._set("mean", None)
            self._set("deviation", None)
        if (self.mean is None) != (self.deviation is None):
            raise ValueError("one of mean and deviation is missing: give both, or neither")
        if self.mean is None or self.deviation is None:
            return
        self._set("mean", tuple(finite("mean", number) for number in self.mean))
        self._set("deviation", tuple(positive("deviation", number) for number in self.deviation))
        if len(self.mean) != len(self.deviation) or len(self.mean) != (self.channels or len(self.mean)):
            expected = f"expected one for each of {self.channels or 'all'} channels"
            raise ValueError(f"mean has {len(self.mean)} numbers and deviation {len(self.deviation)}, {expected}")

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """All settings, as numbers, strings, lists and None."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Preparation:
        """What `to_dict` gave; names that are not known are ignored, and all that are have to be there."""
        return cls(**{field.name: settings[field.name] for field in fields(cls)})

    def prepare(self, source: Any) -> np.ndarray:
        """The image that a model takes, from a picture of any size and mode.

        Parameters
        ----------
        source
            A path, the bytes of a file, a Pillow image, or an array (rows, columns), (rows, columns, channels) or (channels, rows,
            columns). Pictures are turned as their EXIF says, and lie on white where they are transparent. Arrays are uint8, other
            integers from 0 to 255, uint16 for 0 to 65,535, booleans for black and white, or floats, which keep their scale.

        Returns
        -------
        uint8 array (rows, columns, channels), or float32 of floats
            The same bits for the same picture, always.

        Raises
        ------
        ValueError
            If it is no picture, is damaged, or has more pixels than `MOST_PIXELS` or Pillow's limit; if an array fits none of the above;
            or if Pillow is needed and not there.
        """
        if self.size is None or self.channels not in CHANNELS:
            raise ValueError(
                f"no picture can be made {self.size} with {self.channels} channels: it takes rows, columns, and 1 or 3 channels"
            )
        pixels = as_channels_last(source) if hasattr(source, "__array__") and not is_pillow(source) else decode(source)
        if self.resize == "digit":
            return self._digit(pixels)
        pixels = self._scaled(self._coloured(pixels))
        return np.ascontiguousarray(pixels)

    def _digit(self, pixels: np.ndarray) -> np.ndarray:
        from jitcnn import digits

        grey = replace(self, resize="pad", invert=False)._coloured(pixels)[..., 0]
        levels = grey * (np.float32(255) / white_of(grey))
        return digits.digit(levels, dark_ink=None if self.invert == "auto" else bool(self.invert))[..., None]

    def _coloured(self, pixels: np.ndarray) -> np.ndarray:
        """With the channels wanted, and inverted."""
        if pixels.shape[2] in (2, 4):
            pixels = on_white(pixels)
        if pixels.shape[2] != self.channels:
            pixels = self._grey(pixels) if self.channels == 1 else np.repeat(pixels, 3, axis=2)
        if self.invert == "auto":
            raise ValueError("invert is 'auto', which only resize='digit' decides: give True for dark on light, or False")
        return white_of(pixels) - pixels if self.invert else pixels

    def _grey(self, pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype != np.uint8:
            return (pixels @ np.array(GREYS[self.grey])).astype(np.float32)[..., None]
        return by_strips(grey_of, pixels, 1)

    def _scaled(self, pixels: np.ndarray) -> np.ndarray:
        assert self.size is not None
        rows, columns = self.size
        height, width = pixels.shape[:2]
        if (height, width) == (rows, columns):
            return pixels
        if self.resize == "stretch":
            return resample(pixels, rows, columns)
        down, across = rows / height, columns / width
        if self.resize == "crop":
            scale = max(down, across)
            return resample(pixels, rows, columns, (rows / scale, columns / scale))
        scale = min(down, across)
        inner = resample(pixels, min(rows, max(1, round(height * scale))), min(columns, max(1, round(width * scale))))
        padded = np.zeros((rows, columns, pixels.shape[2]), pixels.dtype)
        top, left = (rows - inner.shape[0]) // 2, (columns - inner.shape[1]) // 2
        padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
        return padded


def white_of(pixels: np.ndarray) -> Any:
    """The number that is white: 255, or 1 for floats that do not go beyond."""
    return np.uint8(255) if pixels.dtype == np.uint8 else np.float32(1 if pixels.max() <= 1 else 255)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """The picture without its last channel, how opaque it is, as it looks on white paper."""
    colours, alpha = pixels[..., :-1], pixels[..., -1:]
    white = white_of(alpha)
    if pixels.dtype != np.uint8:
        return colours * (alpha / white) + (white - alpha)
    return by_strips(mixed_with_white, pixels, colours.shape[2])


def by_strips(function: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray, channels: int) -> np.ndarray:
    """function(pixels), some rows at a time: what it computes with is wider than bytes."""
    rows = max(1, STRIP // pixels[0].size)
    result = np.empty((*pixels.shape[:2], channels), np.uint8)
    for first in range(0, len(pixels), rows):
        result[first : first + rows] = function(pixels[first : first + rows])
    return result


def grey_of(pixels: np.ndarray) -> np.ndarray:
    """Red, green and blue bytes in grey, by the weights of ITU-R BT.601."""
    red, green, blue = (pixels[..., c].astype(np.uint32) for c in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)[..., None]


def mixed_with_white(pixels: np.ndarray) -> np.ndarray:
    """Bytes of colours, the last of which says how opaque they are, on white."""
    alpha = pixels[..., -1].astype(np.uint32)
    white = 255 * (255 - alpha) + 127
    return np.stack([(pixels[..., c] * alpha + white) // 255 for c in range(pixels.shape[2] - 1)], axis=2).astype(np.uint8)


def resample(pixels: np.ndarray, rows: int, columns: int, part: tuple[float, float] | None = None) -> np.ndarray:
    """The picture in another size; of `part`, (rows, columns), only that much around its middle."""
    Image = import_pillow("a picture of another size")
    height, width = pixels.shape[:2]
    part_rows, part_columns = part or (height, width)
    top, left = max(0.0, (height - part_rows) / 2), max(0.0, (width - part_columns) / 2)
    box = (left, top, min(width, left + part_columns), min(height, top + part_rows))
    planes = [Image.fromarray(np.ascontiguousarray(pixels[..., c])) for c in range(pixels.shape[2])]
    return np.stack([np.asarray(plane.resize((columns, rows), Image.Resampling.BILINEAR, box)) for plane in planes], axis=2)


def as_channels_last(source: Any) -> np.ndarray:
    """An array as a picture (rows, columns, channels) of uint8 or float32; a ValueError says what is wrong with it."""
    array = np.asarray(source)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4) and array.shape[0] in (1, 2, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or 0 in array.shape:
        raise ValueError(f"the picture is {array.shape}, expected (rows, columns), or with 1 to 4 channels, first or last")
    return as_levels(array)


def as_levels(array: np.ndarray) -> np.ndarray:
    """Numbers of any dtype as uint8, or as float32 where they are floats."""
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise ValueError("the picture contains NaN or infinity: remove or repair it, for example np.nan_to_num(picture)")
        return array.astype(np.float32)
    if array.dtype.kind not in "iu":
        raise ValueError(f"the picture is {array.dtype}, expected uint8, float32, or another number")
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if array.min() < 0 or array.max() > 255:
        raise ValueError(f"the picture is {array.dtype} from {array.min()} to {array.max()}, expected 0 to 255: give floats or uint16")
    return array.astype(np.uint8)


def is_pillow(source: Any) -> bool:
    """Whether this is a Pillow image, told without importing it."""
    return type(source).__module__.partition(".")[0] == "PIL"


def import_pillow(what: str) -> Any:
    """Pillow's `Image`, or a ValueError that says how to get it."""
    try:
        from PIL import Image
    except ImportError:
        raise ValueError(f"{what} needs Pillow: pip install 'jitcnn[images]'") from None
    return Image


def shown(name: Any) -> str:
    """A path, or a name, in one line that can be printed and saved, whatever its bytes are."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in os.fsdecode(name))


def decode(source: Any) -> np.ndarray:
    """A picture's file, its bytes or a Pillow image as uint8 (rows, columns, 1 to 4), or float32 of pictures of floats.

    Raises
    ------
    ValueError
        One line, with the file's name.
    """
    name = "the picture"
    if isinstance(source, str | os.PathLike):
        name = shown(source)
    elif not (is_pillow(source) or isinstance(source, bytes | bytearray | memoryview)):
        raise ValueError(f"a picture is a path, bytes, a Pillow image or an array, not {type(source).__name__}")
    Image = import_pillow("reading pictures")
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if is_pillow(source):
                return levels_of(ImageOps.exif_transpose(source))
            if isinstance(source, str | os.PathLike) and not os.path.isfile(source):
                raise ValueError("not a regular file" if os.path.exists(source) else "no such file")
            with Image.open(source if isinstance(source, str | os.PathLike) else io.BytesIO(source), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Image.DecompressionBombWarning
                return levels_of(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        most = min(MOST_PIXELS, Image.MAX_IMAGE_PIXELS or MOST_PIXELS)
        raise ValueError(f"{name}: more than {most:,} pixels: make it smaller") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{name}: not a picture that Pillow reads") from None
    except Exception as error:  # what damaged files provoke in a decoder has no end
        raise ValueError(f"{name}: cannot be read ({' '.join(str(error).split()) or type(error).__name__})") from None


def levels_of(picture: Any) -> np.ndarray:
    """The numbers of a Pillow image of any mode."""
    if picture.mode.startswith("I") or picture.mode == "F":
        array = np.asarray(picture)
        if array.dtype.kind in "iu" and array.max() > 255 and array.min() >= 0 and array.max() <= 65535:
            array = array.astype(np.uint16)  # 16 bits, which Pillow has as 32 in some formats
        elif picture.mode.startswith("I;16"):
            array = array.astype(np.uint16)
        return as_levels(array)[..., None]
    if "transparency" in picture.info or picture.mode in ("LA", "PA", "RGBA", "La", "RGBa"):
        picture = picture.convert("LA" if picture.mode in ("L", "LA", "1") else "RGBA")
    elif picture.mode not in ("L", "RGB"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    array = np.asarray(picture)
    return array if array.ndim == 3 else array[..., None]
