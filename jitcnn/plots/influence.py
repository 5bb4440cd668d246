"""Training images that pushed a prediction where it is, and images whose labels are worth checking."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.plots.style import GREY, Sheet, picture, plural, shortened
from jitcnn.plots.tiles import as_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.influence import Influence

WIDTH, ACROSS, APART = 12.0, 8, 0.2
WIDE = (WIDTH - 2 * Sheet.MARGIN - (ACROSS - 1) * APART) / ACROSS


@picture
def influence(pushed: "Influence", x: Any, y: Any, image: Any, names: Sequence[str] = (), count: int = 8) -> "Figure":
    """Draw an image, the training images that spoke for its class, and those that spoke against it, the strongest first.

    Parameters
    ----------
    pushed : Influence
        What `jitcnn.influence.influence` returned for `x`, `y` and `image`.
    x, y : arrays
        Images and class numbers.
    image : array
        The image.
    names : sequence of str
        Of the classes; their numbers if there are none.
    count : int
        How many of each.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If `x` holds no images, or there is no matplotlib.
    """
    check_images(x)
    name = name_of(pushed.label, names)
    about = (
        f"Below are the training images that most made the network say {name}, then those that most made it say something else. The "
        f"numbers: the product of their gradient with this image's, in units of loss for each unit of learning rate."
    )
    sheet = Sheet(WIDTH, f"Why {name}?", about)
    rows(sheet, [image], ["this image"])
    sides = ("Spoke for", pushed.speaking_for(count)), ("Spoke against", pushed.speaking_against(count))
    for title, numbers in sides:
        sheet.top += 0.3
        sheet.line(f"{title} {name}", 0.25, weight="bold")
        lines = [f"image {n}, {name_of(int(y[n]), names)}\n{pushed.scores[n]:+.4g}" for n in numbers]
        rows(sheet, [x[n] for n in numbers], lines)
    return sheet.finish()


@picture
def suspects(
    x: Any, y: Any, numbers: Sequence[int] | np.ndarray, scores: np.ndarray, said: Sequence[int] | np.ndarray, names: Sequence[str] = ()
) -> "Figure":
    """Draw images whose labels are worth checking.

    Parameters
    ----------
    x, y : arrays
        Images and class numbers.
    numbers : sequence of int
        Which of them, as `jitcnn.influence.suspects` names them.
    scores : array
        The `self_influence` of all images.
    said : sequence of int
        What a model takes those images for.
    names : sequence of str
        Of the classes; their numbers if there are none.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If `x` holds no images, or there is no matplotlib.
    """
    check_images(x)
    about = f"Of {plural(len(x), 'image')}, those that stand most against what all others teach: their own gradient's squared length."
    sheet = Sheet(WIDTH, "Labels most worth checking", about)
    lines = [
        f"image {n}: {scores[n]:.4g}\nlabelled {name_of(int(y[n]), names)}\nsaid {name_of(int(taken), names)}"
        for n, taken in zip(numbers, said, strict=True)
    ]
    rows(sheet, [x[n] for n in numbers], lines)
    return sheet.finish()


def rows(sheet: Sheet, images: Any, captions: Sequence[str]) -> None:
    """Draw images in rows below what is there, each with lines above it."""
    if not len(images):
        return
    room = 0.16 * (captions[0].count("\n") + 1) + 0.1
    high = WIDE * min(2.0, np.shape(images[0])[0] / np.shape(images[0])[1])
    first = sheet.top + room
    for place, (pixels, caption) in enumerate(zip(images, captions, strict=True)):
        left = Sheet.MARGIN + (place % ACROSS) * (WIDE + APART)
        top = first + (place // ACROSS) * (high + room + 0.1)
        sheet.small(as_shown(np.asarray(pixels)), left, top, WIDE, high, cmap=GREY)
        sheet.text(caption, left, top - 0.06, va="bottom", size=8.5)


def check_images(x: Any) -> None:
    """Raise a ValueError unless there are images to draw."""
    if np.ndim(x) != 4:
        raise ValueError(f"x is {np.shape(x)}: what is drawn is images, (images, rows, columns, channels)")


def name_of(label: int, names: Sequence[str]) -> str:
    """A class by its name, or its number."""
    return shortened(names[label], 10) if len(names) else str(label)
