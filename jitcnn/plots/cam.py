"""Where in an image a class is seen: Grad-CAM and saliency."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.attribution import Attribution, attribute
from jitcnn.plots.mistakes import class_names_of
from jitcnn.plots.outputs import one_image
from jitcnn.plots.style import GREY, SEQUENTIAL, Sheet, largest, picture
from jitcnn.plots.tiles import as_shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jitcnn.model import CNN

WIDTH, PANEL, APART, BAR = 12.0, 2.7, 1.05, 1.2  # inches; a bar is never shorter than its label


@picture
def cam(model: "CNN", image: Any, label: int | None = None) -> "Figure":
    """Draw which parts of an image speak for a class: Grad-CAM, from the last convolution, and saliency, the gradient at each pixel.

    Parameters
    ----------
    model : CNN
    image : array (rows, columns, channels) or path
        One image as the model takes it, or a picture's file.
    label : int, optional
        The class's number; if missing, the two likeliest classes are drawn below each other, of a single output the likelier. A model
        without a convolution has no Grad-CAM.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If the model takes no images or gives no classes, there is no such class, or no matplotlib.
    """
    pixels = one_image(model, image)
    if pixels.ndim != 3:
        raise ValueError(f"the model takes {pixels.shape}, not images: there is nowhere to look")
    answer = model.predict(pixels)
    if answer.ndim != 1:
        raise ValueError(f"the model's output is {answer.shape}, not one score for each class: there is no class to explain")
    shares = np.array([1 - answer[0], answer[0]]) if len(answer) == 1 else answer
    likeliest = [int(k) for k in np.argsort(-shares, kind="stable")[: min(2, len(answer))]]
    labels = likeliest if label is None else [label]
    found = [attribute(model, pixels, k) for k in labels]
    sheet = Sheet(WIDTH, "Where a class is seen", ABOUT if found[0].grad_cam is not None else ABOUT_SALIENCY)
    names = class_names_of(model)
    probable = model.layers[-1].activation in ("softmax", "sigmoid")
    for k, attribution in zip(labels, found, strict=True):
        said = f"{100 * shares[k]:.1f} %" if probable else f"output {shares[k]:.3g}"
        _row(sheet, pixels, f"{names[k]}: {said}, score {attribution.score:.3g}", attribution)
    return sheet.finish()


ABOUT_SALIENCY = (
    "Saliency: how strongly the class's score, before softmax, answers to a change of each pixel. Grad-CAM needs a convolution, and this "
    "model has none."
)
ABOUT = (
    "Grad-CAM: what the last convolution sees that speaks for the class, laid over the image. Saliency: how strongly the class's score, "
    "before softmax, answers to a change of each pixel."
)


def _row(sheet: Sheet, pixels: np.ndarray, title: str, found: Attribution) -> None:
    """A class: the image, Grad-CAM over it, and saliency."""
    sheet.top += 0.3
    sheet.line(title, 0.5, weight="bold", size=11)
    top, left = sheet.top, Sheet.MARGIN
    shown = as_shown(pixels)
    high = PANEL * min(1.6, pixels.shape[0] / pixels.shape[1])
    sheet.image(shown, left, top, PANEL, high, cmap=GREY).axes.set_title("image")
    left += PANEL + 0.4
    heat = found.grad_cam
    if heat is not None:
        grey = shown if shown.ndim == 2 else shown.mean(axis=2)  # colours would mix with those of the map
        axes = sheet.image(grey, left, top, PANEL, high, cmap=GREY).axes
        axes.set_title(f"Grad-CAM, {heat.shape[0]} x {heat.shape[1]}" if heat.any() else "Grad-CAM: nothing speaks for it")
        rows, columns = pixels.shape[:2]
        extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
        scale = {"cmap": SEQUENTIAL, "vmin": 0, "vmax": largest(heat)}
        overlay = axes.imshow(heat, **scale, extent=extent, interpolation="bilinear", aspect="auto", alpha=0.6)  # type: ignore[arg-type]
        sheet.bar(overlay, left + PANEL + 0.12, top, max(high, BAR), "for the class")
        left += PANEL + APART
    saliency = sheet.image(found.saliency, left, top, PANEL, high, cmap=SEQUENTIAL, vmin=0, vmax=largest(found.saliency))
    saliency.axes.set_title("saliency")
    sheet.bar(saliency, left + PANEL + 0.12, top, max(high, BAR), "|gradient|")
    sheet.top = top + max(high, BAR)
