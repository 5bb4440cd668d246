"""An image's way through a model in numbers: for each layer a few inputs, kernels and outputs that matter most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jitcnn.layers import Conv2d, Dense, Dropout, Flatten
from jitcnn.plots.graph import settings_of
from jitcnn.plots.structure import image_behind
from jitcnn.plots.style import class_names, plural, shortened

if TYPE_CHECKING:
    from jitcnn.layers.base import Layer
    from jitcnn.model import CNN


class Cell(NamedTuple):
    """A small picture: a title, the numbers (rows, columns), NaN where there is none, and whether they are weights."""

    title: str
    array: np.ndarray
    is_weights: bool = False


class Triple(NamedTuple):
    """Input, kernel (or what the layer does, in words) and output."""

    input: Cell
    kernel: Cell | str
    output: Cell


@dataclass(frozen=True)
class Stage:
    """What a layer makes of the image.

    Attributes
    ----------
    name
        The layer's.
    about
        What it is.
    how
        How the outputs that are shown were chosen, and what stands between input and output.
    triples
        None where there is nothing to see.
    """

    name: str
    about: str
    how: str
    triples: list[Triple]


def stages(model: "CNN", image: np.ndarray, most: int) -> list[Stage]:
    """The way of one image, as the model takes it, through every layer; at most so many triples a layer."""
    arrays = model.layer_outputs(image)
    found = []
    for layer, (x, y) in zip(model.layers, arrays.values(), strict=True):
        x, y = x.astype(np.float64), y.astype(np.float64)
        if isinstance(layer, Conv2d):
            how, triples = _convolution(layer, x, y, most)
        elif isinstance(layer, Dense):
            names = class_names(model, layer.units) if layer is model.layers[-1] else [str(k) for k in range(layer.units)]
            how, triples = _dense(layer, image_behind(model, layer), x, y, names, most)
        elif isinstance(layer, Dropout | Flatten):
            how = "in prediction everything passes" if isinstance(layer, Dropout) else "the same numbers, pixel by pixel, channels together"
            triples = []
        else:
            how, triples = _other(layer, x, y, most)
        found.append(Stage(layer.name, settings_of(layer), how, triples))
    return found


def strongest(y: np.ndarray, most: int) -> list[int]:
    """The numbers of the channels with the largest mean magnitude, the largest first."""
    return [int(k) for k in np.argsort(-np.abs(y).mean(axis=(0, 1)), kind="stable")[:most]]


def _convolution(layer: Conv2d, x: np.ndarray, y: np.ndarray, most: int) -> tuple[str, list[Triple]]:
    weights = np.asarray(layer.weights.value, np.float64)
    channels = x.shape[2]
    triples = []
    for k in strongest(y, most):
        reach = np.abs(weights[:, :, :, k]).sum(axis=(0, 1)) * np.abs(x).mean(axis=(0, 1))
        i = int(np.argmax(reach))
        kernel = Cell(f"kernel {i} → {k}", weights[:, :, i, k], is_weights=True)
        triples.append(Triple(Cell(f"input {i}", x[:, :, i]), kernel, Cell(f"output {k}", y[:, :, k])))
    summed = "input * kernel" if channels == 1 else f"input * kernel summed over {channels} channels"
    shown = "" if channels == 1 else "; shown is the channel that weighs most"
    activation = f", then {layer.activation}" if layer.activation else ""
    bias = " + bias" if layer.use_bias else ""
    return f"{_chosen(len(triples), y.shape[2])}: {summed}{bias}{activation}{shown}", triples


def _chosen(shown: int, count: int) -> str:
    return f"{plural(count, 'output')}" if shown == count else f"the {shown} strongest of {plural(count, 'output')}"


def _dense(layer: Dense, shape: Sequence[int], x: np.ndarray, y: np.ndarray, names: Sequence[str], most: int) -> tuple[str, list[Triple]]:
    weights = np.asarray(layer.weights.value, np.float64)
    bias = np.zeros(len(y)) if layer.bias is None else np.asarray(layer.bias.value, np.float64)
    triples = []
    for k in [int(k) for k in np.argsort(-y, kind="stable")[:most]]:
        product = x * weights[:, k]
        maps = [as_maps(array, shape) for array in (x, weights[:, k], product)]
        i = int(np.argmax(np.abs(np.nansum(maps[2], axis=(0, 1)))))
        part = float(np.nansum(maps[2][..., i]))
        what = f"input {i}" if maps[0].shape[2] > 1 else "input"
        triples.append(
            Triple(
                Cell(what, maps[0][..., i]),
                Cell(f"weights for {shortened(names[k], 9)}", maps[1][..., i], is_weights=True),
                Cell(f"product, sum {part:+.3g}", maps[2][..., i], is_weights=True),
            )
        )
        if maps[0].shape[2] > 1:
            total = float(product.sum() + bias[k])
            triples[-1] = triples[-1]._replace(output=triples[-1].output._replace(title=f"product {part:+.3g} of {total:+.3g}"))
    parts = f"; shown is the one of {shape[2]} channels that adds or takes most" if shape[0] * shape[1] > 1 and shape[2] > 1 else ""
    return f"{_chosen(len(triples), len(y))}: bias + the sum of input x weights{parts}", triples


def as_maps(features: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Features as the images that were flattened into them, (rows, columns, channels); if they never were, one nearly square."""
    rows, columns, channels = shape
    if rows * columns > 1:
        return features.reshape(rows, columns, channels)
    side = math.ceil(math.sqrt(len(features)))
    grid = np.full(math.ceil(len(features) / side) * side, np.nan)
    grid[: len(features)] = features
    return grid.reshape(-1, side, 1)


def _other(layer: "Layer", x: np.ndarray, y: np.ndarray, most: int) -> tuple[str, list[Triple]]:
    """Pooling, and whatever makes an image of an image."""
    if x.ndim != 3 or y.ndim != 3:
        return "", []
    what: Any = getattr(layer, "kind", None) or layer.activation or type(layer).__name__.lower()
    alike = x.shape[2] == y.shape[2]
    triples = []
    for k in strongest(y, most):
        source = k if alike else 0
        triples.append(Triple(Cell(f"input {source}", x[:, :, source]), what, Cell(f"output {k}", y[:, :, k])))
    return f"{_chosen(len(triples), y.shape[2])}{', channel by channel' if alike else ''}", triples
