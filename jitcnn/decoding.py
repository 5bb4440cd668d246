"""From a picture's file, its bytes, a Pillow image or an array to numbers: uint8 or float32 (rows, columns, channels)."""

import io
import os
import warnings
from typing import Any

import numpy as np

MOST_PIXELS = 52_000_000  # of a picture from a file: decoding takes up to 16 bytes for each, and a file of some kilobytes can say so many
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # Pillow's others call programs, or are rarely looked at for defects


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
