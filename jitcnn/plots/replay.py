"""A step of training that was done once more: the batch's images and what each of them did."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.plots.style import GREY, Sheet, picture, plural, shortened
from jitcnn.plots.tiles import as_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.replay import Replay

WIDTH, ACROSS, APART, MOST = 12.0, 8, 0.2, 64


@picture
def replay(found: "Replay", names: Sequence[str] = ()) -> "Figure":
    """Draw the batch of a step, the image of the largest loss first, as the network saw it: augmented and normalized.

    Parameters
    ----------
    found : Replay
        What `jitcnn.replay.replay` returned, of images.
    names : sequence of str
        Of the classes; their numbers if there are none.

    Returns
    -------
    matplotlib Figure
        The 64 worst images of a batch that has more.

    Raises
    ------
    ValueError
        If the batch holds no images, or there is no matplotlib.
    """
    if found.x.ndim != 4:
        raise ValueError(f"x is {found.x.shape}: a batch is drawn of images, (images, rows, columns, channels)")
    sheet = Sheet(WIDTH, f"Step {found.step:,}, epoch {found.epoch}: loss {found.loss:.4g}", about(found))
    wide = (WIDTH - 2 * Sheet.MARGIN - (ACROSS - 1) * APART) / ACROSS
    high = wide * min(2.0, found.x.shape[1] / found.x.shape[2])
    lines = 2 + (found.labels is not None) + (found.weight is not None)
    room = 0.16 * lines + 0.1
    first = sheet.top + room
    for place, number in enumerate(found.worst[:MOST]):
        left = Sheet.MARGIN + (place % ACROSS) * (wide + APART)
        top = first + (place // ACROSS) * (high + room + 0.1)
        image = sheet.image(as_shown(found.x[number]), left, top, wide, high, cmap=GREY)
        image.axes.set_title(caption(found, int(number), names), size=8.5, loc="left")
    return sheet.finish()


def about(found: "Replay") -> str:
    """What the picture shows, in words."""
    count = len(found.images)
    shown = f"The {MOST} of {count} images with the largest losses" if count > MOST else f"All {plural(count, 'image')} of the batch"
    said = f"{shown}, the largest loss first, as the first layer took them."
    recent = found.recent
    if len(recent):
        said += f" The loss of the {plural(len(recent), 'image')} before was {recent.mean():.4g}."
    if (weight := found.weight) is not None:
        said += (
            f" Each image's part in the gradient of {weight.name} is below its loss; together they are {weight.gradient:+.3e}, and the "
            f"weight went from {weight.before:.6g} to {weight.after:.6g}."
        )
    return said


def caption(found: "Replay", number: int, names: Sequence[str]) -> str:
    """The lines above an image."""
    lines = [f"image {found.images[number]}"]
    if found.labels is not None and found.predictions is not None:
        lines.append(f"is {name_of(found.labels, number, names)}, said {name_of(found.predictions, number, names)}")
    lines.append(f"loss {found.losses[number]:.4g}")
    if found.weight is not None:
        lines.append(f"gradient {found.weight.by_image[number]:+.2e}")
    return "\n".join(lines)


def name_of(classes: np.ndarray, number: int, names: Sequence[str]) -> Any:
    """A class by its name, or its number."""
    return shortened(names[classes[number]], 8) if len(names) else classes[number]
