"""Convolution."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jitcnn import initializers, kernels
from jitcnn.forms.codes import ALGORITHMS
from jitcnn.forms.geometry import choice, integer, pair
from jitcnn.layers.base import Backward, Layer, Shape, activation_name
from jitcnn.layers.edge import with_edge
from jitcnn.layers.geometry import images_only, padding_setting, padding_sides, windows


class Conv2d(Layer):
    """Convolution of images: each output pixel is a weighted sum of a window of the input, plus a bias.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size, stride : int or pair
        Size of the window and its step, (rows, columns).
    padding : None, "valid", "zero", "same", "edge", int, pair, or ((top, bottom), (left, right))
        None or "valid": none. "zero" and "same": zeros, so that the size stays at stride 1, and is ceil(size / stride) otherwise.
        "edge": as many, filled with the border pixels. Numbers: that many pixels of zeros.
    activation : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
        Applied to the output.
    use_bias : bool
        Whether to add a bias to each channel.
    algorithm : "auto", "direct" or "winograd"
        How the fast engine computes it, as for `jitcnn.kernels.conv2d`.
    input_shape : (rows, columns, channels), optional
        For the first layer of a model; inferred from the images if missing.

    Notes
    -----
    Parameters: `weights` (rows, columns, channels, filters) and `bias` (filters,). Weights start from He's normal distribution before
    relu, from Glorot's uniform one otherwise; biases from 0.

    Raises
    ------
    ValueError
        If an argument makes no sense, or (later, with the layer's name) if nothing is left of an image.
    """

    base_name = "conv"

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        stride: int | tuple[int, int] = 1,
        padding: Any = None,
        activation: str | None = None,
        use_bias: bool = True,
        algorithm: str = "auto",
        input_shape: Sequence[int] | None = None,
    ):
        super().__init__(input_shape=input_shape)
        self.filters = integer("filters", filters, at_least=1)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", stride)
        self.padding = padding_setting(padding)
        self.activation = activation_name(activation)
        self.use_bias = bool(use_bias)
        self.algorithm = choice("algorithm", algorithm, ALGORITHMS)

    def build(self, input_shape: Shape) -> Shape:
        """(rows, columns, filters) of the output."""
        images_only(self.name, input_shape)
        self.sides = padding_sides(self.padding, input_shape, self.kernel_size, self.stride)
        shape = (*self.kernel_size, input_shape[2], self.filters)
        output_shape = (*windows(self.name, "kernel_size", input_shape, self.kernel_size, self.stride, self.sides), self.filters)
        self.weights = self.parameter("weights", shape, initializers.for_activation(self.activation))
        self.bias = self.parameter("bias", (self.filters,), initializers.zeros) if self.use_bias else None
        return output_shape

    def transform(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The convolution: z = x * weights + bias."""
        source, offsets, edge_backward = with_edge(step, x, self.padding, self.sides)
        settings = (*self.stride, *offsets, ALGORITHMS[self.algorithm])
        z = step.buffer(self.output_shape)
        bias = np.empty(0, z.dtype) if self.bias is None else self.bias
        step.call(kernels.conv2d, source, self.weights, bias, z, *settings)

        def backward(grad_z: Any) -> Any:
            step.call(kernels.conv2d_grad_weights, grad_z, source, step.gradient(self.weights), *settings)
            if self.bias is not None:
                step.call(kernels.bias_grad, grad_z, step.gradient(self.bias))
            if not self.input_gradient:
                return None
            grad_source = step.gradient_buffer(source)
            step.call(kernels.conv2d_grad_input, grad_z, self.weights, grad_source, *settings)
            return edge_backward(grad_source)

        return z, backward

    def multiply_adds(self) -> int:
        """One for each weight and output pixel."""
        assert self.output_shape is not None
        return int(np.prod(self.output_shape[:2], dtype=np.int64)) * self.weights.size
