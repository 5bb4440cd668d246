"""Fully connected layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jitcnn import initializers, kernels
from jitcnn.forms.geometry import integer
from jitcnn.layers.base import Backward, Layer, Shape, activation_name


class Dense(Layer):
    """Every output is a weighted sum of all inputs, plus a bias.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
        Applied to the output.
    use_bias : bool
        Whether to add a bias to each output.
    input_shape : int or (features,), optional
        For the first layer of a model.

    Notes
    -----
    Parameters: `weights` (inputs, units), a transposed view of what lies in memory, and `bias` (units,). Weights start from He's normal
    distribution before relu, from Glorot's uniform one otherwise; biases from 0.
    """

    base_name = "dense"

    def __init__(self, units: int, *, activation: str | None = None, use_bias: bool = True, input_shape: int | Sequence[int] | None = None):
        super().__init__(input_shape=input_shape)
        self.units = integer("units", units, at_least=1)
        self.activation = activation_name(activation)
        self.use_bias = bool(use_bias)

    def build(self, input_shape: Shape) -> Shape:
        """(units,) of a row of features."""
        if len(input_shape) != 1:
            raise ValueError(f"{self.name} takes a row of features, and its input is an image of {input_shape}: put Flatten() before it")
        weights = initializers.for_activation(self.activation)
        self.weights = self.parameter("weights", (input_shape[0], self.units), weights, transposed=True)
        self.bias = self.parameter("bias", (self.units,), initializers.zeros) if self.use_bias else None
        return (self.units,)

    def transform(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The product: z = x weights + bias."""
        z = step.buffer(self.output_shape)
        bias = np.empty(0, z.dtype) if self.bias is None else self.bias
        step.call(kernels.dense, x, self.weights, bias, z)

        def backward(grad_z: Any) -> Any:
            step.call(kernels.dense_grad_weights, grad_z, x, step.gradient(self.weights))
            if self.bias is not None:
                step.call(kernels.bias_grad, grad_z, step.gradient(self.bias))
            if not self.input_gradient:
                return None
            grad_x = step.gradient_buffer(x)
            step.call(kernels.dense_grad_input, grad_z, self.weights, grad_x)
            return grad_x

        return z, backward

    def multiply_adds(self) -> int:
        """One for each weight."""
        return self.weights.size
