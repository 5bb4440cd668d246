"""What every layer is: shapes, parameters, a forward pass that returns its backward pass."""

import copy
import inspect
import operator
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from jitcnn import initializers, kernels
from jitcnn.engine.forward import ForwardSession
from jitcnn.engine.parameter import Parameter
from jitcnn.forms.geometry import integer
from jitcnn.inputs import as_images
from jitcnn.kernels.buffers import aligned_zeros

Shape = tuple[int, ...]
Backward = Callable[[Any], Any]

ACTIVATIONS = (None, "linear", "relu", "sigmoid", "tanh", "softmax")


class Layer:
    """The base of all layers, and of layers of one's own.

    A layer says in `build` which shape it makes of which, and asks for its parameters there. In `forward` it asks the step for
    buffers and calls kernels or functions on them through `step.call`, and returns its output together with a function `backward`,
    which does the same for the gradients. NumPy on a buffer itself has no place there: "fast" records the calls once and replays them.

    Attributes
    ----------
    name : str
        `conv1`, `pool1`, … within its model.
    input_shape, output_shape : tuple of int, or None
        Shapes of one image, known once the layer is built.
    activation : str or None
        What is applied to what `transform` computes.
    input_gradient : bool
        False where nobody needs the gradient with respect to the layer's input (no parameters lie below): `backward` may return None.

    Examples
    --------
    A layer of one's own, `y = x * sigmoid(beta * x)`:

    >>> import numpy as np
    >>> from jitcnn import Layer
    >>> from jitcnn.initializers import ones
    >>> def swish(x, beta, y):
    ...     y[:] = x / (1 + np.exp(-beta[0] * x))
    >>> def swish_grad(x, beta, grad_y, grad_x, grad_beta):
    ...     s = 1 / (1 + np.exp(-beta[0] * x))
    ...     grad_x[:] = grad_y * (s + beta[0] * x * s * (1 - s))
    ...     grad_beta[0] = np.sum(grad_y * x * x * s * (1 - s))
    >>> class Swish(Layer):
    ...     def build(self, input_shape):
    ...         self.beta = self.parameter("beta", (1,), ones)
    ...         return input_shape
    ...
    ...     def forward(self, step, x):
    ...         y = step.buffer(x.shape)
    ...         step.call(swish, x, self.beta, y)
    ...
    ...         def backward(grad_y):
    ...             grad_x = step.gradient_buffer(x)
    ...             step.call(swish_grad, x, self.beta, grad_y, grad_x, step.gradient(self.beta))
    ...             return grad_x
    ...
    ...         return y, backward
    """

    base_name: ClassVar[str] = ""  # first part of a layer's name; the class's name in small letters where empty

    # Defaults on the class, so that a layer of one's own need not call `super().__init__()`.
    name: str = "layer"
    activation: str | None = None
    declared_shape: Shape | None = None
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    input_gradient: bool = True
    seed: int = 0
    number: int = 0
    owner: object = None  # the graph that built the layer last
    _alone: tuple[ForwardSession, list[np.ndarray]] | None = None

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls.name = cls.base_name or cls.__name__.lower()

    def __init__(self, *, input_shape: int | Sequence[int] | None = None):
        """Take the shape of one image, which only the first layer of a model needs, and only where no images come before."""
        if input_shape is not None:
            self.declared_shape = image_shape(input_shape)

    # What layers define

    def build(self, input_shape: Shape) -> Shape:
        """Take the shape of one input, ask for parameters, and return the shape of one output. Called again, it finds its parameters."""
        return input_shape

    def transform(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The layer without its activation: (z, backward). Losses that work on logits call this on the last layer."""
        raise NotImplementedError(f"{type(self).__name__} defines neither forward nor transform")

    def forward(self, step: Any, x: Any) -> tuple[Any, Backward]:
        """The whole layer: (y, backward), and backward takes grad_y and returns grad_x."""
        z, transform_backward = self.transform(step, x)
        if self.activation is None:
            return z, transform_backward
        apply, apply_grad = activation_kernels(self.activation)
        step.call(apply, z, z)

        def backward(grad_y: Any) -> Any:
            step.call(apply_grad, grad_y, z, grad_y)
            return transform_backward(grad_y)

        return z, backward

    def multiply_adds(self) -> int:
        """Multiplications with an addition, for one image forward."""
        return 0

    def describe(self) -> dict[str, Any]:
        """The arguments that make such a layer again, for the model's file: numbers, strings, lists.

        Taken from attributes of the names of the constructor's arguments; a layer that keeps them elsewhere overrides this.
        """
        arguments = inspect.signature(type(self)).parameters.values()
        names = [a.name for a in arguments if a.kind not in (a.VAR_POSITIONAL, a.VAR_KEYWORD) and a.name != "input_shape"]
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise ValueError(
                f"{self.name}: {type(self).__name__} cannot be described, since its argument {missing[0]!r} is not kept: "
                f"set self.{missing[0]} in its constructor, or define describe(self) to return its arguments as a dict"
            )
        return {name: plain(getattr(self, name)) for name in names}

    # What layers use

    def parameter(self, name: str, shape: Sequence[int], initializer: initializers.Initializer, transposed: bool = False) -> Parameter:
        """Ask for a parameter, in `build`.

        Parameters
        ----------
        name
            "weights", "bias", …
        shape
            Its public shape.
        initializer
            `initializer(shape, generator=…)` or `initializer(shape)`; see `jitcnn.initializers`.
        transposed
            Keep it in memory with reversed axes.

        Raises
        ------
        ValueError
            If the layer has such a parameter of another shape, from another input.
        """
        shape = tuple(int(size) for size in shape)
        own = self.__dict__.setdefault("_parameters", {})
        known = own.get(name)
        if known is None:
            known = own[name] = Parameter(name, shape, initializer, transposed)
        elif known.shape != shape:
            raise ValueError(
                f"{self.name}: the layer's {name} are {known.shape} from earlier use, and this input needs {shape}: make a new layer"
            )
        return known

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """The layer's parameters by name, views to be read and written in place; empty before the layer knows its input's shape."""
        return {parameter.name: parameter.value for parameter in self.parameter_list}

    @property
    def parameter_list(self) -> list[Parameter]:
        """The same as `Parameter` objects."""
        return list(self.__dict__.get("_parameters", {}).values())

    def place(self, input_shape: Shape) -> Shape:
        """Build the layer for inputs of this shape, and keep both shapes."""
        output_shape = tuple(int(size) for size in self.build(input_shape))
        if not output_shape or min(output_shape) < 1:
            raise ValueError(f"{self.name} makes {output_shape} of {input_shape}: every axis needs at least one entry")
        self.input_shape, self.output_shape = input_shape, output_shape
        return output_shape

    def first_values(self) -> dict[str, np.ndarray]:
        """Fresh first values of all parameters, from the layer's seed and number."""
        generator = initializers.generator(self.seed, self.number)
        return {parameter.name: parameter.initial(generator) for parameter in self.parameter_list}

    # Alone

    def __call__(self, x: Any) -> np.ndarray:
        """The layer's output for images (n, rows, columns, channels) or rows of features (n, features), as in prediction.

        Equals `CNN([layer]).predict(x)`. The first call draws the weights, which the layer keeps.
        """
        images = as_images(x)
        shape = images.shape[1:]
        if self.output_shape is None:
            self.seed = secrets.randbits(63)
            self.place(shape)
            self.allocate_by(self._allocate_alone)
        layer = self
        if self.input_shape != shape:  # a copy with the same parameters: the layer's shapes may be those of a model
            layer = copy.copy(self)
            layer.place(shape)
        return layer._session(images).run(images)["y"]

    def __getstate__(self) -> dict[str, Any]:
        """A copy belongs to no graph yet, and records its own programs."""
        return {name: value for name, value in self.__dict__.items() if name not in ("owner", "_alone")}

    def allocate_by(self, allocate: Callable[[], None]) -> None:
        """Have parameters without memory call this when they are first looked at."""
        for parameter in self.parameter_list:
            if not parameter.is_allocated:
                parameter.allocate = allocate

    def _allocate_alone(self) -> None:
        values = self.first_values()
        for parameter in self.parameter_list:
            parameter.bind(aligned_zeros(parameter.size, np.float32), aligned_zeros(parameter.size, np.float32))
            parameter.value[...] = values[parameter.name]

    def _session(self, images: np.ndarray) -> ForwardSession:
        """The forward pass, recorded for as long as images are of one dtype and the parameters stay where they are in memory."""
        assert self.input_shape is not None and self.output_shape is not None
        memory = [parameter.flat for parameter in self.parameter_list]
        if self._alone is not None:
            session, known_memory = self._alone
            if session.sound and session.fits(images) and all(map(operator.is_, memory, known_memory)):
                return session
        dtype = memory[0].dtype if memory else np.float32
        session = ForwardSession("fast", lambda step, x: {"y": self.forward(step, x)[0]}, images, {"y": self.output_shape}, dtype)
        self._alone = (session, memory)
        return session

    def __repr__(self) -> str:
        try:
            settings = ", ".join(f"{name}={value!r}" for name, value in self.describe().items())
        except ValueError:
            settings = "…"
        return f"{type(self).__name__}({settings})"


def activation_name(name: Any) -> str | None:
    """An activation's name as layers keep it, None for "linear"; a ValueError if there is no such activation."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation is {name!r}, expected one of {', '.join(map(repr, ACTIVATIONS))}")
    return None if name == "linear" else name


def activation_kernels(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The kernels that apply an activation, and its derivative."""
    return getattr(kernels, name), getattr(kernels, f"{name}_grad")


def image_shape(shape: Any) -> Shape:
    """An `input_shape` argument as a tuple: (rows, columns, channels), or (features,), which may also be given as an integer."""
    sizes = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    sizes = tuple(integer("input_shape", size, at_least=1) for size in sizes)
    if len(sizes) == 2:
        raise ValueError(f"input_shape is {sizes}: add the channel axis, ({sizes[0]}, {sizes[1]}, 1)")
    if len(sizes) not in (1, 3):
        raise ValueError(f"input_shape is {sizes}, expected (rows, columns, channels) of one image, or (features,)")
    return sizes


def plain(value: Any) -> Any:
    """Settings as a file can hold them: tuples become lists."""
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
