"""Padding with copies of the border pixels, which a layer does before its own kernel."""

from typing import Any

from jitcnn import kernels
from jitcnn.forms.codes import EDGE
from jitcnn.forms.geometry import Sides
from jitcnn.layers.base import Backward
from jitcnn.layers.geometry import padded


def with_edge(step: Any, x: Any, padding: Any, around: Sides) -> tuple[Any, tuple[int, int], Backward]:
    """What a layer's kernel reads: (source, (top, left), backward), and backward takes grad_source and returns grad_x.

    With padding "edge", source is x with the copies around it. Otherwise it is x itself, and the kernel pads by (top, left).
    """
    (top, _), (left, _) = around
    if padding != "edge" or around == ((0, 0), (0, 0)):
        return x, (top, left), lambda grad_source: grad_source
    source = step.buffer(padded(x.shape[1:], around))
    step.call(kernels.pad2d, x, source, top, left, EDGE)

    def backward(grad_source: Any) -> Any:
        grad_x = step.gradient_buffer(x)
        step.call(kernels.pad2d_grad_input, grad_source, grad_x, top, left, EDGE)
        return grad_x

    return source, (0, 0), backward
