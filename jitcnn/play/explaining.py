"""A number of a trace explained: the calls that made it, one after the other, with their terms and the lines that add them up."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jitcnn.engine.parameter import Parameter
from jitcnn.learn.source import place, source
from jitcnn.model import CNN
from jitcnn.play.images import number
from jitcnn.play.terms import TERMS
from jitcnn.play.terms.base import Index
from jitcnn.play.terms.copies import of_take_images
from jitcnn.play.tracing import Call, Passage, Trace, trace
from jitcnn.reference import conv, pool
from jitcnn.reference.prepared import PREPARED

EPSILON = 1e-5  # by which a weight is changed to see what the loss does
MOST_WORK = 400_000  # multiplications with an addition that the plain loops are run for while somebody waits

# Where the numbers of a kernel are added up: the functions to read, and the lines in them that do it.
LINES: dict[str, tuple[Sequence[Callable[..., Any]], Sequence[str]]] = {
    "conv2d": ((PREPARED["conv2d"],), ("total = b[o]", "total +=", "y[n, i, j, o] = total")),
    "dense": ((PREPARED["dense"],), ("total = b[o]", "total +=", "y[n, o] = total")),
    "pool2d": ((PREPARED["pool2d"], pool.extreme, pool.average), ("y[n, i, j, c] =", "best = x[n, row", "total +=", "return")),
    "upsample2d": ((PREPARED["upsample2d"],), ("y[n, i, j, c] =",)),
    "pad2d": ((PREPARED["pad2d"],), ("y[n, i, j, c] =",)),
    "relu": ((PREPARED["relu"],), ("flat_y[i] =",)),
    "sigmoid": ((PREPARED["sigmoid"],), ("small =", "flat_y[i] =")),
    "tanh": ((PREPARED["tanh"],), ("flat_y[i] =",)),
    "softmax": ((PREPARED["softmax"],), ("rows_y[row, k] = ", "total +=", "rows_y[row, k] /=")),
    "conv2d_grad_weights": ((PREPARED["conv2d_grad_weights"], conv.sum_of_meetings), ("total +=", "grad_w[u, v, c, o] =")),
    "dense_grad_weights": ((PREPARED["dense_grad_weights"],), ("total +=",)),
    "bias_grad": ((PREPARED["bias_grad"],), ("total +=",)),
    "conv2d_grad_input": ((PREPARED["conv2d_grad_input"],), ("total +=", "grad_x[n, row, column, c] +=")),
    "dense_grad_input": ((PREPARED["dense_grad_input"],), ("total +=",)),
    "pool2d_grad_input": ((PREPARED["pool2d_grad_input"], pool.find, pool.share), ("grad_x[n, row, column, c] +=", "part =")),
    "upsample2d_grad_input": ((PREPARED["upsample2d_grad_input"],), ("total +=",)),
    "pad2d_grad_input": ((PREPARED["pad2d_grad_input"],), ("grad_x[n, row, column, c] +=",)),
    "relu_grad": ((PREPARED["relu_grad"],), ("flat_grad_x[i] =",)),
    "sigmoid_grad": ((PREPARED["sigmoid_grad"],), ("flat_grad_x[i] =",)),
    "tanh_grad": ((PREPARED["tanh_grad"],), ("flat_grad_x[i] =",)),
    "softmax_grad": ((PREPARED["softmax_grad"],), ("total +=", "rows_grad_x[row, k] =")),
    "cross_entropy": ((PREPARED["cross_entropy"],), ("grad[n, k] =", "grad[n, labels[n]] -=")),
    "binary_cross_entropy": ((PREPARED["binary_cross_entropy"],), ("grad[n, k] =",)),
    "mse": ((PREPARED["mse"],), ("grad[n, k] =",)),
    "take_images": ((PREPARED["take_images"],), ()),
}


@functools.cache
def lines_of(name: str) -> tuple[dict[str, Any], ...]:
    """The functions that compute a kernel, as they are written, and the numbers of the lines that matter, from 0."""
    functions, wanted = LINES[name]
    return tuple(shown(function, wanted) for function in functions)


def shown(function: Callable[..., Any], wanted: Sequence[str] = ()) -> dict[str, Any]:
    """A function's place, its text, and which lines begin with what is wanted."""
    try:
        text = source(function, docstring=False)
        where = place(function)
    except (OSError, TypeError, ValueError):  # written in a shell, or compiled
        text, where = f"# {getattr(function, '__name__', 'function')}: its source cannot be read", inspect.getmodule(function).__name__  # type: ignore[union-attr]
    marks = [k for k, line in enumerate(text.splitlines()) if line.strip().startswith(tuple(wanted))] if wanted else []
    return {"place": where, "text": text, "marks": marks}


def explain(model: CNN, found: Trace, what: str, layer: str, index: Index, parameter: str = "") -> dict[str, Any]:
    """How a number comes about.

    Parameters
    ----------
    model, found
        The model, and the trace of one image through it.
    what
        "value": a number of a layer's output; "gradient": of the gradient with respect to it; "weight": of the gradient of a parameter.
    layer
        Its name, or "input".
    index
        (row, column, channel), (feature,), or the index of a weight.
    parameter
        Its name within the layer.

    Returns
    -------
    dict
        `value`, as the model's engine has it, and `steps`, one for each call on the way.

    Raises
    ------
    ValueError
        If there is no such number.
    """
    passage = found.find(layer)
    array: np.ndarray | None
    if what == "value":
        array, steps = passage.y, lambda: value_steps(found, passage, index)
    elif what == "gradient":
        if passage.grad_y is None and passage is not found.start:
            raise ValueError("there are no gradients without a label or an output")
        array = found.layers[0].grad_x if passage is found.start else passage.grad_y
        steps = lambda: gradient_steps(found, passage, index)  # noqa: E731
    elif what == "weight":
        name = f"{layer}/{parameter}"
        if name not in found.gradients:
            raise ValueError(f"parameter is {parameter!r}, and {layer} has none of that name with a gradient")
        array, steps = found.gradients[name], lambda: weight_steps(passage, name, index)
    else:
        raise ValueError("what is not 'value', 'gradient' or 'weight'")
    assert array is not None
    if len(index) != array.ndim or not all(type(k) is int and 0 <= k < size for k, size in zip(index, array.shape, strict=True)):
        raise ValueError(f"index is {list(index)}, and the array is {list(array.shape)}")
    answer = {"value": number(array[index]), "steps": steps()}
    if what == "weight":
        answer["weight"] = number(model.parameters[f"{layer}/{parameter}"][index])
    return answer


def step_of(call: Call, index: Index) -> dict[str, Any]:
    """One call, with its terms if it is a kernel."""
    if call.name not in TERMS:
        return {"kernel": call.name, "terms": None, "source": [shown(call.function)]}
    terms = TERMS[call.name](call, index)
    return {"kernel": call.name, "terms": terms.to_dict(), "source": list(lines_of(call.name))}


def same_steps(passage: Passage) -> list[dict[str, Any]]:
    """What is there to say of a layer that computes nothing."""
    return [{"kernel": passage.kind, "terms": None, "source": []}]


def value_steps(found: Trace, passage: Passage, index: Index) -> list[dict[str, Any]]:
    """The calls that made a number of an output: those that wrote arrays of its shape."""
    if passage is found.start:
        return [start_step(found, index)]
    if not passage.forward:
        return same_steps(passage)
    calls = [call for call in passage.forward if call.result is None or call.result.shape[1:] == passage.y.shape]
    steps = [step_of(call, index) for call in calls]
    border = next((call for call in passage.forward if call.name == "pad2d"), None)
    if border is not None and steps[0]["terms"] and steps[0]["terms"]["region"]:  # the window lies in the picture with its border
        top, left = border.values["top"], border.values["left"]
        a, b, c, d = steps[0]["terms"]["region"]
        steps[0]["terms"] |= {"region": (a - top, b - top, c - left, d - left), "note": "beside the picture its border pixels are repeated"}
    return steps


def start_step(found: Trace, index: Index) -> dict[str, Any]:
    """From the pixel to the network's input."""
    call = found.start.forward[0]
    image = index if len(index) == 3 else (0, index[0], 0)
    terms = replace(of_take_images(call, image), total=float(found.start.y[index]))
    if len(found.start.forward) > 1:
        terms = replace(terms, note="minus the channel's mean, over its standard deviation")
    return {"kernel": "take_images", "terms": terms.to_dict(), "source": list(lines_of("take_images"))}


def gradient_steps(found: Trace, passage: Passage, index: Index) -> list[dict[str, Any]]:
    """The call that made a gradient: the last one of the layer above, or of the loss; layers that compute nothing pass it on."""
    above = found.layers if passage is found.start else found.layers[found.layers.index(passage) + 1 :]
    for layer in above:
        calls = [call for call in layer.backward if call.result is None or same(call.result[0], layer.grad_x)]
        if calls:
            return [step_of(calls[-1], index)]
        if layer.grad_x is not None and layer.grad_y is not None and layer.grad_x.shape != layer.grad_y.shape:
            flat = int(np.ravel_multi_index(index, layer.grad_x.shape))
            index = tuple(int(k) for k in np.unravel_index(flat, layer.grad_y.shape))
    if found.end is not None:
        return [step_of(found.end.forward[-1], index)]
    return [{"kernel": "chosen output", "terms": None, "source": []}]


def same(array: np.ndarray, other: np.ndarray | None) -> bool:
    """Whether arrays are equal, NaN too."""
    return other is not None and array.shape == other.shape and np.array_equal(array, other, equal_nan=True)


def weight_steps(passage: Passage, name: str, index: Index) -> list[dict[str, Any]]:
    """The call that wrote a parameter's gradient."""
    return [step_of(call, index) for call in passage.backward if name in [call.parameters.get(each) for each in call.written]]


def central_difference(model: CNN, image: np.ndarray, label: int, name: str, index: Index) -> float | None:
    """What a small change of one weight does to the loss of an image, by the plain loops in float64; None where that takes too long.

    (loss(w + epsilon) - loss(w - epsilon)) / (2 epsilon), with epsilon = 1e-5.
    """
    if sum(layer.multiply_adds() for layer in model.layers) > MOST_WORK:
        return None
    parameters = model.graph.parameters
    values: dict[Parameter, np.ndarray] = {each: each.value.astype(np.float64) for each in parameters.values()}
    changed = values[parameters[name]]
    losses, start = [], changed[index]
    for sign in (1, -1):
        changed[index] = start + sign * EPSILON
        end = trace(model, image, np.array([label]), values=values, plain=True).end
        assert end is not None
        losses.append(float(end.y[0]))
    return (losses[0] - losses[1]) / (2 * EPSILON)
