"""Flatten."""

import math
from typing import Any

from jitcnn.layers.base import Backward, Layer, Shape


class Flatten(Layer):
    """An image as a row of features: row by row, pixel by pixel, channel by channel. No numbers move.

    Parameters
    ----------
    input_shape : (rows, columns, channels), optional
        For the first layer of a model.
    """

    base_name = "flatten"

    def build(self, input_shape: Shape) -> Shape:
        """All numbers of an image in one row."""
        return (math.prod(input_shape),)

    def forward(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The same numbers under another shape."""
        return step.reshape(x, self.output_shape), lambda grad_y: step.reshape(grad_y, self.input_shape)
