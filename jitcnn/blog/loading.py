"""Reading models from files in the text's format; see `jitcnn.blog.saving`."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from jitcnn.blog.base import TextLayer, engine_shape
from jitcnn.blog.layers import FFL, Conv2d, Dropout, Flatten, Pool2d, TrainableLayer, Upsample
from jitcnn.blog.network import CNN

MODELS = ("CNN", "Sequential")  # the text's repository calls the same class by the second name


def load_model(path: str | os.PathLike = "model.json", engine: str = "fast") -> CNN:
    """Read a model that `save_model` wrote, here or in the text.

    The text's convolutions added their biases whatever `isbias` said; where a file holds biases they are added here too.

    Parameters
    ----------
    path : path
        Where from.
    engine : "fast", "loops" or "python"
        What trains and predicts.

    Returns
    -------
    CNN
        Ready to predict; call its `compile_model` to train on.

    Raises
    ------
    ValueError
        If the file is no such model.
    OSError
        If it cannot be read.
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(document, dict) or document.get("model") not in MODELS:
        raise ValueError(f'{path}: not a model of the text: expected an object with "model": "CNN", and a layer under each other key')
    network = CNN(engine=engine)
    for name, entry in document.items():
        if name == "model":
            continue
        try:
            layer = layer_from(entry, is_first=not network.layers)
            network.add(layer)
            check_shape(layer, entry["output_shape"])
            if isinstance(layer, TrainableLayer):
                set_parameters(layer, entry)
        except KeyError as error:
            raise ValueError(f"{path}: '{name}' lacks {error}") from error
        except (AttributeError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: '{name}': {error}") from error
    print("Model Loaded...")
    return network


def layer_from(entry: dict[str, Any], is_first: bool) -> TextLayer:
    """The layer that an entry of a file describes, without weights; the first one knows its input's shape."""
    layer = MAKERS[entry["type"]](entry) if entry["type"] in MAKERS else None
    if layer is None:
        raise ValueError(f"its type is {entry['type']!r}, expected one of {', '.join(MAKERS)}")
    if is_first:
        layer.input_shape = entry["input_shape"]
    return layer


def has_biases(entry: dict[str, Any]) -> bool:
    """Whether there are biases in the file."""
    return isinstance(entry.get("biases"), list)


MAKERS = {
    "FFL": lambda entry: FFL(neurons=entry["neurons"], activation=entry["activation"], is_bias=has_biases(entry)),
    "Conv2d": lambda entry: Conv2d(
        filters=entry["filters"],
        kernel_size=entry["kernel_size"],
        isbias=has_biases(entry),
        activation=entry["activation"],
        stride=entry["stride"],
        padding=entry["padding"],
    ),
    "Pool2d": lambda entry: Pool2d(entry["kernel_size"], entry["stride"], entry["kind"], entry["padding"]),
    "Dropout": lambda entry: Dropout(entry["prob"]),
    "Flatten": lambda entry: Flatten(),
    "Upsample": lambda entry: Upsample(entry["kernel_size"]),
}


def check_shape(layer: TextLayer, wanted: Any) -> None:
    """Raise a ValueError unless the layer's output has the shape that the file gives."""
    assert layer.output_shape is not None
    if engine_shape(layer.output_shape) != engine_shape(wanted):
        raise ValueError(f"its output is {layer.output_shape}, and the file says {wanted}")


def set_parameters(layer: TrainableLayer, entry: dict[str, Any]) -> None:
    """Give the layer the file's weights and biases, compared first with what it takes, before memory is taken for that."""
    given = {"weights": np.array(entry["weights"], np.float64)}
    if has_biases(entry):
        given["bias"] = np.array(entry["biases"], np.float64)
    for parameter in layer.layer.parameter_list:
        values = given[parameter.name]
        if values.size != parameter.size or (parameter.name == "weights" and values.shape != parameter.shape):
            raise ValueError(f"its {parameter.name} are {values.shape}, expected {parameter.shape}")
    layer.weights = given["weights"]
    if "bias" in given:
        layer.biases = given["bias"]
