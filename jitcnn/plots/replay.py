"""A step of training that was done once more: the batch's images and what each of them did."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jitcnn.plots.influence import WIDTH, name_of, rows
from jitcnn.plots.style import Sheet, picture, plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.replay import Replay

MOST = 64


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
    worst = found.worst[:MOST]
    rows(sheet, found.x[worst], [caption(found, int(number), names) for number in worst])
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
        lines.append(f"is {name_of(int(found.labels[number]), names)}, said {name_of(int(found.predictions[number]), names)}")
    lines.append(f"loss {found.losses[number]:.4g}")
    if found.weight is not None:
        lines.append(f"gradient {found.weight.by_image[number]:+.2e}")
    return "\n".join(lines)
