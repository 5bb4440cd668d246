"""Writing models to files in the text's format.

A JSON object: "model" is "CNN", and every other key is a layer's name, in the order of the layers. Its value has "type", the class, and of
`KEYS` those that such a layer has, as the layers' attributes of these names; arrays are nested lists.
`jitcnn.save` writes a format of its own, which is smaller, and holds the optimizer too.
"""

import json
import os
from typing import Any

import numpy as np

from jitcnn.storage.atomic import replace_file

KEYS = (
    "name", "isbias", "neurons", "input_shape", "output_shape", "weights", "biases", "activation", "parameters", "filters", "kernel_size",
    "padding", "prob", "stride", "kind",
)  # fmt: skip


def save_model(model: Any, path: str | os.PathLike = "model.json") -> None:
    """Write a model to a file that `load_model` reads, and the text's own code too.

    Parameters
    ----------
    model : CNN
        `save_model(m, path)` and `m.save_model(path)` are the same.
    path : path
        Where to; a file that is there is replaced once the new one is whole.
    """
    document: dict[str, Any] = {"model": type(model).__name__}
    for layer in model.layers:
        entry = {key: plain(getattr(layer, key)) for key in KEYS if hasattr(layer, key)}
        document[layer.name] = {"type": type(layer).__name__, **entry}
    replace_file(path, lambda stream: stream.write(json.dumps(document).encode()))
    print("\nModel Saved.")


def plain(value: Any) -> Any:
    """Arrays as nested lists, anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray) else value
