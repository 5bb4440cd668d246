"""Where a picture's numbers come from in a model: layers of a kind, and the images behind flat rows of features."""

from typing import TYPE_CHECKING, Any

from jitcnn.layers import Activation, Conv2d, Dense, Dropout, Flatten

if TYPE_CHECKING:
    from jitcnn.layers.base import Layer, Shape
    from jitcnn.model import CNN


def layers_of(model: "CNN", kind: type[Any], layer: str | None) -> list[Any]:
    """A model's layers of a kind, or the one of this name.

    Raises
    ------
    ValueError
        If there are none, or the one named is of another kind.
    """
    found = [one for one in model.layers if isinstance(one, kind)]
    what = {"Conv2d": "convolution", "Dense": "dense layer"}[kind.__name__]
    if model.input_shape is None:
        raise ValueError("the shape of the model's images is not known yet: give its first layer an input_shape, or train it")
    if not found:
        kinds = ", ".join(model.graph.names) or "no layers"
        raise ValueError(f"the model has no {what} to show the weights of, only {kinds}")
    if layer is None:
        return found
    named = [one for one in found if one.name == layer]
    if not named:
        raise ValueError(f"layer is {layer!r}, and the model's are {', '.join(one.name for one in found)}: name one of them")
    return named


def sees_channels_of_image(model: "CNN", layer: "Layer") -> bool:
    """Whether a layer's input channels are those of the model's image: nothing that mixes channels lies before."""
    before = model.layers[: model.layers.index(layer)]
    return not any(isinstance(one, Conv2d | Dense | Flatten) or one.parameter_list for one in before)


def image_behind(model: "CNN", layer: "Layer") -> "Shape":
    """The shape (rows, columns, channels) of what was flattened into a dense layer's features; (1, 1, features) if nothing was."""
    assert layer.input_shape is not None
    for one in reversed(model.layers[: model.layers.index(layer)]):
        if isinstance(one, Flatten) and one.input_shape is not None and len(one.input_shape) == 3:
            return one.input_shape
        if not isinstance(one, Dropout | Activation | Flatten):
            break
    return (1, 1, *layer.input_shape)
