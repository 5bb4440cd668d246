"""`jitcnn why`: which training images pushed a prediction where it is, and which labels are most worth checking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from . import options
from .output import percent, print_json, table
from .running import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from jitcnn.data import Dataset
    from jitcnn.influence import Influence
    from jitcnn.model import CNN


class Checkpoints(NamedTuple):
    """Models of one training, the one to explain last, with the learning rate at each; how many images they were trained on, if known."""

    models: list[CNN]
    rates: list[float]
    images: int | None


@command(
    "why",
    example="jitcnn why digits.json 18 --limit 5000\njitcnn why digits.json --limit 5000 --top 20\njitcnn why runs/digits --out labels.png",
)
@click.argument("model")
@click.argument("image", required=False, metavar="[IMAGE]")
@options.data_option
@click.option("--on", type=click.Choice(("test", "val", "train")), help="Whose number IMAGE is; test if not given.")
@click.option("--class", "class_name", metavar="NAME", help="IMAGE: why not this class? The predicted one if not given.")
@click.option("--limit", type=options.AT_LEAST_ONE, metavar="N", help="Only the first N training images; those of the RUN if not given.")
@click.option("--top", type=click.IntRange(1, 400), default=8, show_default=True, metavar="N", help="How many images are named.")
@click.option("--rerun", is_flag=True, help="Train the RUN again, to the same bits, and take the model after every epoch.")
@click.option("--out", type=options.NewFile(), metavar="FILE", help="A picture of them, .png or .svg.")
@options.threads_option
@options.json_option
def why(model: str, image: str | None, out: str | None, as_json: bool, **given: Any) -> None:
    """Name the training images that pushed a prediction where it is; without an IMAGE, the labels most worth checking.

    MODEL is a file that train wrote, or the folder of a run, whose best and last model count. IMAGE is a picture's file, or the number of
    one of the data's images.

    A training image speaks for a class as far as a step of gradient descent on it makes the IMAGE's loss for that class smaller: the
    product of both gradients, of all parameters, summed over the models, each times its learning rate (TracIn: Pruthi et al., 2020).
    An image whose own gradient is long stands against what all others teach: its label may be wrong.
    """
    if image is None and (given["on"] or given["class_name"]):
        raise click.UsageError("--on and --class are for an IMAGE.")
    options.allow_threads(given["threads"])
    if out is not None:
        from jitcnn.plots.style import check_ready

        check_ready(out)
    found = checkpoints_of(Path(model), given["rerun"], given["threads"])
    dataset = training_data(found, given)
    result, figure = about_image(found, dataset, image, given, out) if image is not None else about_labels(found, dataset, given, out)
    if figure is not None:
        from jitcnn import plots

        plots.save(figure, str(out))
    result = {"model": model, "data": dataset.name, "images": len(dataset.x), "checkpoints": len(found.models), **result}
    if as_json:
        print_json(result if out is None else {**result, "out": out})
    else:
        click.echo(report_image(result) if image is not None else report_labels(result))
        if out is not None:
            click.echo(f"\n{out}")


def checkpoints_of(path: Path, rerun: bool, threads: int | None) -> Checkpoints:
    """The model in a file, or those of a run's folder."""
    if path.is_dir():
        found = after_every_epoch(path, threads) if rerun else best_and_last(path)
    else:
        if rerun:
            raise click.UsageError("--rerun is for the folder of a run.")
        from jitcnn import storage

        found = Checkpoints([storage.load(path)], [1.0], None)
    for model in found.models:
        model.threads = threads
    return found


def best_and_last(path: Path) -> Checkpoints:
    """The models that a run has in its folder."""
    from jitcnn.runs.folder import Run

    run = Run(path)
    result, rates, images = run.config.get("result", {}), run.history["rate"], run.config.get("data", {}).get("images")
    models = [run.model("best")]
    epochs = [result.get("best-epoch", len(rates))]
    if "epochs" in result and (last := run.model("last")).digest() != models[0].digest():
        models.append(last)
        epochs.append(result["epochs"])
    if not all(isinstance(epoch, int) and 0 < epoch <= len(rates) for epoch in epochs):
        raise ValueError(f"{path}: its settings name epochs that are not in its history")
    used = [rates[epoch - 1] or 0.0 for epoch in epochs]
    return Checkpoints(models, used if any(used) else [1.0] * len(models), images)  # a schedule may end at 0


def after_every_epoch(path: Path, threads: int | None) -> Checkpoints:
    """A run's models after every epoch, by training it again."""
    import copy

    from jitcnn.progress import shows_bars

    from .run_again import SameHistory, plan_again, run_of

    class Keeping:
        def __init__(self) -> None:
            self.models: list[CNN] = []
            self.rates: list[float] = []

        def on_epoch_end(self, model: CNN, epoch: int, logs: Mapping[str, float]) -> bool:
            self.models.append(copy.deepcopy(model))
            self.rates.append(logs["rate"])
            return len(self.models) == wanted

    run, keeping = run_of(str(path)), Keeping()
    wanted = run.config.get("result", {}).get("epochs")
    plan = plan_again(run, threads)
    plan.model.train(plan.dataset.x, plan.dataset.y, **plan.arguments, callbacks=[SameHistory(run), keeping], progress=shows_bars())
    return Checkpoints(keeping.models, keeping.rates, len(plan.dataset.x))


def training_data(found: Checkpoints, given: Mapping[str, Any]) -> Dataset:
    """The data; of images that a run left out none are there."""
    from .evaluate import data_of

    model = found.models[-1]
    limits = [limit for limit in (given["limit"], found.images) if isinstance(limit, int)]
    dataset = data_of(model, given["data"], "train", min(limits, default=None))
    return replace(dataset, classes=model.classes or dataset.classes)


def about_image(found: Checkpoints, dataset: Dataset, image: str, given: Mapping[str, Any], out: str | None) -> tuple[dict[str, Any], Any]:
    """What pushed the prediction for an image, and the picture of it if one is wanted."""
    from jitcnn import plots
    from jitcnn.influence import influence

    from .plot import class_of, image_of, is_number

    model, top = found.models[-1], given["top"]
    numbered = is_number(image)
    place = {name: given[name] for name in ("data", "on") if given[name] is not None} if numbered else {}
    if not numbered and given["on"]:
        raise click.UsageError("--on is for an IMAGE that is a number.")
    pixels = image_of(model, {"image": image, **place})
    label = class_of(model, given["class_name"])
    pushed = influence(found.models, dataset.x, dataset.y, pixels, label, rates=found.rates, progress=True)
    outputs = model.predict(pixels)
    share = float(outputs[pushed.label] if len(outputs) > 1 else outputs[0] if pushed.label else 1 - outputs[0])
    result = {
        "image": image,
        "class": dataset.classes[pushed.label],
        "output": share,
        "for": named(pushed, pushed.speaking_for(top), dataset),
        "against": named(pushed, pushed.speaking_against(top), dataset),
    }
    return result, None if out is None else plots.influence(pushed, dataset.x, dataset.y, pixels, dataset.classes, top)


def named(pushed: Influence, numbers: np.ndarray, dataset: Dataset) -> list[dict[str, Any]]:
    """Images with their influence."""
    return [{**place_of(dataset, n), "influence": float(pushed.scores[n])} for n in numbers]


def place_of(dataset: Dataset, number: int) -> dict[str, Any]:
    """An image by its number, its label and, if it has one, its file."""
    files = dataset.files.get("train")
    place = {"image": int(number), "label": dataset.classes[int(dataset.y[number])]}
    return {**place, "file": files[number]} if files else place


def about_labels(found: Checkpoints, dataset: Dataset, given: Mapping[str, Any], out: str | None) -> tuple[dict[str, Any], Any]:
    """The labels most worth checking, and the picture of them if one is wanted."""
    from jitcnn import plots
    from jitcnn.influence import self_influence, suspects
    from jitcnn.scores import decide

    scores = self_influence(found.models, dataset.x, dataset.y, rates=found.rates, progress=True)
    numbers = suspects(scores, given["top"])
    said = decide(found.models[-1].predict(dataset.x[numbers]))
    entries = [
        {**place_of(dataset, n), "said": dataset.classes[int(taken)], "influence": float(scores[n])}
        for n, taken in zip(numbers, said, strict=True)
    ]
    figure = None if out is None else plots.suspects(dataset.x, dataset.y, numbers, scores, said, dataset.classes)
    return {"suspects": entries}, figure


def head(result: Mapping[str, Any]) -> str:
    """What was looked at."""
    count = result["checkpoints"]
    return f"{result['model']}, {count} model{'s' if count > 1 else ''}, {result['images']:,} training images of {result['data']}"


def report_image(result: Mapping[str, Any]) -> str:
    """What it says of an image, for people."""
    sides = [(f"spoke for {result['class']}", result["for"]), (f"spoke against {result['class']}", result["against"])]
    lines = [head(result), f"image {result['image']}: {result['class']} {percent(result['output'])}"]
    for title, entries in sides:
        lines += ["", table([[title, "label", "influence"], *([which(one), one["label"], f"{one['influence']:+.4g}"] for one in entries)])]
    return "\n".join(lines)


def report_labels(result: Mapping[str, Any]) -> str:
    """What it says of labels, for people."""
    rows: list[Sequence[str]] = [["labels to check", "label", "said", "influence on itself"]]
    rows += [[which(one), one["label"], one["said"], f"{one['influence']:.4g}"] for one in result["suspects"]]
    return f"{head(result)}\n\n{table(rows)}"


def which(entry: Mapping[str, Any]) -> str:
    """An image, as a table names it."""
    return str(entry.get("file", f"image {entry['image']}"))
