"""What a model makes of one image, layer by layer, in the form in which the page fetches it: a header in JSON, then float32 numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from jitcnn.layers import Conv2d, Dropout, Flatten
from jitcnn.model import CNN
from jitcnn.play.images import encode, number
from jitcnn.play.tracing import Trace

MOST_MAPS = 64  # channels of a layer that are sent
MOST_NUMBERS = 2**18  # of a layer that are sent


def pack(header: dict[str, Any], arrays: Sequence[np.ndarray]) -> bytes:
    """Length of the header (4 bytes, little-endian), header, numbers one after the other.

    The header is padded with spaces to a multiple of four bytes.
    """
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in arrays)


def shown(array: np.ndarray) -> np.ndarray:
    """The part of a layer's output that is sent: channels first, at most `MOST_MAPS` of them; of a row its first numbers."""
    if array.ndim != 3:
        return array.reshape(-1)[:MOST_NUMBERS]
    rows, columns, channels = array.shape
    count = max(1, min(channels, MOST_MAPS, MOST_NUMBERS // (rows * columns)))
    return np.moveaxis(array[..., :count], 2, 0)


def shown_filters(layer: Conv2d, outputs: int) -> np.ndarray | None:
    """The filters of the maps that are sent, (rows, columns, channels, filters), unless there are too many numbers."""
    filters = layer.parameters["weights"][..., :outputs]
    return filters if filters.size <= MOST_NUMBERS else None


def described(name: str, kind: str, array: np.ndarray, sent: np.ndarray, passes: bool = False) -> dict[str, Any]:
    """What the page needs to know about an array that follows."""
    finite = array[np.isfinite(array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return {
        "name": name,
        "kind": kind,
        "shape": list(array.shape),
        "sent": list(sent.shape),
        "low": low,
        "high": high,
        "strange": int(array.size - finite.size),
        "passes": passes,
    }


def look(model: CNN, image: np.ndarray) -> bytes:
    """Every layer's output for one image, packed; the network's input, as it is after normalization, comes first."""
    outputs = model.layer_outputs(image)
    first, _ = next(iter(outputs.values()))
    arrays, layers = [shown(first)], [described("input", "Input", first, shown(first))]
    for layer, (name, (_, y)) in zip(model.layers, outputs.items(), strict=True):
        passes = isinstance(layer, Flatten | Dropout)  # the same numbers once more
        arrays.append(np.empty(0) if passes else shown(y))
        layers.append(described(name, type(layer).__name__, y, arrays[-1], passes))
        if isinstance(layer, Conv2d) and (filters := shown_filters(layer, len(arrays[-1]))) is not None:
            arrays.append(filters)
            layers[-1]["weights_sent"] = list(filters.shape)
    said = np.append(1 - y, y) if is_yes_or_no(model) else y
    header = {"layers": layers, "outputs": [number(value) for value in said] if y.ndim == 1 else None, "image": encode(image)}
    return pack(header, arrays)


def is_yes_or_no(model: CNN) -> bool:
    """Whether the only output is the probability of the second of two classes."""
    return model.output_shape == (1,) and model.layers[-1].activation == "sigmoid"


def look_back(found: Trace) -> bytes:
    """The gradients that a trace holds, packed: with respect to the input first, then to each layer's output."""
    gradients = [(found.start, found.layers[0].grad_x), *((passage, passage.grad_y) for passage in found.layers)]
    arrays, layers = [], []
    for passage, gradient in gradients:
        assert gradient is not None
        passes = passage.kind in (Flatten.__name__, Dropout.__name__)
        arrays.append(np.empty(0) if passes else shown(gradient))
        layers.append(described(passage.name, passage.kind, gradient, arrays[-1], passes))
        layers[-1]["calls"] = [call.name for call in passage.backward]
    return pack({"layers": layers, "loss": None if found.end is None else number(found.end.y[0])}, arrays)
