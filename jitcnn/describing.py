"""Models as numbers, strings, lists and dicts, and back. Nothing that a description says is run: it names classes known already."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jitcnn.forms.geometry import choice, integer
from jitcnn.layers import LAYERS, Layer
from jitcnn.losses import LOSSES
from jitcnn.optimizers import OPTIMIZERS
from jitcnn.preparation import Preparation


def describe_model(model: Any) -> dict[str, Any]:
    """Everything of a model but its parameters.

    Returns
    -------
    dict
        `architecture` (a list of `type`, `name` and `settings`, the arguments of the layer's class), `input_shape`, `dtype`,
        `seed`, `loss`, `label_smoothing`, `optimizer` (`name` and `settings`), `clip_norm`, `metrics`, `preparation` (what
        `Preparation.to_dict` gives), `data`, and how many `epochs` and `steps` it was trained.

    Raises
    ------
    ValueError
        If a layer, loss or optimizer cannot be described.
    """
    loss, optimizer = model.loss, model.optimizer
    if loss is not None and type(loss) is not LOSSES.get(loss.name):
        raise ValueError(f"the loss {type(loss).__name__} cannot be described: compile it with {' or '.join(LOSSES)} first")
    if optimizer is not None and type(optimizer) is not OPTIMIZERS.get(optimizer.name):
        raise ValueError(f"the optimizer {type(optimizer).__name__} cannot be described: compile it with another first")
    return {
        "architecture": [
            {"type": type(layer).__name__, "name": name, "settings": layer.describe()}
            for name, layer in zip(model.graph.names, model.layers, strict=True)
        ],
        "input_shape": None if model.input_shape is None else list(model.input_shape),
        "dtype": str(model.dtype),
        "seed": model.seed,
        "loss": None if loss is None else loss.name,
        "optimizer": None if optimizer is None else {"name": optimizer.name, "settings": optimizer.settings},
        "metrics": list(model.metrics),
        "label_smoothing": 0.0 if loss is None else loss.label_smoothing,
        "clip_norm": model.clip_norm,
        "preparation": model.preparation.to_dict(),
        "data": model.data,
        "epochs": model.epochs,
        "steps": int(model.steps[0]),
    }


def restore(model: Any, description: Mapping[str, Any], layers: Mapping[str, type[Layer]]) -> None:
    """Make an empty model what a description says. `layers` has classes that are not jitcnn's, by name.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If it is no description of a model; `reading` makes ValueErrors of them.
    """
    if description["input_shape"] is not None:
        model.graph.take_input_shape(tuple(integer("input_shape", size, at_least=1) for size in description["input_shape"]))
    for entry in description["architecture"]:
        model.add(layer_from_description(entry, layers))
    if description["loss"] is not None:
        choice("loss", description["loss"], LOSSES)
        name = choice("optimizer", description["optimizer"]["name"], OPTIMIZERS)
        optimizer = OPTIMIZERS[name](**description["optimizer"]["settings"])
        options = {name: description[name] for name in ("metrics", "label_smoothing", "clip_norm")}
        model.compile(optimizer, loss=description["loss"], **options)
    model.preparation = Preparation.from_dict(description["preparation"])
    model.data = description["data"]
    model.epochs = integer("epochs", description["epochs"], at_least=0)
    model.steps[0] = integer("steps", description["steps"], at_least=0)


def layer_from_description(entry: Mapping[str, Any], layers: Mapping[str, type[Layer]]) -> Layer:
    """A layer from its entry.

    Parameters
    ----------
    entry
        Its `type`, `name` and `settings`.
    layers
        Classes of layers that are not jitcnn's, by name.

    Raises
    ------
    ValueError
        If its type is unknown, or the settings are not those of its constructor.
    """
    kind = entry["type"]
    known = {**LAYERS, **layers}
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(
            f"the model has a layer of type {kind!r}, which is not one of jitcnn's: give its class, load(path, layers={{{kind!r}: …}})"
        )
    with reading(f"layer {entry['name']!r} ({kind})"):
        return known[kind](**entry["settings"])


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what Python raises where a description is not as expected into a ValueError that says where."""
    try:
        yield
    except OverflowError as error:
        raise ValueError(f"{what} cannot be read: a number, or a product of sizes, is too large") from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        fault = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{what} cannot be read: {fault}") from error
