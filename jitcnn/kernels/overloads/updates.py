"""Updates inside compiled code; see `jitcnn.kernels.overloads.bodies`. Arrays of any shape are changed in place, as one line."""

from collections.abc import Callable

import numpy as np

from jitcnn.kernels.overloads.arguments import changed, floating
from jitcnn.kernels.overloads.prepared import run


def sgd(w, g, lr, weight_decay, out):
    """Stochastic gradient descent: nothing is remembered."""
    g = floating(g, 0, w)
    new = changed(w, out, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(weight_decay)]])
    run("sgd", new, g.reshape(g.size), hyper, number, number)
    return new.reshape(g.shape)


def with_velocity(name: str) -> Callable:
    """An update that remembers a velocity."""

    def update(w, g, v, lr, beta, weight_decay, out):
        g = floating(g, 0, w)
        new, velocity = changed(w, out, g), changed(v, None, g)
        number = np.array([1])
        hyper = np.array([[np.float64(lr), np.float64(beta), np.float64(weight_decay)]])
        run(name, new, g.reshape(g.size), velocity, hyper, number, number)
        return new.reshape(g.shape)

    update.__qualname__ = name
    return update


def rmsprop(w, g, v, lr, alpha, eps, weight_decay, out):
    """RMSprop: the mean square of the gradient is remembered."""
    g = floating(g, 0, w)
    new, square = changed(w, out, g), changed(v, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(alpha), np.float64(eps), np.float64(weight_decay)]])
    run("rmsprop", new, g.reshape(g.size), square, hyper, number, number)
    return new.reshape(g.shape)


def adagrad(w, g, v, lr, eps, weight_decay, out):
    """Adagrad: the sum of the squares of the gradient is remembered."""
    g = floating(g, 0, w)
    new, square = changed(w, out, g), changed(v, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(eps), np.float64(weight_decay)]])
    run("adagrad", new, g.reshape(g.size), square, hyper, number, number)
    return new.reshape(g.shape)


def adadelta(w, g, v, u, lr, rho, eps, weight_decay, out):
    """Adadelta: the mean squares of the gradient and of the moves are remembered."""
    g = floating(g, 0, w)
    new, square, move = changed(w, out, g), changed(v, None, g), changed(u, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(rho), np.float64(eps), np.float64(weight_decay)]])
    run("adadelta", new, g.reshape(g.size), square, move, hyper, number, number)
    return new.reshape(g.shape)


def like_adam(name: str) -> Callable:
    """An update that remembers a mean and a size, and corrects both by the number of the step."""
    too_early = f"{name}: step is below 1"

    def update(w, g, m, v, step, lr, betas, eps, weight_decay, out):
        if step < 1:
            raise ValueError(too_early)
        g = floating(g, 0, w)
        new, mean, size = changed(w, out, g), changed(m, None, g), changed(v, None, g)
        number = np.array([np.int64(step)])
        hyper = np.array([[np.float64(lr), np.float64(betas[0]), np.float64(betas[1]), np.float64(eps), np.float64(weight_decay)]])
        run(name, new, g.reshape(g.size), mean, size, hyper, number, number)
        return new.reshape(g.shape)

    update.__qualname__ = name
    return update
