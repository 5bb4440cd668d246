"""Where in a training step the first number appears that is none: the step done once more, looking at everything that it makes."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn.augmentation import Augmenter
from jitcnn.engine import build_program
from jitcnn.graph import Graph
from jitcnn.layers.base import Backward
from jitcnn.objective import Objective, measured_step


def strange(array: np.ndarray) -> str | None:
    """What an array holds that is no finite number, "NaN" or else "infinity"; None if nothing."""
    if np.isfinite(array).all():
        return None
    return "NaN" if np.isnan(array).any() else "infinity"


class Observed:
    """A graph whose passes tell what they make, in the order in which they make it."""

    def __init__(self, graph: Graph, look: Callable[[str, np.ndarray], None]):
        self.graph, self.look = graph, look
        self.input_shape = graph.input_shape

    def tell(self, step: Any, what: str, value: Any) -> None:
        """Look at a buffer or an array when the step is there."""
        step.call(lambda array: self.look(what, array), value)

    def forward(self, step: Any, x: Any, logits: bool = False) -> tuple[Any, Backward]:
        """As `Graph.forward`."""
        self.tell(step, "the images, prepared for the first layer", x)
        backwards = []
        for layer in self.graph.layers:
            before = logits and layer is self.graph.layers[-1]
            x, backward = (layer.transform if before else layer.forward)(step, x)
            backwards.append(backward)
            self.tell(step, f"the output of {layer.name}{f' before its {layer.activation}' if before and layer.activation else ''}", x)

        def backward_all(grad_y: Any) -> Any:
            self.tell(step, "the loss's gradient with respect to the outputs", grad_y)
            for layer, backward in zip(reversed(self.graph.layers), reversed(backwards), strict=True):
                grad_y = backward(grad_y) if grad_y is not None else None
                for parameter in layer.parameter_list:
                    self.tell(step, f"the gradient of {layer.name}/{parameter.name}", parameter.flat_gradient)
                if grad_y is not None:
                    self.tell(step, f"the gradient with respect to the input of {layer.name}", grad_y)
            return grad_y

        return x, backward_all


def first_strange(
    graph: Graph,
    objective: Objective,
    augmenter: Augmenter,
    arrays: Mapping[str, np.ndarray],
    position: int,
    batch: int,
    step_number: int,
    engine: str,
    threads: int | None,
) -> str | None:
    """What holds the first NaN or infinity of a step's forward and backward pass: "NaN in the output of conv2"; None if nothing does.

    Parameters
    ----------
    graph, objective, augmenter, arrays
        As the step has them, with the parameters from before it.
    position, batch
        Where in the order its batch starts, and how many images it has.
    step_number
        The step's, which keys dropout.
    engine, threads
        What runs it.
    """
    for name, parameter in graph.parameters.items():
        if kind := strange(parameter.flat):
            return f"{kind} in {name}, before the step"
    found: list[str] = []

    def look(what: str, array: np.ndarray) -> None:
        kind = None if found else strange(array)
        if kind:
            found.append(f"{kind} in {what}")

    data = SimpleNamespace(**arrays, position=np.zeros(1, np.int64))

    observed: Any = Observed(graph, look)

    def record(step: Any) -> None:
        grad, backward = measured_step(step, observed, objective, data, augmenter)
        backward(grad)

    number = np.array([step_number - 1])
    program = build_program(engine, record, batch, graph.dtype, True, data.order, data.position, number, threads)
    program.prepare()
    program.run(position, 1)
    if not found and not np.isfinite(data.loss[position : position + batch]).all():
        return "a loss that is not finite, of finite outputs"
    return found[0] if found else None
