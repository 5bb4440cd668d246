"""Upsampling."""

from collections.abc import Sequence
from typing import Any

from jitcnn import kernels
from jitcnn.forms.geometry import pair
from jitcnn.layers.base import Backward, Layer, Shape
from jitcnn.layers.geometry import images_only


class Upsample(Layer):
    """Repeats every pixel `factor` times in both directions (nearest neighbour).

    Parameters
    ----------
    factor : int or pair
        For rows and columns.
    input_shape : (rows, columns, channels), optional
        For the first layer of a model.
    """

    base_name = "upsample"

    def __init__(self, factor: int | tuple[int, int] = 2, *, input_shape: Sequence[int] | None = None):
        super().__init__(input_shape=input_shape)
        self.factor = pair("factor", factor)

    def build(self, input_shape: Shape) -> Shape:
        """As many times the rows and columns."""
        images_only(self.name, input_shape)
        return (input_shape[0] * self.factor[0], input_shape[1] * self.factor[1], input_shape[2])

    def forward(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """Repeat pixels; a pixel's gradient is the sum over its copies."""
        y = step.buffer(self.output_shape)
        step.call(kernels.upsample2d, x, y, *self.factor)

        def backward(grad_y: Any) -> Any:
            if not self.input_gradient:
                return None
            grad_x = step.gradient_buffer(x)
            step.call(kernels.upsample2d_grad_input, grad_y, grad_x, *self.factor)
            return grad_x

        return y, backward
