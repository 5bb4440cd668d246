"""`jitcnn summary`: what a network is made of."""

from __future__ import annotations

import click

from . import options
from .reading import open_model
from .running import command


@command("summary", example="jitcnn summary --preset deep")
@click.argument("model", required=False, metavar="[MODEL]")
@click.option("--preset", type=options.preset, help="A preset instead of a MODEL.")
def summary(model: str | None, preset: str | None) -> None:
    """Show a network layer by layer.

    MODEL is a file that train wrote, a run's folder, or a .toml with [[layers]] of your own; or name a preset.
    """
    if model is not None and preset is None:
        text = of_recipe(model) if model.lower().endswith(".toml") else of_model(model)
    elif preset is not None and model is None:
        text = of_preset(preset)
    else:
        raise click.UsageError("Give a MODEL or --preset, one of them.")
    click.echo(text)


def of_model(path: str) -> str:
    """Describe the model in a file or a run's folder."""
    model = open_model(path)
    data = model.data["name"] if model.data else "unknown data"
    return f"{model.summary()}\n\n{len(model.classes or [])} classes, trained on {data}, digest {model.digest()}"


def of_recipe(path: str) -> str:
    """Describe the network of a TOML file, on digits where it leaves the images to the data."""
    from jitcnn import recipe
    from jitcnn.presets import DIGITS
    from jitcnn.summary import shape_text

    from .train_config import KEYS, PARENT

    found = recipe.read(path)
    settings = found.tables.get("train", {})
    recipe.check_keys(f"{path}: [train]", settings, [key.replace("_", "-") for key in (*KEYS, PARENT)])
    shape = found.input_shape or DIGITS
    summary = found.build(input_shape=shape, classes=10, seed=0).summary()
    open_parts = [
        *([] if found.input_shape else [f"images of {shape_text(shape)}"]),
        *(["10 classes"] if found.takes_classes else []),
    ]
    notes = [f"shown for {' and '.join(open_parts)}: the data says which there are"] if open_parts else []
    notes += [", ".join(f"{name} = {value}" for name, value in settings.items())] if settings else []
    return "\n\n".join([str(summary), *notes])


def of_preset(name: str) -> str:
    """Describe a preset's network and its training."""
    from jitcnn.presets import PRESETS

    preset = PRESETS[name]
    return (
        f"{preset.build(seed=0).summary()}\n\n"
        f"{preset.optimizer}, learning rate {preset.learning_rate}, {preset.loss}, {preset.epochs} epochs, batches of {preset.batch_size}; "
        f"trained on {preset.train_limit:,} images, validated on {preset.validation_limit:,}"
        + (f", digits augmented with {preset.augment}" if preset.augment else "")
    )
