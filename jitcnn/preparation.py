"""From a picture to the numbers that a model takes: one way, stored with the model, for training, evaluation and prediction alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from jitcnn.checks import finite, positive
from jitcnn.decoding import as_channels_last, decode, is_pillow
from jitcnn.digits import digit
from jitcnn.forms.geometry import choice, integer
from jitcnn.pixels import by_strips, grey_of, on_white, resample, white_of

NORMALIZATIONS = (None, "per-image", "dataset")
RESIZES = ("pad", "crop", "stretch", "digit")
GREYS = {"ITU-R BT.601": (0.299, 0.587, 0.114)}
INVERSIONS = (False, True, "auto")
DIGIT = (28, 28)
CHANNELS = (1, 3)  # of pictures; arrays of other numbers of channels are taken as they are
MOST_CLASSES = 65_536


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
            given = self.size if self.channels is None else f"{self.size} with {self.channels} channels"
            raise ValueError(f"resize is 'digit', which makes 28 x 28 grey pixels, and size is {given}: leave it out")
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
            If it is no picture, is damaged, or has more pixels than `jitcnn.decoding.MOST_PIXELS` or Pillow's limit; if an array fits
            none of the above; or if Pillow is needed and not there.
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
        grey = replace(self, resize="pad", invert=False)._coloured(pixels)[..., 0]
        levels = grey * (np.float32(255) / white_of(grey))
        return digit(levels, dark_ink=None if self.invert == "auto" else bool(self.invert))[..., None]

    def _coloured(self, pixels: np.ndarray) -> np.ndarray:
        """With the channels wanted, and inverted."""
        if pixels.shape[2] in (2, 4):
            pixels = on_white(pixels)
        if pixels.shape[2] != self.channels:
            pixels = self._grey(pixels) if self.channels == 1 else np.repeat(pixels, 3, axis=2)
        if self.invert == "auto":
            raise ValueError("invert is 'auto', which only resize='digit' decides: say True for dark on light, or False (--invert yes|no)")
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
