"""Dropout."""

from collections.abc import Sequence
from typing import Any

from jitcnn import initializers, kernels
from jitcnn.layers.base import Backward, Layer, Shape


class Dropout(Layer):
    """In training, sets each number to 0 with probability `rate` and multiplies the others by 1 / (1 - rate); nothing in prediction.

    Expectation stays the same. What is dropped depends on the model's seed, the layer, the step's number, and the place in the batch and
    in the image only, so that it is the same with any number of threads.

    Parameters
    ----------
    rate : float
        From 0 up to, not including, 1.
    input_shape : int or tuple, optional
        For the first layer of a model.
    """

    base_name = "dropout"

    def __init__(self, rate: float, *, input_shape: int | Sequence[int] | None = None):
        super().__init__(input_shape=input_shape)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise ValueError(f"rate is {rate!r}, expected a share from 0 up to, not including, 1: Dropout(0.2) drops a fifth")
        self.rate = float(rate)

    def build(self, input_shape: Shape) -> Shape:
        """The shape stays."""
        self.threshold = min(round(self.rate * 2**32), 2**32 - 1)
        self.key = int(initializers.generator(self.seed, self.number, initializers.DROPOUT).integers(2**31))
        return input_shape

    def forward(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """Drop in training; pass on in prediction."""
        if not step.training or self.threshold == 0:
            return x, lambda grad_y: grad_y
        y = step.buffer(x.shape)
        step.call(kernels.dropout, x, y, self.threshold, self.key, step.step_number)

        def backward(grad_y: Any) -> Any:
            step.call(kernels.dropout, grad_y, grad_y, self.threshold, self.key, step.step_number)
            return grad_y

        return y, backward
