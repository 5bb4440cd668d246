"""Steps in units of the gradient's usual size, for each parameter its own."""

from jitcnn.optimizers.base import Optimizer


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
        super().__init__(learning_rate=learning_rate, alpha=alpha, epsilon=epsilon, weight_decay=weight_decay)


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
        super().__init__(learning_rate=learning_rate, epsilon=epsilon, weight_decay=weight_decay)


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
        super().__init__(learning_rate=learning_rate, rho=rho, epsilon=epsilon, weight_decay=weight_decay)


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
        super().__init__(learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)


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
        super().__init__(learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)


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
        super().__init__(learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
