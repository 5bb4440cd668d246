"""`jitcnn summary`: what a network is made of."""

from __future__ import annotations

import click

from . import options
from .running import command


@command("summary", example="jitcnn summary --preset deep")
@click.argument("model", required=False, metavar="[MODEL]")
@click.option("--preset", type=options.preset, help="A preset instead of a model's file.")
def summary(model: str | None, preset: str | None) -> None:
    """Show a network layer by layer.

    MODEL is a file that train wrote; or name a preset.
    """
    if model is not None and preset is None:
        text = of_file(model)
    elif preset is not None and model is None:
        text = of_preset(preset)
    else:
        raise click.UsageError("Give a model's file or --preset, one of them.")
    click.echo(text)


def of_file(path: str) -> str:
    """Describe the model in a file."""
    from jitcnn import storage

    model = storage.load(path)
    data = model.data["name"] if model.data else "unknown data"
    return f"{model.summary()}\n\n{len(model.classes or [])} classes, trained on {data}, digest {model.digest()}"


def of_preset(name: str) -> str:
    """Describe a preset's network and its training."""
    from jitcnn.presets import PRESETS

    preset = PRESETS[name]
    return (
        f"{preset.build(seed=0).summary()}\n\n"
        f"{preset.optimizer}, learning rate {preset.learning_rate}, {preset.loss}, {preset.epochs} epochs, batches of {preset.batch_size}; "
        f"trained on {preset.train_limit:,} images, validated on {preset.validation_limit:,}"
    )
