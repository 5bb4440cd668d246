"""The network as a list of layers: order, names, shapes, and one flat buffer for all parameters."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from jitcnn.engine.parameter import FlatLayout, Parameter
from jitcnn.forms.geometry import count
from jitcnn.layers.base import Backward, Layer, Shape
from jitcnn.turns import Turns


class Graph:
    """Layers in the order in which they work.

    Attributes
    ----------
    layers : list of Layer
    names : list of str
        `conv1`, `pool1`, `dense1`, …, as the layers are called in this graph.
    dtype : numpy.dtype
        Of parameters, gradients and buffers.
    input_shape, output_shape : tuple of int, or None
        Shapes of one image; None as long as the input's is unknown.
    layout : FlatLayout or None
        Where each parameter lies in flat buffers; None before parameters have memory.
    values, gradients : 1-D array
        The flat buffers.
    turns : Turns
        Held while layers are built, parameters placed and programs made.
    """

    def __init__(self, layers: Iterable[Layer] = (), *, dtype: Any = np.float32, seed: int = 0, all_gradients: bool = False):
        """Make a graph.

        Parameters
        ----------
        layers
            Layers, in order.
        dtype
            float32 or float64.
        seed
            What first weights and dropout are drawn from, together with a layer's number.
        all_gradients
            Whether `backward` computes the gradient with respect to the input too.
        """
        self.layers: list[Layer] = []
        self.names: list[str] = []
        self.dtype = np.dtype(dtype)
        self.seed = seed
        self.all_gradients = all_gradients
        self.input_shape: Shape | None = None
        self.layout: FlatLayout | None = None
        self.version = 0
        self.turns = Turns()
        self.values = np.empty(0, self.dtype)
        self.gradients = np.empty(0, self.dtype)
        self._claimed: list[tuple[Layer, list[tuple[Parameter, np.ndarray]]]] = []  # as `claim` left them
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Raises
        ------
        ValueError
            If it is no layer, is in the graph already, or does not fit what comes before.
        """
        if not isinstance(layer, Layer):
            what = f"the class {layer.__name__}" if isinstance(layer, type) else f"a {type(layer).__name__}"
            raise ValueError(f"a model is made of layers, and was given {what}: add an object such as Conv2d(8)")
        if any(layer is other for other in self.layers):
            raise ValueError(f"{layer.name} is in the model already: make a new layer for each place")
        layer.name = self._new_name(layer)
        self.names.append(layer.name)
        self.layers.append(layer)
        self.layout = None
        try:
            if self.input_shape is None and len(self.layers) == 1:
                self.input_shape = layer.declared_shape
            self._build()
        except BaseException:  # Ctrl-C too
            del self.layers[-1], self.names[-1]
            if not self.layers:
                self.input_shape = None
            raise

    def take_input_shape(self, shape: Shape) -> None:
        """Learn the shape of one image, if no layer said it."""
        with self.turns:
            if self.input_shape is None:
                self.input_shape = shape
                try:
                    self._build()
                except BaseException:
                    self.input_shape = None
                    raise

    @property
    def output_shape(self) -> Shape | None:
        """The shape of one output."""
        if self.input_shape is None:
            return None
        return self.layers[-1].output_shape if self.layers else self.input_shape

    @property
    def parameters(self) -> dict[str, Parameter]:
        """All parameters by `layer/name`."""
        pairs = zip(self.names, self.layers, strict=True)
        return {f"{name}/{parameter.name}": parameter for name, layer in pairs for parameter in layer.parameter_list}

    def claim(self) -> int:
        """Make sure that layers are built as this graph needs them, and that parameters lie in its flat buffers.

        A layer may have been used alone or in another model since; its values come along.

        Returns
        -------
        int
            A version that is another one once parameters have moved in memory, so that programs recorded earlier are void.
        """
        with self.turns:
            if not self._is_claimed():
                self._build()
                parameters = self.parameters.values()
                if self.layout is None or not all(p.is_allocated and np.may_share_memory(p.flat, self.values) for p in parameters):
                    self.allocate()
                self._claimed = [(layer, [(parameter, parameter.flat) for parameter in layer.parameter_list]) for layer in self.layers]
            return self.version

    def _is_claimed(self) -> bool:
        """Whether nothing has happened to the layers since: this is asked at every prediction."""
        if len(self._claimed) != len(self.layers):
            return False
        for layer, places in self._claimed:
            if layer.owner is not self:
                return False
            for parameter, flat in places:
                if not parameter.is_allocated or parameter.flat is not flat:
                    return False
        return True

    def allocate(self) -> None:
        """Give all parameters their place in new flat buffers, with the values they have, or first values."""
        parameters = list(self.parameters.values())
        self.layout = FlatLayout(parameters, self.dtype)
        values, gradients = self.layout.zeros(), self.layout.zeros()
        for layer in self.layers:
            fresh = {} if all(p.is_allocated for p in layer.parameter_list) else layer.first_values()
            for parameter in layer.parameter_list:
                start = parameter.value.copy() if parameter.is_allocated else fresh[parameter.name]
                where = self.layout.slices[parameter]
                parameter.view(values[where])[...] = start
                parameter.bind(values[where], gradients[where])  # with its values: Ctrl-C may come in between
        self.values, self.gradients = values, gradients
        self.version += 1

    def forward(self, step: Any, x: Any, logits: bool = False) -> tuple[Any, Backward]:
        """All layers: (y, backward).

        Parameters
        ----------
        step
            What `jitcnn.engine` hands to a recorded function.
        x
            A buffer of images.
        logits
            Leave out the last layer's activation.
        """
        backwards = []
        for layer in self.layers:
            run = layer.transform if logits and layer is self.layers[-1] else layer.forward
            x, backward = run(step, x)
            backwards.append(backward)

        def backward_all(grad_y: Any) -> Any:
            for backward in reversed(backwards):
                if grad_y is None:
                    break  # nothing below has parameters
                grad_y = backward(grad_y)
            return grad_y

        return x, backward_all

    def forward_buffers(self, step: Any, x: Any) -> dict[str, Any]:
        """The input and every layer's output as "b0", "b1", …, in order."""
        buffers = {"b0": x}
        for number, layer in enumerate(self.layers, 1):
            x, _ = layer.forward(step, x)
            buffers[f"b{number}"] = x
        return buffers

    def buffer_shapes(self) -> dict[str, Shape]:
        """The shapes of what `forward_buffers` returns, for one image."""
        assert self.input_shape is not None
        shapes = [self.input_shape, *(layer.output_shape for layer in self.layers if layer.output_shape is not None)]
        return {f"b{number}": shape for number, shape in enumerate(shapes)}

    def _build(self) -> None:
        """Propagate shapes. Layers that have been elsewhere since take their names, seeds and numbers anew."""
        if self.input_shape is None:
            return
        shape, below_has_parameters = self.input_shape, self.all_gradients
        for number, (layer, name) in enumerate(zip(self.layers, self.names, strict=True)):
            if layer.declared_shape not in (None, shape):
                raise ValueError(
                    f"{name} was given input_shape={layer.declared_shape}, and its input is {shape}: leave input_shape out, "
                    f"it is inferred behind the first layer"
                )
            if layer.owner is not self:
                layer.name, layer.seed, layer.number = name, self.seed, number
                layer.input_gradient = below_has_parameters
                layer.place(shape)
                layer.allocate_by(self.allocate)
                layer.owner = self
            assert layer.output_shape is not None
            shape = layer.output_shape
            count(f"the output of {name}", shape)
            below_has_parameters = below_has_parameters or bool(layer.parameter_list)

    def _new_name(self, layer: Layer) -> str:
        base = layer.base_name or type(layer).__name__.lower()
        return next(name for name in (f"{base}{number}" for number in range(1, len(self.layers) + 2)) if name not in self.names)
