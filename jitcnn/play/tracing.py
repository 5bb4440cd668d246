"""One image's way through a model and back, with every kernel call and its arrays kept: what numbers are explained from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn.engine.eager import EagerStep
from jitcnn.engine.forward import as_four_axes, take_batch
from jitcnn.engine.parameter import Parameter
from jitcnn.forms.prepared import ARGUMENTS, without_hints
from jitcnn.kernels.lowering import run_alone
from jitcnn.layers.base import Layer
from jitcnn.losses import CrossEntropy, Loss
from jitcnn.model import CNN
from jitcnn.reference.prepared import PREPARED


@dataclass(frozen=True)
class Call:
    """A call of a kernel, or of a function of the user's own.

    Attributes
    ----------
    name : str
        The kernel's, or the function's.
    function : callable
    values : dict
        What it was given, by the argument's name: arrays as they were before, and those that it wrote as they were afterwards.
    written : tuple of str
        Names of the arrays that it wrote; empty for functions of the user's own.
    parameters : dict of str to str
        Argument -> the parameter that it is, or whose gradient.
    """

    name: str
    function: Callable[..., Any]
    values: dict[str, Any]
    written: tuple[str, ...]
    parameters: dict[str, str]

    @property
    def result(self) -> np.ndarray | None:
        """What a kernel wrote, the first of several."""
        return self.values[self.written[0]] if self.written else None


@dataclass
class Passage:
    """One layer on the image's way.

    Attributes
    ----------
    name : str
    kind : str
        The layer's class.
    x, y : array
        What went in and came out, without the batch axis of a single image.
    grad_y, grad_x : array or None
        The loss's gradients with respect to them.
    forward, backward : list of Call
    """

    name: str
    kind: str
    x: np.ndarray
    y: np.ndarray
    grad_y: np.ndarray | None = None
    grad_x: np.ndarray | None = None
    forward: list[Call] = field(default_factory=list)
    backward: list[Call] = field(default_factory=list)


@dataclass
class Trace:
    """All of it: the preparation of the numbers, the layers in order, and, with a gradient, the loss.

    Attributes
    ----------
    start, layers, end
        `end` is the loss: its `y` the losses of the images, its calls those of its gradient. None without a gradient.
    gradients : dict of str to array
        By parameter, `layer/name`.
    """

    start: Passage
    layers: list[Passage]
    end: Passage | None = None
    gradients: dict[str, np.ndarray] = field(default_factory=dict)

    def find(self, name: str) -> Passage:
        """A passage by its name; a ValueError if there is none."""
        for passage in (self.start, *self.layers, *([self.end] if self.end else [])):
            if passage.name == name:
                return passage
        raise ValueError(f"layer is {name!r}, expected one of {', '.join(passage.name for passage in self.layers)}")


class TracingStep(EagerStep):
    """A step whose kernels are the fast ones, each run at once, and kept. Gradients of parameters are arrays of its own.

    Parameters
    ----------
    dtype
        The model's.
    images
        How many.
    values : dict, optional
        Arrays in place of those of parameters.
    plain : bool
        Run the reference loops, in Python, instead.
    """

    def __init__(self, dtype: np.dtype, images: int, values: dict[Parameter, np.ndarray] | None = None, plain: bool = False):
        super().__init__("python" if plain else "fast", images, dtype, False, np.zeros(1, np.int64))
        self.values = values or {}
        self.names: dict[Parameter, str] = {}
        self.gradient_arrays: dict[Parameter, np.ndarray] = {}
        self.calls: list[Call] = []

    def gradient(self, parameter: Parameter) -> np.ndarray:
        """An array of this step's own."""
        if parameter not in self.gradient_arrays:
            zeros = np.zeros(parameter.size, self.dtype)
            self.gradient_arrays[parameter] = (
                zeros.reshape(parameter.shape[::-1]).T if parameter.transposed else zeros.reshape(parameter.shape)
            )
        return self.gradient_arrays[parameter]

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Run the call, and keep it."""
        values = [self.values.get(a, a.value) if isinstance(a, Parameter) else a for a in arguments]
        name = getattr(function, "prepared_name", None)
        declared = ARGUMENTS[name] if name else ()
        names = [argument.name for argument in declared[: len(values)]] or [f"argument {number}" for number in range(len(values))]
        kept = {n: value.copy(order="A") if isinstance(value, np.ndarray) else value for n, value in zip(names, values, strict=True)}
        if not name:
            function(*values)
        elif self.kind == "python":
            PREPARED[name](*without_hints(name, values))
        else:
            run_alone(name, *values)
        written = tuple(argument.name for argument in declared if argument.written)
        kept |= {n: value.copy(order="A") for n, value in zip(names, values, strict=True) if n in written}
        self.calls.append(Call(name or function.__name__, function, kept, written, self._parameters(names, arguments)))

    def take_calls(self) -> list[Call]:
        """The calls since the last time."""
        calls, self.calls = self.calls, []
        return calls

    def _parameters(self, names: list[str], arguments: tuple[Any, ...]) -> dict[str, str]:
        found = {}
        for name, argument in zip(names, arguments, strict=True):
            for parameter, title in self.names.items():
                if argument is parameter or argument is self.gradient_arrays.get(parameter):
                    found[name] = title
        return found


def trace(
    model: CNN,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    output: int | None = None,
    values: dict[Parameter, np.ndarray] | None = None,
    plain: bool = False,
) -> Trace:
    """Follow images through the model, and, if it is said of what, the gradient back to the image.

    Parameters
    ----------
    model
        Whose parameters, and all else, stay as they are.
    images
        One image, or several with the image axis.
    labels : int array (n,), optional
        Classes: the gradient is that of the loss.
    output : int, optional
        The gradient is that of this number of the output, counted in its flat order.
    values
        Arrays in place of those of parameters; of all of them if their dtype is another than the model's.
    plain
        Use the reference loops, in Python, as the engine "python" does anyway.

    Raises
    ------
    ValueError
        If the model has no such loss or output.
    """
    single = images.shape == model.input_shape
    batch = images[None] if single else images
    model.graph.claim()
    dtype = next(iter(values.values())).dtype if values else model.dtype
    step = TracingStep(dtype, len(batch), values, plain or model.engine == "python")
    step.names = {parameter: name for name, parameter in model.graph.parameters.items()}
    data = SimpleNamespace(images=as_four_axes(batch), order=np.arange(len(batch)), position=np.zeros(1, np.int64))
    assert model.input_shape is not None
    cut = (lambda array: array[0].copy()) if single else (lambda array: array.copy())
    with np.errstate(all="ignore"):
        x = take_batch(step, data, model.input_shape, model.normalization)
        found = Trace(Passage("input", "Input", cut(data.images), cut(x), forward=step.take_calls()), [])
        loss = loss_of(model) if labels is not None else None
        backwards = []
        for layer in model.layers:
            before = cut(x)
            x, backward = run_forward(layer, step, x, loss is not None and loss.on_logits and layer is model.layers[-1])
            backwards.append(backward)
            found.layers.append(Passage(layer.name, type(layer).__name__, before, cut(x), forward=step.take_calls()))
        if labels is None and output is None:
            return found
        grad = gradient_of_output(x, output) if loss is None else gradient_of_loss(found, model, loss, step, x, labels)
        for passage, backward in zip(reversed(found.layers), reversed(backwards), strict=True):
            passage.grad_y = cut(grad)
            grad = backward(grad)
            passage.backward, passage.grad_x = step.take_calls(), cut(grad)
    found.gradients = {step.names[parameter]: array for parameter, array in step.gradient_arrays.items()}
    return found


def run_forward(layer: Layer, step: TracingStep, x: Any, logits: bool) -> tuple[Any, Callable[[Any], Any]]:
    """The layer's forward pass, with a backward that gives the gradient of its input even if no layer below needs it."""
    probe = copy.copy(layer)
    probe.input_gradient = True
    x, backward = (probe.transform if logits else probe.forward)(step, x)
    return x, backward


def loss_of(model: CNN) -> Loss:
    """The model's loss, cross-entropy if it was never compiled; a ValueError if it does not suit the outputs."""
    loss = model.loss or CrossEntropy()
    assert model.output_shape is not None
    if len(model.output_shape) != 1:
        raise ValueError(f"label needs a row of outputs, and the model's are {model.output_shape}: give output, a number of one of them")
    loss.check(model.layers[-1].activation, model.output_shape)
    return loss


def targets_of(model: CNN, loss: Loss, labels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Labels as the loss takes them."""
    assert model.output_shape is not None
    outputs = model.output_shape[0]
    if labels.min() < 0 or labels.max() >= max(outputs, 2):
        raise ValueError(f"label is {labels.tolist()}, and the model has {outputs} outputs")
    if loss.wants_classes(model.layers[-1].activation):
        return labels.astype(np.int64)
    return (labels[:, None] if outputs == 1 else np.eye(outputs)[labels]).astype(dtype)


def gradient_of_loss(found: Trace, model: CNN, loss: Loss, step: TracingStep, x: Any, labels: Any) -> Any:
    """The gradient with respect to the last layer's output, or to its logits; the loss becomes the trace's end."""
    targets = targets_of(model, loss, np.asarray(labels), step.dtype)
    losses, grad = loss.apply(step, model.layers[-1].activation, x, targets)
    found.end = Passage("loss", type(loss).__name__, x.copy(), losses.copy(), grad_x=grad.copy(), forward=step.take_calls())
    return grad


def gradient_of_output(x: np.ndarray, output: int | None) -> np.ndarray:
    """1 at one output, 0 at all others."""
    size = x[0].size
    if output is None or not 0 <= output < size:
        raise ValueError(f"output is {output}, expected a number from 0 up to, not including, {size}")
    grad = np.zeros_like(x)
    grad.reshape(len(x), -1)[:, output] = 1
    return grad
