"""`jitcnn eval`: how right a model is, class by class."""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import decimals, note, percent, print_json, table
from .reading import open_model
from .running import command

if TYPE_CHECKING:
    import numpy as np

    from jitcnn.data import Dataset
    from jitcnn.model import CNN

MOST_COLUMNS = 20


@command("eval", example="jitcnn eval runs/default/best.json")
@click.argument("model")
@options.data_option
@click.option(
    "--on",
    type=click.Choice(options.PARTS),
    help="Which of the data's images; test if not given, and with --reject-at val, where images are set apart to validate on.",
)
@click.option("--limit", type=options.AT_LEAST_ONE, metavar="N", help="Only the first N of them.")
@click.option("--reject-at", type=options.Share(), metavar="SHARE", help="From which probability on is such a share (99%) right?")
@options.top_option
@options.threads_option
@options.json_option
def evaluate(
    model: str,
    data: str | None,
    on: str | None,
    limit: int | None,
    reject_at: float | None,
    top: int | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Measure a model class by class.

    MODEL is a file that train wrote, or a run's folder, of which the model is taken that the run came to. Measured are all test images of
    the data that it was trained on, or of other data; without any, those that training set apart to validate on.
    """
    options.allow_threads(threads)
    loaded = open_model(model, threads)
    wanted = on or ("test" if reject_at is None else "val")
    dataset = data_of(loaded, data, wanted, limit)
    if on is None and dataset.x_val is None:
        wanted = "test"
    x, y = images_of(dataset, wanted)
    result = {"model": model, "data": dataset.name, "images": len(x), **measure(loaded, x, y, reject_at, top)}
    if on is None and wanted == "val":
        note("measured on the images to validate on, so that those to test with stay unseen; --on test for these")
    if wanted == "test" and dataset.x_test is None:
        measured = "all its images" if dataset.x_val is None else "those set apart to validate on"
        note(f"{dataset.name} has no test images: measured on {measured}")
    if as_json:
        print_json(result)
    else:
        click.echo(report(result))


def data_of(model: CNN, source: str | None, on: str, limit: int | None) -> Dataset:
    """Load the data given, or those that the model names, which have to be the ones it was trained on; divided as training did."""
    from jitcnn.data.splits import divided

    named = model.data or {}
    dataset = load_data(model, named, source, on, limit)
    if on == "test" and dataset.x_test is not None:
        return dataset
    dataset = divided(dataset, named, model.seed, on)
    x_val, y_val = (None if part is None else part[:limit] for part in (dataset.x_val, dataset.y_val))
    return replace(dataset, x=dataset.x[:limit], y=dataset.y[:limit], x_val=x_val, y_val=y_val)


def load_data(model: CNN, named: dict[str, Any], source: str | None, on: str, limit: int | None) -> Dataset:
    """Load them; only as many as are wanted, but all of those that training divided."""
    from jitcnn.data import load

    train_limit = None if named.keys() & {"validation", "folds"} else limit
    read = functools.partial(load, train_limit=train_limit, test_limit=1 if on == "train" else limit, preparation=model.preparation)
    if source is not None:
        return read(source)
    if not (isinstance(named.get("name"), str) and isinstance(named.get("digest"), str)):
        raise ValueError("the model's file names no data: say with --data which")
    try:
        dataset = read(named["name"])
    except ValueError as error:
        raise ValueError(f"the data that the model names cannot be read, say with --data where they are: {error}") from error
    if dataset.digest != named["digest"]:
        raise ValueError(
            f"{dataset.name} is not what the model was trained on (digest {dataset.digest}, the model's file says "
            f"{named['digest']}): give --data {dataset.name} to measure on it all the same"
        )
    return dataset


def images_of(dataset: Dataset, on: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of a part of the data; without test images those set apart to validate on, without such all of them."""
    if on == "test" and dataset.x_test is not None and dataset.y_test is not None:
        return dataset.x_test, dataset.y_test
    if on != "train" and dataset.x_val is not None and dataset.y_val is not None:
        return dataset.x_val, dataset.y_val
    if on == "val":
        raise ValueError(f"of {dataset.name} no images were set apart to validate on: measure --on test")
    return dataset.x, dataset.y


def measure(model: CNN, x: np.ndarray, y: np.ndarray, reject_at: float | None = None, top: int | None = None) -> dict[str, Any]:
    """Everything that `eval` reports, as JSON has it."""
    from jitcnn import kernels
    from jitcnn.scores import confusion_matrix, decide, per_class, reject_below

    measured = model.evaluate(x, y)
    model.predict(x[:1])  # prepares the program, so that the seconds are those of predicting
    started = time.perf_counter()
    outputs = model.predict(x)
    seconds = time.perf_counter() - started
    names = model.classes or [str(number) for number in range(max(2, outputs.shape[1]))]
    if top is not None:
        options.check_top("top", top, outputs.shape[1])
        measured[f"top{top}"] = float(kernels.score(outputs, y, top=top).mean())
    confusion = confusion_matrix(y, decide(outputs), len(names))
    rejecting = {}
    if reject_at is not None:
        confidence = abs(outputs[:, 0] - 0.5) + 0.5 if outputs.shape[1] == 1 else outputs.max(axis=1)
        found = reject_below(confidence, decide(outputs) == y, reject_at)
        if found is None:
            raise ValueError(f"at no probability are {percent(reject_at)} of the answers right: ask for less with --reject-at")
        rejecting = {"reject": dict(zip(("below", "accuracy", "rejected"), found, strict=True))}
    return {
        "accuracy": measured.get("accuracy", confusion.trace() / len(x)),
        **{name: value for name, value in measured.items() if name != "accuracy"},
        "images_per_second": len(x) / seconds,
        "per_class": per_class(confusion, names),
        "confusion": confusion.tolist(),
        **rejecting,
    }


def report(result: dict[str, Any]) -> str:
    """Set the tables."""
    from jitcnn.metrics import largest

    classes = result["per_class"]
    reject = result.get("reject")
    tops = "".join(f", {name} {percent(value)}" for name, value in result.items() if largest(name))
    rejecting = []
    if reject is not None:
        right, left_out = percent(reject["accuracy"]), percent(reject["rejected"])
        rejecting = [f"predict --reject {reject['below']:.6f}: {right} of the answers are right, {left_out} of the images are rejected"]
    lines = [
        f"{result['model']} on {result['images']:,} images of {result['data']}",
        f"loss {decimals(result['loss'])}, accuracy {percent(result['accuracy'])}{tops}, {result['images_per_second']:,.0f} images/s",
        *rejecting,
        "",
        table(
            [["class", "images", "precision", "recall"]]
            + [[one["class"], f"{one['images']:,}", percent(one["precision"]), percent(one["recall"])] for one in classes]
        ),
        "",
    ]
    if len(classes) > MOST_COLUMNS:
        return "\n".join([*lines, f"The confusion matrix of {len(classes)} classes is in --json."])
    names = [one["class"] for one in classes]
    rows = [[name, *map(str, row)] for name, row in zip(names, result["confusion"], strict=True)]
    return "\n".join([*lines, "true class (row) and predicted class (column)", table([["", *names], *rows])])
