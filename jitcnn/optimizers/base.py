"""What every optimizer has: numbers that may change at every step, and a state that lives as long as the parameters."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from jitcnn import kernels
from jitcnn.checks import amount, positive, share
from jitcnn.engine.parameter import FlatLayout, Parameter

CHECKS = {
    **dict.fromkeys(("learning_rate", "epsilon"), positive),
    **dict.fromkeys(("momentum", "beta1", "beta2", "alpha", "rho"), share),
    "weight_decay": amount,
}


class Optimizer:
    """What every optimizer has: numbers that steer it, which may change while it runs, and a state for each parameter.

    Attributes
    ----------
    name : str
        As `compile` takes it and files hold it.
    learning_rate : float
        May be set at any time, in a callback too.
    settings : dict
        The arguments that make it again.
    first : int64 array (1,)
        The number of the step whose numbers are in the table's row 0.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]  # names of the numbers in `hyper`, in this order
    states: ClassVar[int] = 0  # arrays of a parameter's size that it keeps
    momentum_field: ClassVar[str | None] = None  # the number that a schedule's momentum takes the place of

    def __init__(self, **hyper: float):
        self.hyper = np.array(
            [CHECKS[field](field, hyper[field]) if field in CHECKS else hyper[field] for field in self.fields], np.float64
        )
        self.first = np.ones(1, np.int64)
        self.buffers: list[np.ndarray] = []
        self.layout: FlatLayout | None = None
        self.slices: dict[Parameter, slice] = {}

    @property
    def learning_rate(self) -> float:
        """Size of a step."""
        return float(self.hyper[0])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.hyper[0] = positive("learning_rate", value)

    @property
    def settings(self) -> dict[str, float]:
        """The arguments by name."""
        return dict(zip(self.fields, map(float, self.hyper), strict=True))

    def prepare(self, layout: FlatLayout) -> bool:
        """Have a state for these parameters: what there is stays as long as they are the same.

        Returns
        -------
        bool
            Whether the state is new, so that programs recorded earlier are void.
        """
        if self.layout is not None and list(self.slices) == list(layout.slices):
            return False
        if self.layout is not None:
            self.check_same(layout)
        self.layout, self.slices = layout, layout.slices
        self.buffers = [layout.zeros() for _ in range(self.states)]
        return True

    def check_same(self, layout: FlatLayout) -> None:
        """Raise a ValueError if the state belongs to other parameters."""
        if not set(self.slices) & set(layout.slices):
            raise ValueError(f"this {type(self).__name__} belongs to another model: make a new one for each model")

    def state(self, parameter: Parameter) -> list[np.ndarray]:
        """The parameter's part of each state buffer."""
        return [buffer[self.slices[parameter]] for buffer in self.buffers]

    def table(self, rates: Sequence[float], momenta: Sequence[float | None]) -> np.ndarray:
        """The numbers of several steps, one row each, from their learning rates and momenta (None for the optimizer's own)."""
        table = np.tile(self.hyper, (len(rates), 1))
        table[:, 0] = rates
        if self.momentum_field is not None:
            column = table[:, self.fields.index(self.momentum_field)]
            column[:] = [own if momentum is None else momentum for own, momentum in zip(column, momenta, strict=True)]
        return table

    def update(self, step: Any, parameter: Parameter, table: np.ndarray) -> None:
        """Make the call that changes one parameter, with the numbers in `table`.

        The kernel has the optimizer's name; `table` is (steps, len(fields)), its row 0 that of step number `first`.
        """
        kernel = getattr(kernels, self.name)
        step.call(kernel, parameter.flat, parameter.flat_gradient, *self.state(parameter), table, step.step_number, self.first)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value:g}' for name, value in self.settings.items())})"
