"""`jitcnn data check`: what may be wrong with a data set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import percent, print_json
from .running import command

if TYPE_CHECKING:
    import numpy as np

    from jitcnn.data import Dataset


LEAKS = {"exact_duplicates": "where results are too good", "near_duplicates": "where results may be too good"}


@command("check", example="jitcnn data check mnist --model digits.json")
@click.argument("data")
@click.option("--model", "model_path", metavar="MODEL", help="A model's file: name the labels that it doubts most.")
@click.option("--most", type=options.AT_LEAST_ONE, default=10, show_default=True, metavar="N", help="Entries of a list that are shown.")
@options.json_option
def data_check(data: str, model_path: str | None, most: int, as_json: bool) -> None:
    """Look for what may be wrong with a data set.

    DATA is what train takes as --data: a name or a path. Finds pictures that are there twice, exactly or nearly, above all in both parts of
    the data; pictures that show next to nothing or have an unusual size; small classes. With --model, labels that a trained model doubts.
    """
    from jitcnn.data import load

    dataset = load(data)
    found = examine(dataset)
    if os.path.isdir(data):
        found["odd_sizes"] = odd_sizes(data)
    if model_path is not None:
        found["suspects"] = doubted(dataset, model_path, most)
    if as_json:
        print_json(found)
    else:
        click.echo(report(found, most))


def examine(dataset: Dataset) -> dict[str, Any]:
    """Everything that can be said without a model."""
    from jitcnn.data import checking

    images, labels = checking.parts(dataset)
    exact = checking.exact_duplicates(images)
    near = sorted(set(checking.near_duplicates(images)) - set(exact))
    return {
        "data": dataset.name,
        "images": len(labels),
        "exact_duplicates": [pair_of(dataset, labels, pair) for pair in exact],
        "near_duplicates": [pair_of(dataset, labels, pair) for pair in near],
        "nearly_blank": [place(dataset, number) for number in checking.nearly_blank(images)],
        "small_classes": checking.small_classes(labels, dataset.classes),
    }


def odd_sizes(folder: str) -> list[dict[str, Any]]:
    """The picture files in a folder that differ much from the others."""
    from jitcnn.data.checking import odd_sizes

    return [{"file": path, "width": width, "height": height} for path, (width, height) in odd_sizes(folder).items()]


def place(dataset: Dataset, number: int) -> str:
    """Which image it is: its number in its part."""
    train = len(dataset.x)
    return f"train {number}" if number < train else f"test {number - train}"


def pair_of(dataset: Dataset, labels: np.ndarray, pair: tuple[int, int]) -> dict[str, Any]:
    """Two pictures that look alike, and what that means."""
    first, second = pair
    return {
        "first": place(dataset, first),
        "second": place(dataset, second),
        "labels": [dataset.classes[labels[number]] for number in pair],
        "leak": first < len(dataset.x) <= second,
    }


def doubted(dataset: Dataset, path: str, most: int) -> list[dict[str, Any]]:
    """The labels that a model doubts most."""
    import numpy as np

    from jitcnn import storage
    from jitcnn.data import checking

    model = storage.load(path)
    images, labels = checking.parts(dataset)
    outputs = np.concatenate([model.predict(part) for part in images])
    if outputs.shape[1:] == (1,):
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    if outputs.shape[1:] != (len(dataset.classes),):
        raise ValueError(f"{path} has outputs of {outputs.shape[1:]}, and {dataset.name} {len(dataset.classes)} classes: not its model")
    return [
        {
            "image": place(dataset, suspect.number), "label": dataset.classes[suspect.label], "model": dataset.classes[suspect.predicted],
            "probability": suspect.probability, "loss": suspect.loss,
        }
        for suspect in checking.suspects(outputs, labels, most)
    ]  # fmt: skip


def report(found: dict[str, Any], most: int) -> str:
    """What was found as text."""
    lines = [f"{found['data']}: {found['images']:,} images"]
    for kind, word in (("exact_duplicates", "exact copies"), ("near_duplicates", "near copies")):
        pairs = found[kind]
        leaks = [pair for pair in pairs if pair["leak"]]
        torn = [pair for pair in pairs if len(set(pair["labels"])) > 1]
        lines.append(f"{word}: {len(pairs):,}" + (f", {len(leaks):,} of them in both parts, {LEAKS[kind]}" if leaks else ""))
        shown = sorted(pairs, key=lambda pair: (len(set(pair["labels"])) < 2, not pair["leak"]))
        lines += shorten([f"{pair['first']} = {pair['second']} ({spell(pair['labels'])})" for pair in shown], most)
        if torn:
            lines.append(f"  {len(torn):,} of these pairs have two different labels")
    lines.append(f"nearly blank: {len(found['nearly_blank']):,}")
    lines += shorten(found["nearly_blank"], most)
    small = found["small_classes"]
    lines.append(f"classes of fewer than 10 images: {len(small):,}")
    lines += shorten([f"{name}: {count}" for name, count in small.items()], most)
    if found.get("odd_sizes"):
        lines.append(f"unusual sizes: {len(found['odd_sizes']):,}")
        lines += shorten([f"{entry['file']}: {entry['width']} x {entry['height']}" for entry in found["odd_sizes"]], most)
    if "suspects" in found:
        lines.append(f"labels that the model doubts most: {len(found['suspects']):,}")
        lines += [
            f"  {entry['image']}: labelled {entry['label']}, looks like {entry['model']} ({percent(entry['probability'])})"
            for entry in found["suspects"]
        ]
    return "\n".join(lines)


def spell(labels: list[str]) -> str:
    """One label, or both where they differ."""
    return " / ".join(dict.fromkeys(labels))


def shorten(entries: list[str], most: int) -> list[str]:
    """The first entries, and how many more there are."""
    more = [f"  … {len(entries) - most:,} more (--json has all)"] if len(entries) > most else []
    return [*(f"  {entry}" for entry in entries[:most]), *more]
