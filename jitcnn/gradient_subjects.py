"""What `gradcheck` differentiates: arrays, a forward pass that reads them, and a backward pass, all in float64."""

import copy
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Protocol, Self

import numpy as np

from jitcnn import kernels
from jitcnn.engine import build_program
from jitcnn.engine.forward import as_four_axes, take_batch
from jitcnn.graph import Graph
from jitcnn.inputs import as_images
from jitcnn.layers.base import Layer
from jitcnn.model import CNN
from jitcnn.objective import Objective, measured_step


class Subject(Protocol):
    """What is checked.

    Attributes
    ----------
    arrays : dict of str to float64 array
        What is differentiated with respect to; the check changes entries in place.
    batch : int
        Images in `x`.
    """

    arrays: dict[str, np.ndarray]
    batch: int

    def forward(self) -> np.ndarray:
        """The outputs for the arrays as they are now."""

    def backward(self, grad_y: np.ndarray) -> dict[str, np.ndarray]:
        """The gradient of each array, for this gradient of the outputs."""

    def output_weights(self, draws: np.random.Generator) -> np.ndarray:
        """What each output is multiplied with before they are summed."""


class FunctionSubject:
    """Functions of one or several arrays."""

    def __init__(self, functions: Callable[..., Any] | Sequence[Callable[..., Any]], x: Any):
        arrays = [np.array(array, np.float64) for array in (x if isinstance(x, tuple) else (x,))]
        names = ["x"] if len(arrays) == 1 else [f"x[{number}]" for number in range(len(arrays))]
        self.arrays = dict(zip(names, arrays, strict=True))
        self.batch = len(arrays[0]) if arrays[0].ndim else 1
        self.functions = functions

    def forward(self) -> np.ndarray:
        """Call the forward function."""
        return np.array(self._call()[0], np.float64)

    def backward(self, grad_y: np.ndarray) -> dict[str, np.ndarray]:
        """Call the backward function."""
        gradients = self._call()[1](grad_y.copy())
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        if len(gradients) != len(self.arrays):
            raise ValueError(f"backward returned {len(gradients)} gradients, expected {len(self.arrays)}: one for each array")
        for (name, array), gradient in zip(self.arrays.items(), gradients, strict=True):
            if np.shape(gradient) != array.shape:
                raise ValueError(f"backward returned a gradient of {np.shape(gradient)} for {name}, expected its shape, {array.shape}")
        return {name: np.array(gradient, np.float64) for name, gradient in zip(self.arrays, gradients, strict=True)}

    def output_weights(self, draws: np.random.Generator) -> np.ndarray:
        """Random numbers."""
        return draws.standard_normal(self.forward().shape)

    def _call(self) -> tuple[Any, Callable[[np.ndarray], Any]]:
        arrays = [array.copy() for array in self.arrays.values()]
        if callable(self.functions):
            result = self.functions(*arrays)
            if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
                raise ValueError("the function returned no (y, backward): give a pair of functions, (forward, backward)")
            return result
        forward, backward = self.functions
        return forward(*arrays), lambda grad_y: backward(grad_y, *arrays)


class GraphSubject:
    """Layers, run by an engine as in training."""

    def __init__(self, layers: Sequence[Layer], images: np.ndarray, engine: str, seed: int, name: Callable[[str], str] = str):
        """Copy the layers.

        Parameters
        ----------
        layers
            In order; they keep their values if they have any.
        images
            float64, what the first layer takes.
        engine
            What runs them.
        seed
            For layers without values, and for dropout.
        name
            What a parameter `layer/name` is called in the result.
        """
        self.graph = Graph(copy.deepcopy(list(layers)), dtype=np.float64, seed=seed, all_gradients=True)
        self.graph.take_input_shape(images.shape[1:])
        self.graph.claim()
        self.batch = len(images)
        self.parameters = {name(path): parameter for path, parameter in self.graph.parameters.items()}
        self.arrays = {"x": images, **{path: parameter.value for path, parameter in self.parameters.items()}}
        self.step_number = np.zeros(1, np.int64)
        self.data = self._data(images)
        self.programs: dict[Any, Any] = {record: self._program(engine, record) for record in (self._record_forward, self._record_backward)}

    @classmethod
    def of_layer(cls, layer: Layer, x: Any, engine: str, seed: int) -> Self:
        """One layer."""
        return cls([layer], as_images(x).astype(np.float64), engine, seed, lambda path: path.rpartition("/")[2])

    @classmethod
    def of_model(cls, model: CNN, x: Any, engine: str) -> Self:
        """All layers of a model; `x` is what the first one takes, after standardisation."""
        model.parameters  # noqa: B018 (takes memory, so that the copies have the model's values)
        return cls(model.layers, model_images(model, x), engine, model.seed)

    def forward(self) -> np.ndarray:
        """Run the forward pass."""
        self._run(self._record_forward)
        return self.data.outputs.copy()

    def backward(self, grad_y: np.ndarray) -> dict[str, np.ndarray]:
        """Run both passes."""
        self.data.grad_outputs[...] = grad_y
        self.graph.gradients.fill(np.nan)  # what is never written stays NaN
        self._run(self._record_backward)
        return {"x": self.data.grad_x.copy(), **{name: parameter.gradient.copy() for name, parameter in self.parameters.items()}}

    def output_weights(self, draws: np.random.Generator) -> np.ndarray:
        """Random numbers."""
        return draws.standard_normal(self.data.outputs.shape)

    def _data(self, images: np.ndarray) -> SimpleNamespace:
        assert self.graph.output_shape is not None
        outputs = np.zeros((self.batch, *self.graph.output_shape))
        grad_outputs = np.zeros_like(outputs)
        return SimpleNamespace(
            images=as_four_axes(images),
            order=np.arange(self.batch),
            position=np.zeros(1, np.int64),
            outputs=outputs,
            grad_outputs=grad_outputs,
            grad_images=as_four_axes(grad_outputs),
            grad_x=np.zeros_like(images),
        )

    def _program(self, engine: str, record: Callable[[Any], Any]) -> Any:
        return build_program(engine, record, self.batch, np.float64, True, self.data.order, self.data.position, self.step_number)

    def _run(self, record: Callable[[Any], Any]) -> None:
        self.step_number[0] = 0  # the same numbers are dropped each time
        self.programs[record].prepare()
        self.programs[record].run(0, 1)

    def _record_forward(self, step: Any) -> Any:
        assert self.graph.input_shape is not None
        x = take_batch(step, self.data, self.graph.input_shape)
        y, backward = self.graph.forward(step, x)
        step.output(y, self.data.outputs)
        return y, backward

    def _record_backward(self, step: Any) -> None:
        y, backward = self._record_forward(step)
        data = self.data
        source = SimpleNamespace(images=data.grad_images, order=data.order, position=data.position)
        self._output_grad_x(step, backward(take_batch(step, source, y.shape[1:])))

    def _output_grad_x(self, step: Any, grad_x: Any) -> None:
        if grad_x is None:
            raise ValueError(f"backward of {self.graph.names[0]} returned None, expected the gradient with respect to its input")
        if tuple(grad_x.shape) != self.data.grad_x.shape:
            raise ValueError(f"backward of {self.graph.names[0]} returned {tuple(grad_x.shape)}, expected {self.data.grad_x.shape}")
        step.output(grad_x, self.data.grad_x)


class LossSubject(GraphSubject):
    """A compiled model with its loss: one output, the mean loss."""

    def __init__(self, model: CNN, x: Any, y: Any, engine: str):
        model.require_compiled("a gradient check with labels")
        targets, objective = model.check_targets(model.check_images(x), y), model.objective()
        self.objective = Objective(objective.loss, objective.activation)
        self.targets = np.asarray(targets.targets, None if targets.targets.dtype == np.int64 else np.float64)
        model.parameters  # noqa: B018
        super().__init__(model.layers, model_images(model, x), engine, model.seed)

    def forward(self) -> np.ndarray:
        """The mean loss."""
        self._run(self._record_forward)
        return self.data.loss.mean(keepdims=True)

    def backward(self, grad_y: np.ndarray) -> dict[str, np.ndarray]:
        """The loss's own gradients, times `grad_y`."""
        self.graph.gradients.fill(np.nan)
        self._run(self._record_backward)
        gradients = {"x": self.data.grad_x, **{name: parameter.gradient for name, parameter in self.parameters.items()}}
        return {name: gradient * grad_y[0] for name, gradient in gradients.items()}

    def output_weights(self, draws: np.random.Generator) -> np.ndarray:
        """The loss itself."""
        return np.ones(1)

    def _data(self, images: np.ndarray) -> SimpleNamespace:
        data = super()._data(images)
        data.targets, data.loss = self.targets, np.zeros(self.batch)
        return data

    def _record_forward(self, step: Any) -> Any:
        return measured_step(step, self.graph, self.objective, self.data)

    def _record_backward(self, step: Any) -> None:
        grad, backward = self._record_forward(step)
        self._output_grad_x(step, backward(grad))


def model_images(model: CNN, x: Any) -> np.ndarray:
    """Images as the model's first layer sees them, in float64."""
    images = model.check_images(x)
    how = model.normalization
    pixels = kernels.take_images(
        as_four_axes(images), np.arange(len(images)), normalize="per-image" if how.per_image else None, dtype="float64"
    )
    if how.mean is not None and how.deviation is not None:
        pixels = kernels.standardize(pixels, how.mean, how.deviation)
    return pixels.reshape(images.shape)
