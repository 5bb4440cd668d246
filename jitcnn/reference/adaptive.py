"""Optimizers that divide by the usual size of each parameter's gradient. All work in place, element by element.

    rmsprop     v = alpha * v + (1 - alpha) * g * g   mean of the squares: forgets
                w -= lr * g / (sqrt(v) + eps)
    adagrad     v += g * g                            sum of the squares: steps only get smaller
                w -= lr * g / (sqrt(v) + eps)
    adadelta    v = rho * v + (1 - rho) * g * g
                move = sqrt(u + eps) / sqrt(v + eps) * g
                u = rho * u + (1 - rho) * move * move   mean of the squared moves: the move has the units of w
                w -= lr * move
    adamax      m = beta1 * m + (1 - beta1) * g
                u = max(beta2 * u, |g| + eps)         largest size, which fades
                w -= lr / (1 - beta1**t) * m / u      at step t = 1, 2, …

The formulas are PyTorch's. Weight decay and the table `hyper` are those of `jitcnn.reference.update`.
"""

import math

from numba import prange


def rmsprop(w, g, v, hyper, step, first):
    """Step by the gradient in units of its usual size (Hinton, 2012, lecture 6e).

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    v : array (p,)
        Mean of the squared gradients, changed in place; zeros at first.
    hyper : float64 array (steps, 4)
        By step: learning rate, alpha, eps, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, one = np.array([1.0, 1.0]), np.array([1])
    >>> rmsprop(w, np.array([1000.0, -0.001]), np.zeros(2), np.array([[0.1, 0.75, 1e-8, 0.0]]), one, one)
    >>> w.round(4)
    array([0.8, 1.2])
    """
    row = step[0] - first[0]
    learning_rate, alpha, epsilon, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2], hyper[row, 3]
    for i in prange(0, w.size):
        gradient = g[i] + weight_decay * w[i]
        v[i] = alpha * v[i] + (1.0 - alpha) * gradient * gradient
        w[i] -= learning_rate * gradient / (math.sqrt(v[i]) + epsilon)


def adagrad(w, g, v, hyper, step, first):
    """Step by the gradient in units of all there were (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    v : array (p,)
        Sum of the squared gradients, changed in place; zeros at first.
    hyper : float64 array (steps, 3)
        By step: learning rate, eps, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, one = np.array([1.0, 1.0]), np.array([1])
    >>> adagrad(w, np.array([1000.0, -0.001]), np.zeros(2), np.array([[0.1, 1e-10, 0.0]]), one, one)
    >>> w.round(4)
    array([0.9, 1.1])
    """
    row = step[0] - first[0]
    learning_rate, epsilon, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2]
    for i in prange(0, w.size):
        gradient = g[i] + weight_decay * w[i]
        v[i] += gradient * gradient
        w[i] -= learning_rate * gradient / (math.sqrt(v[i]) + epsilon)


def adadelta(w, g, v, u, hyper, step, first):
    """Step by the gradient in units of the usual move (Zeiler, 2012, https://arxiv.org/abs/1212.5701).

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    v, u : array (p,)
        Means of the squared gradients and of the squared moves, changed in place; zeros at first.
    hyper : float64 array (steps, 4)
        By step: learning rate, rho, eps, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, one = np.array([1.0]), np.array([1])
    >>> adadelta(w, np.array([2.0]), np.array([0.0]), np.array([3.0]), np.array([[0.5, 0.75, 0.0, 0.0]]), one, one)
    >>> w.round(4)
    array([-0.7321])
    """
    row = step[0] - first[0]
    learning_rate, rho, epsilon, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2], hyper[row, 3]
    for i in prange(0, w.size):
        gradient = g[i] + weight_decay * w[i]
        v[i] = rho * v[i] + (1.0 - rho) * gradient * gradient
        move = math.sqrt(u[i] + epsilon) / math.sqrt(v[i] + epsilon) * gradient
        u[i] = rho * u[i] + (1.0 - rho) * move * move
        w[i] -= learning_rate * move


def adamax(w, g, m, u, hyper, step, first):
    """Step by the mean gradient in units of its largest size (Kingma and Ba, 2015, section 7.1).

    Parameters
    ----------
    w : array (p,)
        Parameters, changed in place.
    g : array (p,)
        Gradient.
    m, u : array (p,)
        Mean of the gradients and their largest size, changed in place; zeros at first.
    hyper : float64 array (steps, 5)
        By step: learning rate, beta1, beta2, eps, weight decay.
    step : int64 array (1,)
        Number of this update, 1 at the first.
    first : int64 array (1,)
        Number of the update whose settings are in row 0.

    Examples
    --------
    >>> import numpy as np
    >>> w, one = np.array([1.0, 1.0]), np.array([1])
    >>> adamax(w, np.array([1000.0, -0.001]), np.zeros(2), np.zeros(2), np.array([[0.1, 0.9, 0.999, 1e-8, 0.0]]), one, one)
    >>> w.round(4)
    array([0.9, 1.1])
    """
    row = step[0] - first[0]
    learning_rate, beta1, beta2, epsilon, weight_decay = hyper[row, 0], hyper[row, 1], hyper[row, 2], hyper[row, 3], hyper[row, 4]
    step_size = learning_rate / (1.0 - math.pow(beta1, step[0]))
    for i in prange(0, w.size):
        gradient = g[i] + weight_decay * w[i]
        m[i] = beta1 * m[i] + (1.0 - beta1) * gradient
        u[i] = max(abs(gradient) + epsilon, beta2 * u[i])
        w[i] -= step_size * m[i] / u[i]
