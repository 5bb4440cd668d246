"""Optimizers: how a gradient changes a parameter. Formulas and defaults are PyTorch's.

Each is one compiled pass. Its numbers may change at every step: a table has a row for each step of an epoch.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from jitcnn import kernels
from jitcnn.engine.parameter import FlatLayout, Parameter


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


class SGD(Optimizer):
    """Stochastic gradient descent, w -= learning_rate * g.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "sgd"
    fields = ("learning_rate", "weight_decay")

    def __init__(self, learning_rate: float = 0.01, weight_decay: float = 0.0):
        super().__init__(learning_rate=learning_rate, weight_decay=weight_decay)


class Momentum(Optimizer):
    """Gradient descent with momentum, v = momentum * v + g; w -= learning_rate * v.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    momentum : float
        How much of the last step's direction stays, from 0 up to, not including, 1.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "momentum"
    fields = ("learning_rate", "momentum", "weight_decay")
    states = 1
    momentum_field = "momentum"

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0):
        super().__init__(
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
        )


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015, algorithm 1), with bias correction.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    beta1, beta2 : float
        How slowly the means of the gradient and of its square follow, from 0 up to, not including, 1.
    epsilon : float
        Added to the root of the mean square.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "adam"
    fields = ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay")
    states = 2
    momentum_field = "beta1"

    def __init__(
        self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.0
    ):
        super().__init__(
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )


class Nesterov(Momentum):
    """Nesterov's momentum, v = momentum * v + g; w -= learning_rate * (g + momentum * v).

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    momentum : float
        How much of the last step's direction stays, from 0 up to, not including, 1.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "nesterov"


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012): steps in units of the usual size of each gradient.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    alpha : float
        How slowly the mean of the squared gradients follows, from 0 up to, not including, 1.
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "rmsprop"
    fields = ("learning_rate", "alpha", "epsilon", "weight_decay")
    states = 1

    def __init__(self, learning_rate: float = 0.01, alpha: float = 0.99, epsilon: float = 1e-8, weight_decay: float = 0.0):
        super().__init__(
            learning_rate=learning_rate,
            alpha=alpha,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer, 2011): steps in units of all gradients there were.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "adagrad"
    fields = ("learning_rate", "epsilon", "weight_decay")
    states = 1

    def __init__(self, learning_rate: float = 0.01, epsilon: float = 1e-10, weight_decay: float = 0.0):
        super().__init__(
            learning_rate=learning_rate,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )


class Adadelta(Optimizer):
    """Adadelta (Zeiler, 2012): steps in units of the usual step.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    rho : float
        How slowly the means of the squares follow, from 0 up to, not including, 1.
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "adadelta"
    fields = ("learning_rate", "rho", "epsilon", "weight_decay")
    states = 2

    def __init__(self, learning_rate: float = 1.0, rho: float = 0.9, epsilon: float = 1e-6, weight_decay: float = 0.0):
        super().__init__(
            learning_rate=learning_rate,
            rho=rho,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )


class Adamax(Optimizer):
    """Adamax (Kingma and Ba, 2015, section 7.1): the mean gradient in units of its largest size, which fades.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    beta1, beta2 : float
        How slowly the mean of the gradient and its largest size follow, from 0 up to, not including, 1.
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        This times the weights is added to the gradient.
    """

    name = "adamax"
    fields = ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay")
    states = 2
    momentum_field = "beta1"

    def __init__(
        self, learning_rate: float = 0.002, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.0
    ):
        super().__init__(
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    beta1, beta2 : float
        How slowly the mean of the gradient and its mean square follow, from 0 up to, not including, 1.
    epsilon : float
        Keeps the division finite.
    weight_decay : float
        The share of the weights, times the learning rate, that is taken off them first.
    """

    name = "adamw"
    fields = ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay")
    states = 2
    momentum_field = "beta1"

    def __init__(
        self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.01
    ):
        super().__init__(
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {
    optimizer.name: optimizer for optimizer in (SGD, Momentum, Nesterov, RMSprop, Adagrad, Adadelta, Adam, Adamax, AdamW)
}


def as_optimizer(optimizer: Any, learning_rate: float | None = None, **settings: float) -> Optimizer:
    """An optimizer from its name and settings (its own defaults for those that are missing, or None), or as it is."""
    if isinstance(optimizer, Optimizer):
        if learning_rate is not None:
            raise ValueError(f"learning_rate is given beside an optimizer that has one: give {type(optimizer).__name__}({learning_rate})")
        return optimizer
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        raise ValueError(f"optimizer is the class {optimizer.__name__}: give an object, {optimizer.__name__}()")
    if not isinstance(optimizer, str) or optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer is {optimizer!r}, expected one of {', '.join(map(repr, OPTIMIZERS))}, or an object such as Adam(0.001)"
        )
    return OPTIMIZERS[optimizer](**({} if learning_rate is None else {"learning_rate": learning_rate}), **settings)


def positive(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a finite number above 0."""
    number = real(name, value)
    if not 0 < number < np.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number above 0")
    return number


def amount(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a finite number of at least 0."""
    number = real(name, value)
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number of at least 0")
    return number


def share(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it lies from 0 up to, not including, 1."""
    number = real(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name} is {value!r}, expected a number from 0 up to, not including, 1")
    return number


def real(name: str, value: Any) -> float:
    """`value` as a float; a ValueError unless it is a real number."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{name} is {value!r}, expected a number")
    return float(value)


CHECKS = {
    **dict.fromkeys(("learning_rate", "epsilon"), positive),
    **dict.fromkeys(("momentum", "beta1", "beta2", "alpha", "rho"), share),
    "weight_decay": amount,
}
