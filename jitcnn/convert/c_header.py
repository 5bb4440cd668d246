"""A model as one C header: C99 and its own library, no memory taken at run time, float32."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.convert.passes import Operation, operations
from jitcnn.forms.codes import ACTIVATIONS, POOLS
from jitcnn.summary import shape_text

if TYPE_CHECKING:
    from jitcnn.model import CNN

HEAD = """\
/* {name}: a network made by jitcnn, digest {digest}. Needs C99 and its mathematics (link with -lm), and nothing else.

       #include "{name}.h"
       float image[NAME_INPUTS], output[NAME_OUTPUTS];
       NAME_predict(image, output);

   image: {shape} floats, row by row, pixel by pixel, channel by channel, as the network was trained on, usually 0 to 255.
   output: {outputs}; NAME_classes names them. Buffers are static: one prediction at a time. */
#ifndef NAME_H
#define NAME_H

#include <math.h>

#define NAME_INPUTS {inputs_size}
#define NAME_OUTPUTS {outputs_size}
"""
NUMBERS_A_LINE = 8


def source(model: CNN, name: str) -> str:
    """Return the header's text.

    Parameters
    ----------
    model
        Built, so that the shape of its images is known.
    name
        The file's name without its suffix; what is no letter or digit becomes "_" in C's names.

    Raises
    ------
    ValueError
        As `jitcnn.convert.passes.operations`; or if a parameter is NaN or infinite, which C cannot spell.
    """
    steps = operations(model)
    assert model.input_shape is not None and model.output_shape is not None
    head = HEAD.format(
        name=name,
        digest=model.digest(),
        shape=shape_text(model.input_shape),
        outputs=shape_text(model.output_shape),
        inputs_size=math.prod(model.input_shape),
        outputs_size=math.prod(model.output_shape),
    )
    weights = [_array(name, values) for name, values in model.parameters.items()]
    weights += [
        f"static const double NAME_{key}[] = {{{', '.join(map(repr, step.settings[key]))}}};"
        for step in steps
        if step.name == "standardize_channels"
        for key in ("mean", "deviation")
    ]
    functions = _functions({step.name for step in steps})
    classes = model.classes or [str(number) for number in range(model.output_shape[-1])]
    parts = [head, _classes(classes), *weights, *functions, _predict(model, steps), "#endif"]
    prefix = re.sub(r"\W", "_", name, flags=re.ASCII)
    prefix = prefix if prefix[:1].isalpha() else f"model_{prefix}"
    return re.sub(r"\bNAME(?=_)", prefix, "\n\n".join(part.strip("\n") for part in parts)) + "\n"


def _classes(names: Sequence[str]) -> str:
    quoted = ", ".join('"' + "".join(_quoted(byte) for byte in name.encode()) + '"' for name in names)
    return f"static const char *const NAME_classes[] = {{{quoted}}};"


def _quoted(byte: int) -> str:
    """A byte inside a C string: three octal digits end by themselves, unlike hexadecimal ones."""
    return chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"


def _array(name: str, values: np.ndarray) -> str:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinity, which C cannot spell: train the model again")
    values = values.T if values.ndim == 2 else values  # a dense layer's, so that its sums run along memory
    numbers = [f"{number:.9g}" for number in np.asarray(values, np.float32).ravel().tolist()]
    numbers = [(number if {"e", "."} & set(number) else f"{number}.") + "f" for number in numbers]
    lines = [", ".join(numbers[first : first + NUMBERS_A_LINE]) for first in range(0, len(numbers), NUMBERS_A_LINE)]
    return f"static const float NAME_{name.replace('/', '_')}[] = {{ /* {shape_text(values.shape)} */\n" + ",\n".join(lines) + "};"


def _functions(names: set[str]) -> list[str]:
    """The text of the functions that are needed, each with its comment."""
    text = (Path(__file__).parent / "operations.h").read_text(encoding="utf-8")
    found = re.finditer(r"(?:^/\*[^\n]*\*/\n)?^static void NAME_(\w+).*?^}\n", text, re.DOTALL | re.MULTILINE)
    return [match[0] for match in found if match[1] in names]


def _predict(model: CNN, steps: list[Operation]) -> str:
    """The function that makes the calls: from the image into two buffers by turns, activations in place."""
    calls, here = [], "image"
    sizes: dict[str, int] = {}
    for step in steps:
        if step.name == "flatten":
            continue
        in_place = step.name in ACTIVATIONS and here != "image"
        there = here if in_place else "b" if here == "a" else "a"
        sizes[there] = max(sizes.get(there, 0), math.prod(step.output_shape))
        arguments = ", ".join(map(str, [here, *_arguments(model, step), there]))
        calls.append(f"    NAME_{step.name}({arguments}); /* {step.layer}: {shape_text(step.output_shape)} */")
        here = there
    copy = [f"    for (int i = 0; i < NAME_OUTPUTS; i++)\n        output[i] = {here}[i];"]
    buffers = [f"    static float {name}[{size}];" for name, size in sizes.items()]
    return "\n".join(["static void NAME_predict(const float *image, float *output)\n{", *buffers, *calls, *copy, "}"])


def _arguments(model: CNN, step: Operation) -> list[Any]:
    """What a call of `operations.h` takes between its input and its output."""
    size, weights = math.prod(step.input_shape), f"NAME_{step.layer}_weights"
    bias = f"NAME_{step.layer}_bias" if f"{step.layer}/bias" in model.parameters else "0"
    settings, out = step.settings, step.output_shape
    first = [side[0] for side in settings.get("padding", ())]
    match step.name:
        case "standardize_channels":
            return [size, len(settings["mean"]), "NAME_mean", "NAME_deviation"]
        case "conv2d":
            kernel = model.parameters[f"{step.layer}/weights"].shape[:2]
            return [*step.input_shape, weights, bias, *kernel, *settings["stride"], *first, *out]
        case "pool2d":
            return [*step.input_shape, POOLS[settings["kind"]], *settings["size"], *settings["stride"], *first, *out[:2]]
        case "pad_edge":
            return [*step.input_shape, *first, *out[:2]]
        case "upsample2d":
            return [*step.input_shape, *settings["factor"]]
        case "dense":
            return [size, weights, bias, *out]
        case "softmax":
            return [size, out[-1]]
        case _:
            return [size]
