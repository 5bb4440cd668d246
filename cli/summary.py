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
    if (model is None) == (preset is None):
        raise click.UsageError("Give a model's file or --preset, one of them.")
    if preset is not None:
        from jitcnn import presets

        chosen = presets.PRESETS[preset]
        click.echo(chosen.build(seed=0).summary())
        click.echo(
            f"\n{chosen.optimizer}, learning rate {chosen.learning_rate}, {chosen.loss}, {chosen.epochs} epochs of batches of "
            f"{chosen.batch_size}; trained on {chosen.train_limit:,} images, validated on {chosen.validation_limit:,}"
        )
        return
    from jitcnn import storage

    loaded = storage.load(model)
    data = loaded.data["name"] if loaded.data else "unknown data"
    click.echo(loaded.summary())
    click.echo(f"\n{len(loaded.classes or [])} classes, trained on {data}, digest {loaded.digest()}")
