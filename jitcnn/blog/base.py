"""What all layers of the text have: shapes, input, out and delta, around a layer of `jitcnn.layers` that does the work."""

import copy
import secrets
from typing import Any

import numpy as np

from jitcnn.engine.eager import EagerStep
from jitcnn.graph import Graph
from jitcnn.layers.base import Backward, Layer, Shape

TextShape = int | tuple[int, ...] | None


class TextLayer:
    """The base of the text's layers.

    Each holds a layer of jitcnn as `layer` and runs it for one image at a time by the loops of `jitcnn.reference`, in float64 when alone,
    in the model's dtype within a `CNN`. Training and prediction of a `CNN` run the same `layer` in the model's program.

    Attributes
    ----------
    name : str
        Its name within a model: "Input Layer", "Pool2d1", …, "Out Layer(FFL)".
    layer : jitcnn.layers.Layer
        What does the work.
    input, out : array
        What the layer took and made last, without a batch axis.
    delta : array
        After `backpropagate`: how the loss wants the layer's input to change, of the input's shape; of `FFL`, as in the text, how it wants
        what goes into the activation to change. Of the same sign as what the next layer holds.
    delta_weights, delta_biases : array
        The same for the parameters, summed over all images since the last `zerograd`; 0 where there are none.
    isbias, activation
        As given; False and None where a layer has none.
    engine : "loops" or "python"
        Whether the loops are compiled; "python" is for stepping through them with a debugger.
    """

    weights: Any = 0
    biases: Any = 0
    isbias: bool = False
    activation: str | None = None

    def __init__(self, layer: Layer):
        self.name = ""
        self.layer: Any = layer
        self.input: Any = None
        self.out: Any = None
        self.error: Any = None
        self.delta: Any = 0
        self.delta_weights: Any = 0
        self.delta_biases: Any = 0
        self.engine = "loops"
        self.is_alone = True
        self.training = True
        self.steps = np.zeros(1, np.int64)
        self._graph_alone()

    # Shapes

    @property
    def input_shape(self) -> TextShape:
        """(rows, columns, channels), or the number of features; None as long as it is unknown. Setting it sets `output_shape`, too."""
        return text_shape(self.layer.input_shape)

    @input_shape.setter
    def input_shape(self, shape: TextShape) -> None:
        self.place(shape)

    @property
    def output_shape(self) -> TextShape:
        """The same of the output."""
        return text_shape(self.layer.output_shape)

    @property
    def parameters(self) -> int:
        """How many numbers training changes."""
        return sum(parameter.size for parameter in self.layer.parameter_list)

    def set_output_shape(self) -> None:
        """Take `output_shape`, and parameters of the right shape, from `input_shape`.

        Raises
        ------
        ValueError
            If `input_shape` is unknown.
        """
        if self.input_shape is None:
            raise ValueError(f"{self!r} has no input_shape yet: set it first")
        self.place(self.input_shape)

    def place(self, shape: TextShape) -> None:
        """Build the layer for an input of this shape.

        Raises
        ------
        ValueError
            If it was built for another one that its model, its weights or its constructor fix.
        """
        wanted = engine_shape(shape)
        if self.layer.input_shape != wanted:
            if self.is_alone:
                self._graph_alone()
                self.graph.take_input_shape(wanted)
            elif self.layer.input_shape is None:
                self.graph.take_input_shape(wanted)
            if self.layer.input_shape != wanted:
                raise ValueError(f"'{self.name or type(self).__name__}' expects input of {self.input_shape} while {shape} is given.")
        self.settle()

    def join(self, graph: Graph) -> None:
        """Belong to this model's graph, which has the layer already."""
        self.graph, self.is_alone = graph, False
        if self.layer.input_shape is not None:
            self.settle()

    def settle(self) -> None:
        """Called once the input's shape is known."""

    def _graph_alone(self) -> None:
        self.graph = Graph([self.layer], dtype=np.float64, seed=secrets.randbits(63), all_gradients=True)

    # Passes

    def apply_activation(self, x: Any) -> np.ndarray:
        """The layer's output for one image (rows, columns, channels), or one row of features; kept as `out`, and the image as `input`.

        An image without its channel axis is taken as one channel, and a single channel of output then comes back without that axis.
        """
        x = np.asarray(x)
        batch = self._batch(x)
        self.place(batch.shape[1:])
        self.input = x
        y, _ = self._forward(batch)
        self.out = self._without_batch(y, x)
        return self.out

    def backpropagate(self, nx_layer: Any) -> None:
        """Take the next layer's `delta` and set this layer's, and add to `delta_weights` and `delta_biases`.

        Parameters
        ----------
        nx_layer
            The next layer, after its own `backpropagate`: `delta`, and the `weights` of an `FFL` that it must pass on its way.
        """
        self.take_error(error_before(nx_layer))

    def take_error(self, error: Any, before_activation: bool = False) -> None:
        """The same from `error`, how the loss wants `out` to change, or with `before_activation` what goes into the activation."""
        batch = self._batch(np.asarray(self.input))
        y, backward = self._forward(batch, before_activation)
        self.error = np.asarray(error)
        grad_x = backward(np.array(error, dtype=y.dtype).reshape(y.shape))
        self.delta = grad_x.reshape(np.shape(self.input))

    def zerograd(self) -> None:
        """Start the sums of `delta_weights` and `delta_biases` anew."""
        self.delta_weights = np.zeros_like(self.delta_weights)
        self.delta_biases = np.zeros_like(self.delta_biases)

    def _forward(self, batch: np.ndarray, before_activation: bool = False) -> tuple[np.ndarray, Backward]:
        """Run the layer: (output, backward). A copy of it, since the first layer of a model leaves out the gradient of its input."""
        self.graph.claim()
        layer = copy.copy(self.layer)
        layer.input_gradient = True
        step = EagerStep(self.engine, len(batch), self.graph.dtype, self.training, self.steps)
        return layer.transform(step, batch) if before_activation else layer.forward(step, batch)

    def _batch(self, x: np.ndarray) -> np.ndarray:
        """One input as a batch, in the dtype of the computing."""
        return np.ascontiguousarray(x[None, ..., None] if x.ndim == 2 else x[None], self.graph.dtype)

    def _without_batch(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """One output; an image is without its channel axis where the input was."""
        return y[0, ..., 0] if x.ndim == 2 and y.ndim == 4 and y.shape[-1] == 1 else y[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.input_shape} -> {self.output_shape}>"


def error_before(nx_layer: Any) -> np.ndarray:
    """How the loss wants the input of a layer to change, from the layer's delta, which an `FFL` holds behind its weights."""
    weights: Any = getattr(nx_layer, "weights", None)
    return np.dot(nx_layer.delta, np.transpose(weights)) if np.ndim(weights) == 2 else np.asarray(nx_layer.delta)


def text_shape(shape: Shape | None) -> TextShape:
    """A shape as the text writes it: the number of features is no tuple."""
    return shape[0] if shape is not None and len(shape) == 1 else shape


def engine_shape(shape: Any) -> Shape:
    """The reverse."""
    return tuple(int(size) for size in shape) if np.ndim(shape) else (int(shape),)
