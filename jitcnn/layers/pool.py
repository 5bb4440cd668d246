"""Pooling."""

from collections.abc import Sequence
from typing import Any

from jitcnn import kernels
from jitcnn.forms.codes import POOLS
from jitcnn.forms.geometry import choice, pair
from jitcnn.layers.base import Backward, Layer, Shape
from jitcnn.layers.edge import with_edge
from jitcnn.layers.geometry import images_only, padding_setting, padding_sides, windows


class Pool2d(Layer):
    """The largest, the smallest or the average pixel of each window, channel by channel.

    Parameters
    ----------
    kernel_size : int or pair
        Size of the window, (rows, columns).
    stride : int or pair, optional
        Its step; the window's size if missing, so that windows lie side by side.
    padding
        As for `Conv2d`. Pixels of padding never win a max or min, and an average divides by the pixels that are in the image; only with
        "edge" the border's copies count as pixels.
    kind : "max", "min" or "average"
        What is kept of a window. Of equal pixels the first takes the gradient.
    input_shape : (rows, columns, channels), optional
        For the first layer of a model.
    """

    base_name = "pool"

    def __init__(
        self,
        kernel_size: int | tuple[int, int] = 2,
        *,
        stride: int | tuple[int, int] | None = None,
        padding: Any = None,
        kind: str = "max",
        input_shape: Sequence[int] | None = None,
    ):
        super().__init__(input_shape=input_shape)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding = padding_setting(padding)
        self.kind = choice("kind", kind, POOLS)

    def build(self, input_shape: Shape) -> Shape:
        """(rows, columns, channels): a pixel for each window."""
        images_only(self.name, input_shape)
        self.sides = padding_sides(self.padding, input_shape, self.kernel_size, self.stride)
        if any(max(side) >= size for side, size in zip(self.sides, self.kernel_size, strict=True)):
            raise ValueError(
                f"{self.name}: padding {self.padding} would make windows of padding only: give less than kernel_size {self.kernel_size}"
            )
        return (*windows(self.name, "kernel_size", input_shape, self.kernel_size, self.stride, self.sides), input_shape[2])

    def forward(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """Pool; the gradient goes to the winners, or in equal parts to the pixels of an average."""
        source, offsets, edge_backward = with_edge(step, x, self.padding, self.sides)
        settings = (*self.kernel_size, *self.stride, *offsets, POOLS[self.kind])
        y = step.buffer(self.output_shape)
        step.call(kernels.pool2d, source, y, *settings)

        def backward(grad_y: Any) -> Any:
            if not self.input_gradient:
                return None
            grad_source = step.gradient_buffer(source)
            step.call(kernels.pool2d_grad_input, grad_y, source, y, grad_source, *settings)
            return edge_backward(grad_source)

        return y, backward
