"""Steps along the gradient, or along a velocity that collects gradients."""

from jitcnn.optimizers.base import Optimizer


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
        super().__init__(learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay)


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
