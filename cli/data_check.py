"""`jitcnn data check`: what may be wrong with a data set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import percent, print_json
from .reading import open_model, read
from .running import command

if TYPE_CHECKING:
    from jitcnn.data import Dataset

LEAKS = {"exact_duplicates": "where results are too good", "near_duplicates": "where results may be too good"}


@command("check", example="jitcnn data check mnist --model digits.json")
@click.argument("data", type=options.Source())
@click.option("--model", "model_path", metavar="MODEL", help="A model's file, or a run's folder: name the labels that it doubts most.")
@options.picture_options
@click.option("--most", type=options.AT_LEAST_ONE, default=10, show_default=True, metavar="N", help="Entries of a list that are shown.")
@options.json_option
def data_check(data: str, model_path: str | None, most: int, as_json: bool, **pictures: Any) -> None:
    """Look for what may be wrong with a data set.

    DATA is what train takes as --data: a name or a path. Finds pictures that are there twice, exactly or nearly, above all in two parts of
    the data; pictures that show next to nothing or have an unusual size; small classes. Pictures are stretched to one size if --resize says
    nothing else. With --model also labels that a trained model doubts, of pictures made as it takes them.
    """
    suspects = {} if model_path is None else {"suspects": doubted(data, model_path, most, pictures["strict"])}
    found = examine(read(data, usual="stretch", **pictures)) | suspects  # black beside a picture would hide that it is blank
    if os.path.isdir(data):
        found["odd_sizes"] = odd_sizes(os.path.abspath(data))
    if as_json:
        print_json(found)
    else:
        click.echo(report(found, most))


def examine(dataset: Dataset) -> dict[str, Any]:
    """Everything that can be said without a model."""
    import numpy as np

    from jitcnn.data import checking

    parts = checking.parts(dataset)
    images, labels = [x for x, _ in parts.values()], np.concatenate([y for _, y in parts.values()])
    places = places_of(dataset)
    exact = checking.exact_duplicates(images)
    near = sorted(set(checking.near_duplicates(images)) - set(exact))
    part_of = np.repeat(np.arange(len(images)), [len(x) for x in images])

    def described(pair: tuple[int, int]) -> dict[str, Any]:
        first, second = pair
        return {
            "first": places[first],
            "second": places[second],
            "labels": [dataset.classes[labels[number]] for number in pair],
            "leak": bool(part_of[first] != part_of[second]),
        }

    return {
        "data": dataset.name,
        "images": len(labels),
        "left_out": list(dataset.notes),
        "exact_duplicates": list(map(described, exact)),
        "near_duplicates": list(map(described, near)),
        "nearly_blank": [places[number] for number in checking.nearly_blank(images)],
        "small_classes": checking.small_classes(labels, dataset.classes),
    }


def places_of(dataset: Dataset) -> list[str]:
    """Which picture each image is: its file, or its number in its part."""
    from jitcnn.data import checking

    parts = checking.parts(dataset)
    return [place for part, (x, _) in parts.items() for place in dataset.files.get(part) or [f"{part} {n}" for n in range(len(x))]]


def odd_sizes(folder: str) -> list[dict[str, Any]]:
    """The picture files in a folder that differ much from the others."""
    from jitcnn.data.checking import odd_sizes

    return [{"file": os.path.join(folder, name), "width": width, "height": height} for name, (width, height) in odd_sizes(folder).items()]


def doubted(data: str, path: str, most: int, strict: bool) -> list[dict[str, Any]]:
    """The labels that a model doubts most, of pictures made as it takes them."""
    import numpy as np

    from jitcnn.data import checking, load

    model = open_model(path)
    dataset = load(data, preparation=model.preparation, strict=strict, progress=True)
    parts = checking.parts(dataset).values()
    outputs = np.concatenate([model.predict(x) for x, _ in parts])
    if outputs.shape[1:] == (1,):
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    if outputs.shape[1:] != (len(dataset.classes),):
        raise ValueError(f"{path} has outputs of {outputs.shape[1:]}, and {dataset.name} {len(dataset.classes)} classes: not its model")
    places, labels = places_of(dataset), np.concatenate([y for _, y in parts])
    return [
        {
            "image": places[suspect.number], "label": dataset.classes[suspect.label], "model": dataset.classes[suspect.predicted],
            "probability": suspect.probability, "loss": suspect.loss,
        }
        for suspect in checking.suspects(outputs, labels, most)
    ]  # fmt: skip


def report(found: dict[str, Any], most: int) -> str:
    """What was found as text."""
    lines = [f"{found['data']}: {found['images']:,} images"]
    if found["left_out"]:
        lines.append(f"left out: {len(found['left_out']):,}")
        lines += shorten(found["left_out"], most)
    for kind, word in (("exact_duplicates", "exact copies"), ("near_duplicates", "near copies")):
        pairs = found[kind]
        leaks = [pair for pair in pairs if pair["leak"]]
        torn = [pair for pair in pairs if len(set(pair["labels"])) > 1]
        lines.append(f"{word}: {len(pairs):,}" + (f", {len(leaks):,} of them in two parts, {LEAKS[kind]}" if leaks else ""))
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
