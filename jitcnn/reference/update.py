"""Optimizers: how parameters `w` move against their gradient `g`. All work in place, element by element.

    sgd         w -= lr * g
    momentum    v = beta * v + g                      w -= lr * v
    nesterov    v = beta * v + g                      w -= lr * (g + beta * v)
    adam        m = beta1 * m + (1 - beta1) * g       mean of the gradients
                v = beta2 * v + (1 - beta2) * g * g   mean of their squares
                w -= lr * m_hat / (sqrt(v_hat) + eps)
                m_hat = m / (1 - beta1**t)            at step t = 1, 2, … the means started at zero:
                v_hat = v / (1 - beta2**t)            this takes out that start
    adamw       the same, and before              w -= lr * weight_decay * w

    gradients   + + + + +        momentum   + ++ +++ ++++ …     a steady slope: steps grow to lr / (1 - beta)
                + - + - +                   + 0  +  0  + …      a zigzag cancels

Weight decay pulls every parameter towards 0: where the formulas say g, it is g + weight_decay * w.

The formulas are PyTorch's (Adam: Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980). Settings may change from step to step: they come
in a table `hyper` with one row a step, of which this step reads row `step[0] - first[0]`.
"""

import math

from numba import prange


def sgd(w, g, hyper, step, first):
    """Step down the gradient.

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    hyper : float64 array (steps, 2)
        By step: learning rate, weight decay.
    step : int64 array (1,)
        Number of this update.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.array([1.0, 2.0])
    >>> sgd(w, np.array([10.0, -10.0]), np.array([[0.1, 0.0]]), np.array([1]), np.array([1]))
    >>> w
    array([0., 3.])
    """
    row = step[0] - first[0]
    learning_rate, weight_decay = hyper[row, 0], hyper[row, 1]
    for i in prange(0, w.size):
        w[i] -= learning_rate * (g[i] + weight_decay * w[i])


def momentum(w, g, v, hyper, step, first):
    """Step along a velocity that collects the gradients.

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    v : array (p,)
        Velocity, changed in place; zeros at first.
    hyper : float64 array (steps, 3)
        By step: learning rate, beta, weight decay.
    step : int64 array (1,)
        Number of this update.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, v = np.array([1.0]), np.array([4.0])
    >>> momentum(w, np.array([2.0]), v, np.array([[0.125, 0.5, 0.0]]), np.array([1]), np.array([1]))
    >>> v, w
    (array([4.]), array([0.5]))
    """
    row = step[0] - first[0]
    learning_rate, beta, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2]
    for i in prange(0, w.size):
        v[i] = beta * v[i] + (g[i] + weight_decay * w[i])
        w[i] -= learning_rate * v[i]


def adam(w, g, m, v, hyper, step, first):
    """Step by the mean gradient in units of its usual size.

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    m, v : array (p,)
        Means of the gradient and of its square, changed in place; zeros at first.
    hyper : float64 array (steps, 5)
        By step: learning rate, beta1, beta2, eps, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    The first step has the size of the learning rate, however large the gradient:

    >>> import numpy as np
    >>> w, hyper, one = np.array([1.0, 1.0]), np.array([[0.1, 0.9, 0.999, 1e-8, 0.0]]), np.array([1])
    >>> adam(w, np.array([1000.0, -0.001]), np.zeros(2), np.zeros(2), hyper, one, one)
    >>> w.round(4)
    array([0.9, 1.1])
    """
    row = step[0] - first[0]
    learning_rate, beta1, beta2, epsilon, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2], hyper[row, 3], hyper[row, 4]
    step_size = learning_rate / (1.0 - math.pow(beta1, step[0]))
    deviation_scale = math.sqrt(1.0 - math.pow(beta2, step[0]))
    for i in prange(0, w.size):
        gradient = g[i] + weight_decay * w[i]
        m[i] = beta1 * m[i] + (1.0 - beta1) * gradient
        v[i] = beta2 * v[i] + (1.0 - beta2) * gradient * gradient
        w[i] -= step_size * m[i] / (math.sqrt(v[i]) / deviation_scale + epsilon)


def nesterov(w, g, v, hyper, step, first):
    """Step along a velocity, with the gradient that counts as if the step had been taken already.

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    v : array (p,)
        Velocity, changed in place; zeros at first.
    hyper : float64 array (steps, 3)
        By step: learning rate, beta, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, one = np.array([1.0]), np.array([1])
    >>> nesterov(w, np.array([2.0]), np.array([4.0]), np.array([[0.125, 0.5, 0.0]]), one, one)
    >>> w
    array([0.5])
    """
    row = step[0] - first[0]
    learning_rate, beta, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2]
    for i in prange(0, w.size):
        gradient = g[i] + weight_decay * w[i]
        v[i] = beta * v[i] + gradient
        w[i] -= learning_rate * (gradient + beta * v[i])


def adamw(w, g, m, v, hyper, step, first):
    """Adam whose weight decay is no part of the gradient (Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101).

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    m, v : array (p,)
        Means of the gradient and of its square, changed in place; zeros at first.
    hyper : float64 array (steps, 5)
        By step: learning rate, beta1, beta2, eps, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, hyper, one = np.array([1.0, 1.0]), np.array([[0.1, 0.9, 0.999, 1e-8, 0.5]]), np.array([1])
    >>> adamw(w, np.array([1000.0, 0.0]), np.zeros(2), np.zeros(2), hyper, one, one)
    >>> w.round(4)
    array([0.85, 0.95])
    """
    row = step[0] - first[0]
    learning_rate, beta1, beta2, epsilon, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2], hyper[row, 3], hyper[row, 4]
    step_size = learning_rate / (1.0 - math.pow(beta1, step[0]))
    deviation_scale = math.sqrt(1.0 - math.pow(beta2, step[0]))
    for i in prange(0, w.size):
        m[i] = beta1 * m[i] + (1.0 - beta1) * g[i]
        v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i]
        w[i] = (1.0 - learning_rate * weight_decay) * w[i] - step_size * m[i] / (math.sqrt(v[i]) / deviation_scale + epsilon)
