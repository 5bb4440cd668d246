"""A model's forward pass as a list of operations: what every writer works from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from jitcnn.forms.geometry import Sides
from jitcnn.layers import LAYERS, Activation, Conv2d, Dense, Dropout, Flatten, Layer, Pool2d, Upsample
from jitcnn.layers.geometry import padded

if TYPE_CHECKING:
    from jitcnn.model import CNN

Shape = tuple[int, ...]
NO_PADDING = ((0, 0), (0, 0))


class Operation(NamedTuple):
    """One call of the forward pass.

    Attributes
    ----------
    name
        As in `operations.py`: "standardize", "standardize_channels", "pad_edge", "conv2d", "pool2d", "dense", "upsample2d", "flatten", or
        an activation's.
    layer
        Name of the layer that it belongs to, "image" before the first one.
    input_shape, output_shape
        Of one image.
    settings
        By name, as `operations.py` takes them: `mean`, `deviation`, `stride`, `padding` ((top, bottom), (left, right)), `kind`, `size`,
        `factor`.
    parameters
        Whether `layer/weights` and `layer/bias` come with it.
    """

    name: str
    layer: str
    input_shape: Shape
    output_shape: Shape
    settings: Mapping[str, Any] = MappingProxyType({})
    parameters: bool = False


def operations(model: CNN) -> list[Operation]:
    """Return the operations in order, from the image as it comes; layers that do nothing in prediction have none.

    Raises
    ------
    ValueError
        If the shape of an image is not known yet, or a layer is none of jitcnn's own.
    """
    shape = model.input_shape
    if shape is None or not model.layers:
        raise ValueError("the model does not know the shape of its images yet: give its first layer input_shape, or train it")
    model.graph.claim()
    found = _normalization(model, shape)
    for layer in model.layers:
        if type(layer) not in _PARTS:
            raise ValueError(
                f"{layer.name} is a layer of one's own ({type(layer).__name__}), which has no forward pass elsewhere: convert writes "
                f"{', '.join(LAYERS)}"
            )
        found += _PARTS[type(layer)](layer)
    return found


def _normalization(model: CNN, shape: Shape) -> list[Operation]:
    how = model.normalization
    if how.mean is not None and how.deviation is not None:
        settings = {"mean": tuple(how.mean.tolist()), "deviation": tuple(how.deviation.tolist())}
        return [Operation("standardize_channels", "image", shape, shape, settings)]
    return [Operation("standardize", "image", shape, shape)] if how.per_image else []


def _conv(layer: Any) -> list[Operation]:
    before, shape, padding = _border(layer)
    settings = {"stride": layer.stride, "padding": padding}
    return [*before, Operation("conv2d", layer.name, shape, layer.output_shape, settings, parameters=True), *_activation(layer)]


def _pool(layer: Any) -> list[Operation]:
    before, shape, padding = _border(layer)
    settings = {"kind": layer.kind, "size": layer.kernel_size, "stride": layer.stride, "padding": padding}
    return [*before, Operation("pool2d", layer.name, shape, layer.output_shape, settings)]


def _border(layer: Any) -> tuple[list[Operation], Shape, Sides]:
    """What copies the border pixels, if that is asked for; then shape and padding of what the layer itself sees."""
    if layer.padding != "edge" or layer.sides == NO_PADDING:
        return [], layer.input_shape, layer.sides
    shape = padded(layer.input_shape, layer.sides)
    return [Operation("pad_edge", layer.name, layer.input_shape, shape, {"padding": layer.sides})], shape, NO_PADDING


def _dense(layer: Any) -> list[Operation]:
    return [Operation("dense", layer.name, layer.input_shape, layer.output_shape, parameters=True), *_activation(layer)]


def _flatten(layer: Any) -> list[Operation]:
    return [Operation("flatten", layer.name, layer.input_shape, layer.output_shape)]


def _upsample(layer: Any) -> list[Operation]:
    return [Operation("upsample2d", layer.name, layer.input_shape, layer.output_shape, {"factor": layer.factor})]


def _activation(layer: Any) -> list[Operation]:
    return [Operation(layer.activation, layer.name, layer.output_shape, layer.output_shape)] if layer.activation else []


_PARTS: dict[type[Layer], Callable[[Any], list[Operation]]] = {
    Conv2d: _conv,
    Pool2d: _pool,
    Dense: _dense,
    Dropout: lambda layer: [],
    Flatten: _flatten,
    Upsample: _upsample,
    Activation: _activation,
}
