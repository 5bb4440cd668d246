"""Augmentation: what may happen to an image each time that it is trained on, by name, by settings, and within a recorded step."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from jitcnn import initializers, kernels
from jitcnn.engine.forward import Normalization
from jitcnn.forms.augment import setting, settings

#: How much a setting is that is named without a number: `--augment flip`.
USUAL = {
    "shift": 0.1, "rotate": 15.0, "scale": 0.15, "shear": 8.0, "flip": 0.5,
    "brightness": 0.2, "contrast": 0.3, "erase": 0.4, "noise": 0.05, "mixup": 0.2,
}  # fmt: skip


@dataclass(frozen=True)
class Augmentation:
    """How much images may change while a model is trained on them; never while it is measured or used.

    Each image is drawn for anew every epoch, from the model's seed, the epoch and the image's number alone. It works on the numbers as they
    came, before the model standardises them: so brightness and contrast mean what they say, and a model with `normalize="per-image"`
    undoes them again, except where they meet `erase`, `mixup` and noise. Formulas: `jitcnn.kernels.augment_images`.

    Parameters
    ----------
    shift : float
        At most this share of rows and of columns in each direction; what comes in is the nearest pixel of the edge.
    rotate, shear : float
        At most so many degrees to either side.
    scale : float
        Larger or smaller by at most this share.
    flip : float
        The chance to be mirrored left to right. Never for digits and text, which mean something else then, or nothing.
    brightness : float
        Lighter or darker by at most this share of the image's range (its largest number minus its smallest).
    contrast : float
        Differences from the mean grow or shrink by at most this share.
    erase : float
        A rectangle of at most this share of rows and of columns becomes the image's mean.
    noise : float
        Added to every number, with at most this standard deviation, as a share of the range.
    mixup : float
        Another image is mixed in with at most this weight, up to 0.5, and its label with the same weight.

    Raises
    ------
    ValueError
        If a setting is outside of its limits.

    Examples
    --------
    >>> from jitcnn import Augmentation
    >>> Augmentation.parse("digits,rotate=20").rotate
    20.0
    """

    shift: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    flip: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    erase: float = 0.0
    noise: float = 0.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            object.__setattr__(self, name, setting(name, value))

    def __bool__(self) -> bool:
        """Whether anything may change."""
        return any(getattr(self, name) for name in NAMES)

    def to_dict(self) -> dict[str, float]:
        """The settings that are not 0, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, values: Mapping[str, float]) -> Self:
        """An augmentation from settings by name; a ValueError if one is unknown."""
        for name in values:
            check_name(name)
        return cls(**values)

    @classmethod
    def parse(cls, text: str) -> "Augmentation":
        """An augmentation from words: a preset's name, then settings, "photos,flip=0,erase"; the settings alone will do.

        A setting without a number has a usual one (`USUAL`).

        Raises
        ------
        ValueError
            If a word is neither, or a number is no number or outside of its limits.
        """
        first, *rest = [word.strip() for word in text.split(",")]
        if first in PRESETS:
            return replace(PRESETS[first], **dict(map(parse_setting, rest)))
        return cls(**dict(map(parse_setting, (first, *rest))))

    def __str__(self) -> str:
        """Words from which `parse` makes the same augmentation."""
        return ",".join(f"{name}={repr(value).removesuffix('.0')}" for name, value in self.to_dict().items()) or "none"


NAMES = tuple(field.name for field in fields(Augmentation))

# On MNIST, the default network, 6 epochs, seed 0: 99.2 % of the test digits right without, 99.4 % with "light", 99.5 % with "digits". Noise
# and more rotation take some of that away, and erasing costs most on digits from elsewhere: it hides what tells them apart.
PRESETS = {
    "none": Augmentation(),
    "light": Augmentation(shift=0.05, rotate=5, scale=0.05, brightness=0.1, contrast=0.1),
    "digits": Augmentation(shift=0.06, rotate=12, scale=0.12, shear=12),
    "photos": Augmentation(shift=0.1, rotate=10, scale=0.2, shear=5, flip=0.5, brightness=0.2, contrast=0.3, erase=0.3),
}


def check_name(name: str) -> None:
    """Raise a ValueError unless a setting is called so."""
    if name not in NAMES:
        raise ValueError(f"augment has {name!r}, expected one of {', '.join(PRESETS)}, or of the settings {', '.join(NAMES)}")


def parse_setting(word: str) -> tuple[str, float]:
    """(name, value) from "rotate=20", or from "rotate"."""
    name, equals, number = word.partition("=")
    name = name.strip()
    check_name(name)
    if not equals:
        return name, USUAL[name]
    try:
        return name, setting(name, float(number))
    except ValueError as error:
        reason = f"{name} is {number.strip()!r}, expected a number" if "could not convert" in str(error) else str(error)
        raise ValueError(f"augment: {reason}") from None


def as_augmentation(augment: Any) -> Augmentation:
    """An augmentation from what users give: None, words as for `Augmentation.parse`, settings by name, or as it is.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if augment is None:
        return PRESETS["none"]
    if isinstance(augment, Augmentation):
        return augment
    if isinstance(augment, str):
        return Augmentation.parse(augment)
    if isinstance(augment, Mapping):
        return Augmentation.from_dict(augment)
    raise ValueError(f"augment is {augment!r}, expected one of {', '.join(map(repr, PRESETS))}, settings, or an Augmentation")


class Augmenter:
    """Augmentation within a recorded step: the step's calls, and the numbers they read, which change between steps.

    Attributes
    ----------
    augmentation : Augmentation
        What is done from now on.
    """

    def __init__(self, seed: int):
        self.key = int(initializers.generator(seed, 0, initializers.AUGMENT).integers(2**31))
        self.settings = settings()
        self.turn = np.zeros(2, np.int64)
        self.use(PRESETS["none"])

    def use(self, augmentation: Augmentation) -> None:
        """Augment so in the steps to come."""
        self.augmentation = augmentation
        self.settings[:] = settings(**asdict(augmentation))

    @property
    def calls(self) -> tuple[bool, bool]:
        """What tells recorded steps apart: whether images are augmented, and whether labels are mixed."""
        return bool(self.augmentation), self.augmentation.mixup > 0

    def begin(self, epoch: int, images: int) -> None:
        """An epoch over so many images begins."""
        self.turn[:] = epoch, images

    def take_images(self, step: Any, data: SimpleNamespace, normalization: Normalization) -> Any:
        """The batch's images, augmented, in a buffer."""
        x = step.buffer(data.images.shape[1:])
        alone = int(normalization.per_image)
        step.call(kernels.augment_images, data.images, data.order, data.position, self.turn, self.settings, x, alone, self.key)
        normalization.finish(step, x)
        return x

    def take_labels(self, step: Any, data: SimpleNamespace, labels: Any, outputs: int) -> Any:
        """The batch's part of labels, class numbers or rows of floats, as rows of floats, mixed where images are."""
        y = step.buffer((outputs,))
        step.call(kernels.mix_labels, labels, data.order, data.position, self.turn, self.settings, y, self.key)
        return y


UNCHANGED = Augmenter(0)
"""What evaluation does to images."""
