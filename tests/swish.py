"""A layer of one's own with a parameter, y = x * sigmoid(beta * x), as somebody would write it."""

import numpy as np
from numba import njit

from jitcnn import Layer
from jitcnn.initializers import ones


@njit
def swish(x, beta, y):
    y[:] = x / (1 + np.exp(-beta[0] * x))


@njit
def swish_grad(x, beta, grad_y, grad_x, grad_beta):
    s = 1 / (1 + np.exp(-beta[0] * x))
    grad_x[:] = grad_y * (s + beta[0] * x * s * (1 - s))
    grad_beta[0] = np.sum(grad_y * x * x * s * (1 - s))


class Swish(Layer):
    def build(self, input_shape):
        self.beta = self.parameter("beta", (1,), ones)
        return input_shape

    def forward(self, step, x):
        y = step.buffer(x.shape)
        step.call(swish, x, self.beta, y)  # @njit or NumPy: writes y

        def backward(grad_y):
            grad_x = step.gradient_buffer(x)
            step.call(swish_grad, x, self.beta, grad_y, grad_x, step.gradient(self.beta))
            return grad_x

        return y, backward
