"""The same network with other settings: another number of filters, other dropout."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from jitcnn.layers import Conv2d, Dropout, Layer
from jitcnn.model import CNN


@dataclass(frozen=True)
class Settings:
    """What the page's sliders say.

    Attributes
    ----------
    rate : float
        Learning rate.
    filters : int
        Of the first convolution; the others keep their proportion to it. 0 for a network without any.
    dropout : float
        Of every dropout layer; where there is none, and this is not 0, one is put before the last layer with weights.
    batch : int
        Images in a step.
    left_out : int or None
        A class that is not trained on.
    """

    rate: float
    filters: int
    dropout: float
    batch: int
    left_out: int | None = None

    @property
    def network(self) -> tuple[int, float]:
        """What another network is needed for."""
        return self.filters, self.dropout


def settings_of(model: CNN, batch: int) -> Settings:
    """Those that a model has."""
    assert model.optimizer is not None
    convolutions = [layer for layer in model.layers if isinstance(layer, Conv2d)]
    dropouts = [layer for layer in model.layers if isinstance(layer, Dropout)]
    filters = convolutions[0].filters if convolutions else 0
    return Settings(model.optimizer.learning_rate, filters, dropouts[0].rate if dropouts else 0.0, batch)


def rebuilt(model: CNN, settings: Settings, *, keep_weights: bool) -> CNN:
    """A network like the model with these settings, and the same seed.

    Parameters
    ----------
    keep_weights
        Whether it has the model's weights, if they have the same shapes; otherwise it begins anew.
    """
    assert model.optimizer is not None and model.loss is not None and model.input_shape is not None
    other = CNN(layers_of(model.layers, settings), seed=model.seed, dtype=str(model.dtype), engine=model.engine, threads=model.threads)
    other.graph.take_input_shape(model.input_shape)
    other.preparation = replace(model.preparation)
    optimizer = type(model.optimizer)(**{**model.optimizer.settings, "learning_rate": settings.rate})
    other.compile(optimizer, loss=copy(model.loss), metrics=model.metrics)
    other.data = model.data
    if keep_weights and list(model.parameter_shapes.values()) == list(other.parameter_shapes.values()):
        for new, old in zip(other.parameters.values(), model.parameters.values(), strict=True):
            new[...] = old
    return other


def layers_of(layers: Sequence[Layer], settings: Settings) -> list[Layer]:
    """New layers like these."""
    weighted = [number for number, layer in enumerate(layers) if layer.parameter_list]
    first = next((layer.filters for layer in layers if isinstance(layer, Conv2d)), 1)
    has_dropout = any(isinstance(layer, Dropout) for layer in layers)
    made: list[Layer] = []
    for number, layer in enumerate(layers):
        arguments: dict[str, Any] = layer.describe()
        if isinstance(layer, Dropout):
            arguments["rate"] = settings.dropout
        elif isinstance(layer, Conv2d) and number != weighted[-1]:  # a last convolution has a filter for each class
            arguments["filters"] = max(1, round(layer.filters * settings.filters / first))
        if not has_dropout and settings.dropout and number == weighted[-1]:
            made.append(Dropout(settings.dropout))
        made.append(type(layer)(**arguments))
    return made
