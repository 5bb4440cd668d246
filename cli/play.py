"""`jitcnn play`: a page on this machine, for looking into a model and training it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .output import CompilingLine, note
from .running import command

if TYPE_CHECKING:
    from jitcnn.data import Dataset
    from jitcnn.model import CNN

IMAGES = 5_000  # to train on, so that an epoch takes a moment
SUFFIXES = (".json", ".npz")


@command("play", example="jitcnn play\njitcnn play digits.json --open\njitcnn play --preset deep --out mine.json")
@click.argument("model", required=False, type=click.Path(), metavar="[MODEL]")
@options.data_option
@click.option("--preset", type=options.preset, help="The network where no MODEL is given; conv-pool if not given.")
@click.option(
    "--train-limit", type=options.AT_LEAST_ONE, default=IMAGES, show_default=True, metavar="N", help="Train on the first N images."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, metavar="N", help="Of a new network.")
@click.option("--out", type=click.Path(), metavar="FILE", help="Where the page saves the model, .json or .npz; MODEL if not given.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The page's port; a free one if not given.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@options.threads_option
def play(
    model: str | None,
    data: str | None,
    preset: str | None,
    train_limit: int,
    seed: int,
    out: str | None,
    port: int,
    opens: bool,
    threads: int | None,
) -> None:
    """Draw for a model, look into it, train it.

    Serves a page to this machine only, on 127.0.0.1, under an address with a random token; Ctrl-C ends it. MODEL is a saved model, trained
    or not; without one a new network begins, on the MNIST digits or on --data.
    """
    if model is not None and preset is not None:
        raise click.UsageError("--preset is for a new network: leave it out, or MODEL.")
    if out is not None and Path(out).suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"--out {out} ends with neither {' nor '.join(SUFFIXES)}.")
    options.allow_threads(threads)
    from jitcnn import data as datasets
    from jitcnn import storage
    from jitcnn.play.playground import Playground
    from jitcnn.play.server import Server

    if model is None:
        dataset: Dataset | None = datasets.load(data or "mnist", train_limit=train_limit)
        assert dataset is not None
        network = new_model(preset or "conv-pool", dataset, seed)
    else:
        network, dataset = storage.load(model), None
        if data is not None or is_of_digits(network):
            dataset = datasets.load(data or "mnist", train_limit=train_limit, preparation=network.preparation)
    network.threads = threads
    with CompilingLine(enabled=True):
        playground = Playground(network, dataset, out or model)
    with Server(playground.answers(), port) as server:
        click.echo(server.url)
        note("Only this machine sees the page. Ctrl-C ends it.")
        if opens:
            import webbrowser

            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            note("")
        finally:
            playground.close()


def is_of_digits(model: CNN) -> bool:
    """Whether the model was trained on the digits that come along, or takes and tells apart such images and nobody knows of what."""
    if model.data is not None:
        return model.data.get("name") == "mnist"
    return model.input_shape == (28, 28, 1) and model.output_shape == (10,)


def new_model(preset: str, dataset: Dataset, seed: int) -> CNN:
    """A preset's network for such images, untrained."""
    from jitcnn.presets import PRESETS

    model = PRESETS[preset].build(seed=seed, input_shape=dataset.x.shape[1:], classes=len(dataset.classes))
    model.preparation = replace(dataset.preparation or model.preparation, normalize=model.normalize, classes=tuple(dataset.classes))
    model.data = {"name": dataset.name, "digest": dataset.digest}
    if dataset.name == "mnist":  # its images were made so: pictures of digits become like them
        model.preparation = replace(model.preparation, resize="digit", invert="auto")
    return model
