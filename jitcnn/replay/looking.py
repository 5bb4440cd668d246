"""A step of training, looked at from all sides while it is done."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn.engine import build_program
from jitcnn.graph import Graph
from jitcnn.layers import Dropout
from jitcnn.layers.base import Backward
from jitcnn.objective import measured_step
from jitcnn.passes import Passes, Trainer
from jitcnn.replay.names import WeightName
from jitcnn.replay.result import Replay, Weight


def look(passes: Passes, epoch: int, done: int, name: WeightName | None = None) -> Replay:
    """Do the next step of a pass, and tell all about it.

    Parameters
    ----------
    passes
        Of training, at work.
    epoch
        The epoch's number, from 0.
    done
        How many images the epoch has had, in whole steps.
    name
        A weight to look at.
    """
    trainer = passes.trainer
    number = int(trainer.steps[0]) + 1
    batch = slice(done, min(done + passes.batch_size, len(passes.order)))
    seen = _Seen(passes, batch, number, name)
    before, states = _values(trainer), _states(trainer, name)
    program = passes.prepare().program
    program.run(done, 1, batch.stop - batch.start)
    after = _values(trainer)
    weight = None
    if name is not None:
        gradient, taken, old, new = (
            float(arrays[name.parameter][name.index]) for arrays in (seen.gradient, _gradients(trainer), before, after)
        )
        weight = Weight(name, seen.by_image, gradient, taken, old, new, list(zip(states, _states(trainer, name), strict=True)))
    images, classes = passes.order[batch].copy(), passes.targets.classes
    return Replay(
        step=number,
        epoch=epoch + 1,
        images=images,
        labels=None if classes is None else classes[images],
        x=seen.x,
        masks=seen.masks,
        predictions=None if classes is None else seen.predictions,
        losses=passes.measured["loss"][batch].copy(),
        earlier=passes.measured["loss"][:done].copy(),
        lengths=seen.lengths,
        gradient=seen.gradient,
        clipping=1.0 if trainer.limit is None else min(1.0, float(trainer.limit[0]) / (seen.length + 1e-6)),
        optimizer={"name": trainer.optimizer.name, **_numbers(passes, number)},
        before=before,
        after=after,
        weight=weight,
    )


def _values(trainer: Trainer) -> dict[str, np.ndarray]:
    return {name: parameter.value.copy() for name, parameter in trainer.graph.parameters.items()}


def _gradients(trainer: Trainer) -> dict[str, np.ndarray]:
    return {name: parameter.gradient.copy() for name, parameter in trainer.graph.parameters.items()}


def _states(trainer: Trainer, name: WeightName | None) -> list[float]:
    """What the optimizer keeps of a weight."""
    if name is None:
        return []
    parameter = trainer.graph.parameters[name.parameter]
    axes, index = (parameter.shape[::-1], name.index[::-1]) if parameter.transposed else (parameter.shape, name.index)
    return [float(state.reshape(axes)[index]) for state in trainer.optimizer.state(parameter)]


def _numbers(passes: Passes, number: int) -> dict[str, float]:
    """The optimizer's numbers in a step."""
    optimizer = passes.trainer.optimizer
    row = passes.arrays["hyper"][number - int(optimizer.first[0])]
    return dict(zip(optimizer.fields, map(float, row), strict=True))


def _length(array: np.ndarray) -> float:
    """The Euclidean norm, summed in float64 in the same order everywhere."""
    return float(np.sqrt(np.square(array, dtype=np.float64).sum()))


class _Seen:
    """Forward and backward pass of a batch, once for all its images and once for each.

    Attributes
    ----------
    x, masks, predictions, gradient, lengths
        As in `Replay`.
    length : float
        Of the whole gradient.
    by_image : float64 array (n,)
        What each image adds to the gradient of the weight that was asked for.
    """

    def __init__(self, passes: Passes, batch: slice, number: int, name: WeightName | None):
        trainer, count = passes.trainer, batch.stop - batch.start
        tapped: Any = _Tapped(trainer.graph)
        data = SimpleNamespace(**passes.arrays, position=np.zeros(1, np.int64))

        def record(step: Any) -> None:
            grad, backward = measured_step(step, tapped, trainer.objective, data, trainer.augmenter)
            backward(grad)

        step_number = np.zeros(1, np.int64)
        how = count, trainer.graph.dtype, True, data.order, data.position, step_number, trainer.threads
        program = build_program(trainer.engine, record, *how)
        program.prepare()

        def run(chosen: int | None) -> None:
            tapped.chosen, step_number[0] = chosen, number - 1
            program.run(batch.start, 1)

        run(None)
        self.x, outputs = tapped.kept["x"], tapped.kept["outputs"]
        self.masks = {name: kept != 0 for name, kept in tapped.masks.items()}
        middle = 0.0 if trainer.objective.loss.on_logits else 0.5
        single = outputs.size == count
        self.predictions = (outputs.reshape(count) > middle).astype(np.int64) if single else outputs.reshape(count, -1).argmax(axis=1)
        self.gradient, self.length = _gradients(trainer), _length(trainer.graph.gradients)
        self.lengths, self.by_image = np.zeros(count), np.zeros(count)
        for place in range(count):
            run(place)
            self.lengths[place] = _length(trainer.graph.gradients)
            if name is not None:
                self.by_image[place] = trainer.graph.parameters[name.parameter].gradient[name.index]


class _Tapped:
    """A graph that keeps what the first layer takes, what was dropped, and what came out, and passes back one image's gradient or all."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.input_shape = graph.input_shape
        self.chosen: int | None = None  # the only image of the batch whose gradient is passed back
        self.kept: dict[str, np.ndarray] = {}
        self.masks: dict[str, np.ndarray] = {}

    def forward(self, step: Any, x: Any, logits: bool = False) -> tuple[Any, Backward]:
        """As `Graph.forward`."""
        _keep(step, self.kept, "x", x)
        for layer in self.graph.layers:
            if isinstance(layer, Dropout):
                assert layer.input_shape is not None
                ones = step.buffer(layer.input_shape)
                step.call(_fill, ones)
                _keep(step, self.masks, layer.name, layer.forward(step, ones)[0])
        y, backward = self.graph.forward(step, x, logits)
        _keep(step, self.kept, "outputs", y)

        def backward_chosen(grad_y: Any) -> Any:
            step.call(self._choose, grad_y)
            return backward(grad_y)

        return y, backward_chosen

    def _choose(self, grad_y: np.ndarray) -> None:
        if self.chosen is not None:
            row = grad_y[self.chosen].copy()
            grad_y[...] = 0
            grad_y[self.chosen] = row


def _keep(step: Any, kept: dict[str, np.ndarray], name: str, buffer: Any) -> None:
    """Have a copy of a buffer once the step is there."""
    step.call(lambda array: kept.update({name: array.copy()}), buffer)


def _fill(array: np.ndarray) -> None:
    array[...] = 1
