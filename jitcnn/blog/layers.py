"""The text's layers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jitcnn import layers
from jitcnn.blog.base import TextLayer
from jitcnn.engine.parameter import Parameter
from jitcnn.layers.base import Shape, activation_kernels
from jitcnn.layers.geometry import windows

Pair = int | Sequence[int]


class TrainableLayer(TextLayer):
    """A layer with weights and biases, which may be given before its input's shape is known."""

    def __init__(self, layer: layers.Layer, weights: Any, bias: Any):
        self._given: dict[str, Any] = {}
        super().__init__(layer)
        if weights is not None:
            self._set("weights", weights)
        if bias is not None:
            self._set("bias", bias)

    @property
    def weights(self) -> Any:
        """The weights: a view that can be read and written in place; what was given, or None, as long as the input's shape is unknown."""
        return self._get("weights")

    @weights.setter
    def weights(self, values: Any) -> None:
        self._set("weights", values)

    @property
    def biases(self) -> Any:
        """The biases, likewise; 0 for a layer without."""
        return self._get("bias") if self.isbias else 0

    @biases.setter
    def biases(self, values: Any) -> None:
        self._set("bias", values)

    def settle(self) -> None:
        """Put what was given where it belongs."""
        while self._given:
            self._set(*self._given.popitem())

    def take_error(self, error: Any, before_activation: bool = False) -> None:
        """Set `delta`, and add to `delta_weights` and `delta_biases`."""
        super().take_error(error, before_activation)
        gradients = {name: parameter.gradient.copy() for name, parameter in self._parameters().items()}
        self.delta_weights = self.delta_weights + gradients["weights"]
        if "bias" in gradients:
            self.delta_biases = self.delta_biases + gradients["bias"].reshape(np.shape(self.biases))

    def _parameters(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.layer.parameter_list}

    def _get(self, name: str) -> Any:
        parameter = self._parameters().get(name)
        return self._given.get(name) if parameter is None else parameter.value

    def _set(self, name: str, values: Any) -> None:
        values = np.asarray(values, np.float64)
        if name == "bias" and not self.isbias:
            if values.any():
                raise ValueError(f"'{self.name or type(self).__name__}' has no bias: make it with one")
            return
        if self.layer.input_shape is None:
            self._given[name] = values
            return
        parameter = self._parameters()[name]
        if values.size not in (1, parameter.size):
            what = f"'{self.name or type(self).__name__}'"
            raise ValueError(f"{what} takes {name} of {parameter.shape} for input of {self.input_shape} while {values.shape} is given.")
        parameter.value[...] = values if values.size == 1 else values.reshape(parameter.shape)


class FFL(TrainableLayer):
    """Feedforward layer: `out = activation(input weights + biases)`.

    Parameters
    ----------
    input_shape : int, optional
        Number of inputs; taken from the layer before if missing.
    neurons : int
        Number of outputs.
    bias, weights : array, optional
        First values, (neurons,) and (inputs, neurons).
    activation : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
        Softmax and the others have their whole derivative here; the text took the diagonal of softmax's, and relu's to be its output.
    is_bias : bool
        Whether to add biases.
    """

    def __init__(
        self,
        input_shape: int | None = None,
        neurons: int = 1,
        bias: Any = None,
        weights: Any = None,
        activation: str | None = None,
        is_bias: bool = True,
    ):
        self.neurons = neurons
        self.isbias = is_bias
        self.activation = activation
        super().__init__(layers.Dense(neurons, activation=activation, use_bias=is_bias, input_shape=input_shape), weights, bias)

    def take_error(self, error: Any, before_activation: bool = False) -> None:
        """As of every layer, but `delta` is, as in the text, how the loss wants what goes into the activation to change."""
        out = np.ascontiguousarray(self.out, self.graph.dtype)
        delta = np.array(error, self.graph.dtype).reshape(out.shape)
        if not before_activation and self.layer.activation is not None:
            _, derivative = activation_kernels(self.layer.activation)
            delta = derivative(delta, out)
        super().take_error(delta, before_activation=True)
        self.error, self.delta = np.asarray(error), delta

    def _batch(self, x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(x.reshape(-1, x.shape[-1]), self.graph.dtype)

    def _without_batch(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return y.reshape(*x.shape[:-1], self.neurons)


class Conv2d(TrainableLayer):
    """Convolution.

    Parameters
    ----------
    input_shape : (rows, columns, channels), optional
        Taken from the layer before if missing.
    filters : int
        Channels of the output.
    kernel_size : pair of int
        Size of the window, odd. As an attribute it has channels and filters behind, once they are known.
    isbias : bool
        Whether to add biases.
    activation : None, "linear", "relu", "sigmoid", "tanh" or "softmax"
        Softmax works along the channels here.
    stride : int or pair of int
        Step of the window.
    padding : None, "zero" or "same"
        None: no padding. Otherwise one pixel on every side, whatever the window's size: zeros, or with "same" copies of the border.
    kernel, bias : array, optional
        First values, (rows, columns, channels, filters) and (filters, 1).
    """

    def __init__(
        self,
        input_shape: Shape | None = None,
        filters: int = 1,
        kernel_size: Pair = (3, 3),
        isbias: bool = True,
        activation: str | None = None,
        stride: Pair = (1, 1),
        padding: str | None = "zero",
        kernel: Any = None,
        bias: Any = None,
    ):
        if padding not in (None, "zero", "same"):
            raise ValueError(f"Padding is not understood, use one of [None, 'zero', 'same']; given {padding!r}.")
        self.filters = filters
        self.isbias = isbias
        self.activation = activation
        self.padding = padding
        kind = BorderConv2d if padding == "same" else layers.Conv2d
        super().__init__(
            kind(
                filters,
                as_pair(kernel_size),
                stride=as_pair(stride),
                padding={None: None, "zero": 1, "same": "edge"}[padding],
                activation=activation,
                use_bias=isbias,
                input_shape=input_shape,
            ),
            kernel,
            bias,
        )
        self.stride = self.layer.stride

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """(rows, columns), and once the input is known (rows, columns, channels, filters)."""
        channels = self.layer.input_shape
        return self.layer.kernel_size if channels is None else (*self.layer.kernel_size, channels[2], self.filters)

    @property
    def biases(self) -> Any:
        """The biases, a view (filters, 1) that can be read and written in place; 0 for a layer without."""
        biases = super().biases
        return np.reshape(biases, (-1, 1)) if self.isbias and biases is not None else biases

    @biases.setter
    def biases(self, values: Any) -> None:
        self._set("bias", values)

    def check_kernel(self) -> None:
        """Raise a ValueError if the window's size is even: the text's windows have a middle."""
        if any(size % 2 == 0 for size in self.layer.kernel_size):
            raise ValueError(f"Please provide odd length of 2d kernel; given {self.layer.kernel_size}.")

    def apply_activation(self, x: Any) -> np.ndarray:
        """The layer's output for one image; a ValueError for an even kernel."""
        self.check_kernel()
        return super().apply_activation(x)


class Pool2d(TextLayer):
    """The largest, smallest or average pixel of each window.

    Parameters
    ----------
    kernel_size : pair of int
        Size of the window.
    stride : int or pair of int, optional
        Its step; the window's size if missing.
    kind : "max", "min" or "average"
        What is kept. The gradient goes to the first of the largest or smallest, or in equal parts to all; from overlapping windows it
        adds up.
    padding : None, or anything
        One pixel on every side unless None; it never wins, and does not count in an average.
    """

    def __init__(self, kernel_size: Pair = (2, 2), stride: Pair | None = None, kind: str = "max", padding: str | None = None):
        if kind not in ("max", "average", "min"):
            raise ValueError(f"Pool kind not understoood, use one of ['max', 'average', 'min']; given {kind!r}.")
        self.kind = kind
        self.padding = padding
        self.kernel_size = as_pair(kernel_size)
        self.stride = self.kernel_size if stride is None else as_pair(stride)
        super().__init__(layers.Pool2d(self.kernel_size, stride=self.stride, padding=None if padding is None else 1, kind=kind))


class Dropout(TextLayer):
    """In training, sets each number to 0 with probability `prob` and multiplies the others by 1 / (1 - prob); nothing in prediction.

    The text drew `prob * size` places, some of them twice, left the others as they were, and divided by `prob` in prediction.
    """

    def __init__(self, prob: float = 0.5):
        self.prob = prob
        super().__init__(layers.Dropout(prob))

    def apply_activation(self, x: Any, train: bool = True) -> np.ndarray:
        """Drop, or with `train=False` pass on."""
        self.training = train
        self.steps += train
        return super().apply_activation(x)


class Flatten(TextLayer):
    """An image as one row of numbers.

    Parameters
    ----------
    input_shape : (rows, columns, channels), optional
        Taken from the layer before if missing.
    """

    def __init__(self, input_shape: Shape | None = None):
        super().__init__(layers.Flatten(input_shape=input_shape))


class Upsample(TextLayer):
    """Repeats every pixel `kernel_size` times down and across. A pixel's gradient is the sum over its copies."""

    def __init__(self, kernel_size: Pair = (2, 2)):
        self.kernel_size = self.stride = as_pair(kernel_size)
        super().__init__(layers.Upsample(self.kernel_size))


class BorderConv2d(layers.Conv2d):
    """Convolution of an image with one more pixel on every side, a copy of the border, whatever the kernel and stride."""

    def build(self, input_shape: Shape) -> Shape:
        """(rows, columns, filters) of the output."""
        super().build(input_shape)
        self.sides = (1, 1), (1, 1)
        return (*windows(self.name, "kernel_size", input_shape, self.kernel_size, self.stride, self.sides), self.filters)


def as_pair(size: Pair) -> tuple[int, int]:
    """Rows and columns, of a number, or of a list that may go on with channels and filters, as files of the text have it."""
    rows, columns = (size, size) if isinstance(size, int) else size[:2]
    return rows, columns
