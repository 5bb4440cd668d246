"""An activation as a layer of its own."""

from collections.abc import Sequence
from typing import Any

from jitcnn.layers.base import Backward, Layer, activation_kernels, activation_name


class Activation(Layer):
    """Applies an activation.

    Parameters
    ----------
    name : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
        Which; softmax works along the last axis.
    input_shape : int or tuple, optional
        For the first layer of a model.
    """

    base_name = "activation"

    def __init__(self, name: str | None, *, input_shape: int | Sequence[int] | None = None):
        super().__init__(input_shape=input_shape)
        self.activation = activation_name(name)

    def transform(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The input itself: losses on logits leave the activation out."""
        return x, lambda grad_z: grad_z

    def forward(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The activation of `x`, in a buffer of its own: the layer below needs its output for its own gradient."""
        if self.activation is None:
            return x, lambda grad_y: grad_y
        apply, apply_grad = activation_kernels(self.activation)
        y = step.buffer(x.shape)
        step.call(apply, x, y)

        def backward(grad_y: Any) -> Any:
            step.call(apply_grad, grad_y, y, grad_y)
            return grad_y

        return y, backward

    def describe(self) -> dict[str, Any]:
        """The constructor's argument."""
        return {"name": self.activation}
