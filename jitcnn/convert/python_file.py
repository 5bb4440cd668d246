"""A model as one Python file: NumPy only, the forward pass as it is read, the weights at the end."""

from __future__ import annotations

import ast
import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn.convert.passes import Operation, operations
from jitcnn.summary import shape_text

if TYPE_CHECKING:
    from jitcnn.model import CNN

HEAD = '''\
"""{name}: a network made by jitcnn, digest {digest}. It needs NumPy and nothing else.

    python {name}.py IMAGE.npy          the likeliest classes of an image of {shape}, or of several

    import {name}
    {name}.predict(images)              (images, {outputs}), one row of outputs an image
"""

import base64
import sys

import numpy as np

CLASSES = {classes}
INPUT_SHAPE = {input_shape}  # of one image; pixels as the network was trained on, usually 0 to 255
'''

PREDICT = '''
def predict(images):
    """Outputs for images (n, *INPUT_SHAPE), one row each; an image alone, or without its only channel, is taken too."""
    x = np.asarray(images)
    if x.shape in (INPUT_SHAPE, INPUT_SHAPE[:2]):
        x = x[None]
    if x.shape[1:] == INPUT_SHAPE[:2] and INPUT_SHAPE[2:] == (1,):
        x = x[..., None]
    if x.shape[1:] != INPUT_SHAPE or x.dtype.kind not in "biuf" or not np.isfinite(x).all():
        raise ValueError(f"images are {x.shape} of {x.dtype}, expected finite numbers of shape (n, *{INPUT_SHAPE})")
    return forward(x)
'''

MAIN = """
def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} IMAGE.npy")
    try:
        outputs = predict(np.load(sys.argv[1], allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    for row in outputs.reshape(-1, outputs.shape[-1]):
        print("  ".join(f"{CLASSES[k]} {row[k]:.4f}" for k in np.argsort(-row, kind="stable")[:3]))
"""

ARRAY = """
def array(shape, dtype, text):
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
"""

END = """
if __name__ == "__main__":
    main()
"""


def source(model: CNN, name: str) -> str:
    """Return the file's text.

    Parameters
    ----------
    model
        Built, so that the shape of its images is known.
    name
        The file's name without its suffix, for its help text.

    Raises
    ------
    ValueError
        As `jitcnn.convert.passes.operations`.
    """
    steps = operations(model)
    assert model.input_shape is not None and model.output_shape is not None
    head = HEAD.format(
        name=name,
        digest=model.digest(),
        shape=shape_text(model.input_shape),
        outputs=", ".join(map(str, model.output_shape)),
        classes=list(model.classes or map(str, range(model.output_shape[-1]))),
        input_shape=model.input_shape,
    )
    parts = [head, *_functions({step.name for step in steps}), _forward(model, steps), PREDICT, MAIN, *_weights(model), END]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _forward(model: CNN, steps: list[Operation]) -> str:
    lines = ["def forward(x):"]
    cast = f"    x = x.astype(np.{model.dtype})"
    for step in steps:
        arguments = ["x"]
        if step.parameters:
            has_bias = f"{step.layer}/bias" in model.parameters
            arguments += [f'W["{step.layer}/weights"]', f'W["{step.layer}/bias"]' if has_bias else "0"]
        arguments += [f"{key}={value!r}" for key, value in step.settings.items()]
        lines.append(f"    x = {step.name}({', '.join(arguments)})  # {step.layer}: {shape_text(step.output_shape)}")
    lines.insert(2 if steps and steps[0].name.startswith("standardize") else 1, cast)
    return "\n".join([*lines, "    return x"])


def _functions(needed: set[str]) -> list[str]:
    """The text of the functions that are needed, with those that they call in turn, in the order of `operations.py`."""
    text = (Path(__file__).parent / "operations.py").read_text(encoding="utf-8")
    parts = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    wanted: set[str] = set()
    while needed - wanted:
        wanted |= needed
        needed = {called for name in wanted for called in _names(parts[name]) & parts.keys()}
    lines = text.splitlines()
    return ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for name, node in parts.items() if name in wanted]


def _names(node: Any) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _weights(model: CNN) -> list[str]:
    arrays = [
        f"W[{name!r}] = array({array.shape}, {array.dtype.newbyteorder('<').str!r}, '''\n{_base64(array)}''')"
        for name, array in model.parameters.items()
    ]
    return [ARRAY, "\n".join(["# Little-endian numbers as base64.", "W = {}", *arrays])]


def _base64(array: np.ndarray) -> str:
    little_endian = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return base64.encodebytes(little_endian.tobytes()).decode()
