"""`jitcnn train --check`: some seconds that tell, before a training is waited for, whether it can work."""

from __future__ import annotations

import copy
import math
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from jitcnn import initializers, storage
from jitcnn.model import CNN
from jitcnn.summary import shape_text

from .output import percent, print_json
from .running import FAILED, Failure
from .train_config import Order
from .train_measure import parts_of
from .train_plan import Plan, make_plan

BATCH = 32  # images that are learnt by heart
STEPS = 300  # in which they have to be
MEASURED = 256  # images of a part
FAR = 2  # times as much as guessing loses


class Finding(NamedTuple):
    """What was looked at, whether it is as it should be, and a sentence about it."""

    check: str
    ok: bool
    text: str


class AllLearnt:
    """A callback that ends training once every image is right."""

    def on_epoch_end(self, model: CNN, epoch: int, logs: Mapping[str, float]) -> bool:
        """Whether to end it."""
        return logs["accuracy"] == 1


def check(order: Order) -> None:
    """Look at the data, the network and the disk, say what was found, and train nothing that is kept."""
    plan = make_plan(order)
    model = copy.deepcopy(plan.model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about what is only tried
        found = [shapes(plan), *learning(plan, model), *measuring(plan, model), saving(model)]
    wrong = [one.check for one in found if not one.ok]
    if order.output.as_json:
        print_json({"ok": not wrong, "checks": [one._asdict() for one in found]})
    else:
        click.echo("\n".join(f"{'ok' if one.ok else 'LOOK':4}  {one.text}" for one in found))
    if wrong:
        raise Failure(f"not as it should be: {', '.join(wrong)}", FAILED)


def shapes(plan: Plan) -> Finding:
    """What goes in and comes out."""
    x, classes = plan.dataset.x, len(plan.dataset.classes)
    images = f"{len(x):,} images of {shape_text(x.shape[1:])}, {x.dtype}"
    return Finding(
        "shapes", True, f"{images}, in {classes} classes; the network has outputs of {shape_text(plan.model.output_shape or ())}"
    )


def learning(plan: Plan, model: CNN) -> list[Finding]:
    """The loss at the start, and whether one batch can be learnt by heart; the model learns it."""
    x, y, classes = plan.dataset.x, plan.dataset.y, len(plan.dataset.classes)
    batch = np.sort(initializers.generator(model.seed, 0, initializers.SHUFFLE).permutation(len(x))[:BATCH])
    history = model.train(x[batch], y[batch], epochs=STEPS, batch_size=BATCH, callbacks=[AllLearnt()], on_nan="ignore", progress=False)
    first, guessing, right = history["loss"][0], math.log(classes), model.evaluate(x[batch], y[batch])["accuracy"]
    found = []
    if plan.settings.loss in (None, "cross_entropy"):
        text = f"loss at the start {first:.2f}; guessing among {classes} classes gives ln({classes}) = {guessing:.2f}"
        advice = "" if first < FAR * guessing else ": too far above it, look at --normalize and at the layers"
        found.append(Finding("loss at the start", first < FAR * guessing, text + advice))
    steps = len(history["loss"])
    learnt = f"{len(batch)} images learnt by heart in {steps} steps"
    missed = (
        f"only {percent(right)} of {len(batch)} images learnt by heart in {steps} steps: another --lr, see --find-lr, or a larger network"
    )
    return [*found, Finding("one batch by heart", right > 0.95, learnt if right > 0.95 else missed)]


def measuring(plan: Plan, model: CNN) -> list[Finding]:
    """Whether the images to validate on, and to test with, can be measured."""
    parts = parts_of(plan, train=False)
    for x, y in parts.values():
        model.evaluate(x[:MEASURED], y[:MEASURED])
    return [Finding(part, True, f"{part}: {len(x):,} images can be measured") for part, (x, _) in parts.items()]


def saving(model: CNN) -> Finding:
    """Whether a file gives the model back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        same, size = storage.load(path).digest() == model.digest(), path.stat().st_size
    return Finding(
        "saving", same, f"saved and read again: {size:,} bytes" if same else "the model that was saved is not the one that is read"
    )


def refuse_beside_check(output: Any) -> None:
    """A usage error for what tests something else; what goes on with a run is refused with all else that its settings decide."""
    if output.find_lr:
        raise click.UsageError("--check looks before a new training: leave --resume and --find-lr out.")
