"""`jitcnn plot`: pictures of what a model has learned and does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options
from .evaluate import data_of, images_of
from .reading import open_model
from .running import command

if TYPE_CHECKING:
    import numpy as np

    from jitcnn.model import CNN

# Kind -> the options that it takes, and whether it is drawn of an image.
KINDS = {
    "filters": {"layer"},
    "outputs": {"image", "data", "on"},
    "history": set(),
    "confusion": {"data", "on", "limit"},
    "mistakes": {"data", "on", "limit", "count"},
    "graph": set(),
    "cam": {"image", "data", "on", "class_name"},
    "weights": {"layer"},
}


@command(
    "plot",
    example="jitcnn plot digits.json filters\njitcnn plot digits.json confusion --out confusion.svg\njitcnn plot digits.json outputs 18\n"
    "jitcnn plot runs/conv-pool history",
)
@click.argument("model")
@click.argument("kind", type=click.Choice(tuple(KINDS)), metavar="KIND")
@click.argument("image", required=False, metavar="[IMAGE]")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="The picture's file, .png or .svg; KIND.png if not given.")
@click.option("--layer", metavar="NAME", help="filters, weights: this layer alone, such as conv2.")
@options.data_option
@click.option("--on", type=click.Choice(options.PARTS), help="Which of the data's images; test if not given.")
@click.option("--limit", type=options.AT_LEAST_ONE, metavar="N", help="confusion, mistakes: only the first N images.")
@click.option("--count", type=click.IntRange(1, 400), metavar="N", help="mistakes: how many are drawn; 24 if not given.")
@click.option("--class", "class_name", metavar="NAME", help="cam: a class by name or number; the two likeliest if not given.")
@options.threads_option
def plot(model: str, kind: str, image: str | None, out: str | None, threads: int | None, **settings: Any) -> None:
    """Draw what a model has learned and does.

    MODEL is a file that train wrote, or the folder of a run. KIND says what to draw:

    \b
    filters    the kernels of its convolutions, by layer and channel
    outputs    the way of an IMAGE through every layer: input, kernel, output
    history    loss and accuracy by epoch, of a run
    confusion  which classes it takes for which
    mistakes   the images that it is most sure about and wrong
    graph      its layers, with sizes, parameters and work
    cam        where in an IMAGE a class is seen: Grad-CAM and saliency
    weights    a dense layer's weights, one picture for each class

    IMAGE is a picture's file, or the number of one of the data's images. The data are those that the model was trained on, or --data.
    Needs matplotlib: pip install 'jitcnn[plots]'.
    """  # noqa: D301  # \b is for click, which then leaves the lines of a paragraph as they are
    given = {name: value for name, value in {"image": image, **settings}.items() if value is not None}
    check_options(kind, given)
    path = out or f"{kind}.png"
    options.allow_threads(threads)
    from jitcnn import plots
    from jitcnn.plots.style import check_suffix

    check_suffix(path)
    if kind == "history":
        figure = plots.history(history_of(Path(model)))
    else:
        figure = draw(open_model(model, threads), kind, given)
    plots.save(figure, path)
    click.echo(path)


def history_of(path: Path) -> dict[str, list[float | None]]:
    """The history of a run, of whose folder, or a model in it, this is the path."""
    from jitcnn.runs.folder import CONFIG, Run

    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    folder = path if path.is_dir() else path.parent
    if not (folder / CONFIG).exists():
        raise ValueError(f"{path}: the history is not here: give the folder of a run, such as runs/default")
    return Run(folder).history


def check_options(kind: str, given: dict[str, Any]) -> None:
    """Raise a UsageError if something is given that the kind does not use, or IMAGE is missing."""
    names = {name: {"image": "IMAGE", "class_name": "--class"}.get(name, f"--{name}") for name in given}
    surplus = [names[name] for name in given if name not in KINDS[kind]]
    if surplus:
        takers = [other for other in KINDS if next(iter(given.keys() - KINDS[kind])) in KINDS[other]]
        raise click.UsageError(f"{surplus[0]} is not for {kind}, only for {', '.join(takers)}.")
    if "image" in KINDS[kind] and "image" not in given:
        raise click.UsageError(f"{kind} needs an IMAGE: a picture's file, or the number of one of the data's images.")


def draw(model: CNN, kind: str, given: dict[str, Any]) -> Any:
    """The picture."""
    from jitcnn import plots

    if kind in ("filters", "weights"):
        return getattr(plots, kind)(model, given.get("layer"))
    if kind == "outputs":
        return plots.outputs(model, image_of(model, given))
    if kind == "confusion":
        return plots.confusion(model, *labelled(model, given))
    if kind == "mistakes":
        return plots.mistakes(model, *labelled(model, given), given.get("count", 24))
    if kind == "cam":
        return plots.cam(model, image_of(model, given), class_of(model, given.get("class_name")))
    return plots.graph(model)


def labelled(model: CNN, given: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The data's images and labels."""
    on = given.get("on", "test")
    return images_of(data_of(model, given.get("data"), on, given.get("limit")), on)


def image_of(model: CNN, given: dict[str, Any]) -> np.ndarray:
    """The image that IMAGE means: a file's, or one of the data's."""
    image = given["image"]
    if not is_number(image):
        if "data" in given or "on" in given:
            raise click.UsageError("--data and --on are for an IMAGE that is a number.")
        return model.prepare(image)
    number = int(image)
    images, _ = labelled(model, {**given, "limit": number + 1})
    if number >= len(images):
        raise ValueError(f"IMAGE is {number}, and there are {len(images):,}, from 0 to {len(images) - 1:,}")
    return images[number]


def is_number(image: str) -> bool:
    """Whether IMAGE is a number of one of the data's images, not a file."""
    return image.isdecimal() and not Path(image).exists()


def class_of(model: CNN, name: str | None) -> int | None:
    """The number of the class of this name, or of this number if none has the name."""
    names = model.classes or []
    if name is None or name in names:
        return None if name is None else names.index(name)
    if not name.isdecimal():
        known = f"its classes are {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else "its classes have no names"
        raise ValueError(f"--class is {name}, and no class of the model is called so: {known}; a number will do too")
    return int(name)
