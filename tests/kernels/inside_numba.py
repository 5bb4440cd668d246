"""Functions of somebody's own that call public kernels inside `@njit`, and arguments for them."""

import numpy as np
from numba import njit

from jitcnn import kernels

FLOAT32, FLOAT64 = np.float32, np.float64


@njit
def convolutions(x, w, b):
    return kernels.conv2d(x, w), kernels.conv2d(x, w, b, padding=1, activation="softmax")


@njit
def convolution(x, w, stride, padding):
    return kernels.conv2d(x, w, stride=stride, padding=padding)


@njit
def convolution_grad_input(grad_y, w, x_shape, stride, padding):
    return kernels.conv2d_grad_input(grad_y, w, x_shape, stride=stride, padding=padding)


@njit
def convolution_grad_weights(grad_y, x, w_shape, stride, padding):
    return kernels.conv2d_grad_weights(grad_y, x, w_shape, stride=stride, padding=padding)


@njit
def paddings(x):
    return kernels.pad2d(x, ((1, 2), (0, 1)), "edge"), kernels.pad2d(x, 1), kernels.bias_grad(x)


@njit
def padding_gradients(grad_y):
    return kernels.pad2d_grad_input(grad_y, (1, 2), mode="edge"), kernels.pad2d_grad_input(grad_y, 1)


@njit
def pool(x):
    return kernels.pool2d(x, 2)


@njit
def pools(x, grad_y, kind):
    y, state = kernels.pool2d(x, (3, 2), stride=1, padding=((1, 0), (0, 1)), kind=kind)
    return y, state.kind, kernels.pool2d_grad_input(grad_y, state)


@njit
def pool_gradient(grad_y, state):
    return kernels.pool2d_grad_input(grad_y, state)


@njit
def upsampling(x):
    return kernels.upsample2d(x, (2, 3)), kernels.upsample2d_grad_input(x, 2)


@njit
def dense_layer(x, w, b, grad_y):
    y = kernels.dense(x, w, b, activation="relu")
    return y, kernels.dense_grad_input(grad_y, w), kernels.dense_grad_weights(grad_y, x)


@njit
def dense_gradient_into(grad_y, x, out):
    return kernels.dense_grad_weights(grad_y, x, out=out)


@njit
def activations(x):
    return kernels.relu(x), kernels.sigmoid(x), kernels.tanh(x), kernels.softmax(x)


@njit
def activation_gradients(grad_y, y):
    return kernels.relu_grad(grad_y, y), kernels.sigmoid_grad(grad_y, y), kernels.tanh_grad(grad_y, y), kernels.softmax_grad(grad_y, y)


@njit
def dropouts(x):
    return kernels.dropout(x, 0.3, seed=7, step=3), kernels.dropout_grad(x, 0.3, seed=7, step=3)


@njit
def categorical(logits, labels):
    return kernels.cross_entropy(logits, labels)


@njit
def binary(logits, targets):
    return kernels.cross_entropy(logits, targets, kind="binary"), kernels.binary_cross_entropy(logits, targets)


@njit
def soft(logits, targets):
    return kernels.soft_cross_entropy(logits, targets)


@njit
def squares(y, target):
    return kernels.mse(y, target)


@njit
def updates(w, g, v, m, u):
    kernels.sgd(w, g)
    kernels.momentum(w, g, v, 0.1, weight_decay=0.1)
    return kernels.adam(w, g, m, u, 3, betas=(0.8, 0.9)), v, m, u, kernels.sgd(w, g, 1, out=np.empty_like(w))


@njit
def adaptive(w, g, v, m, u):
    kernels.nesterov(w, g, v, 0.1)
    kernels.rmsprop(w, g, u, weight_decay=0.1)
    kernels.adagrad(w, g, u)
    kernels.adadelta(w, g, u, m * m)
    kernels.adamax(w, g, v, u, 3, betas=(0.8, 0.9))
    return kernels.adamw(w, g, v, u, 3), v, m, u


def some(dtype, *shape):
    return np.random.default_rng(shape).standard_normal(shape).astype(dtype)


def cases(dtype):
    """Name -> (compiled function, its arguments)."""
    x, w, b = some(dtype, 3, 8, 9, 3), some(dtype, 3, 3, 3, 5), some(dtype, 5)
    matrix, other, weights = some(dtype, 11, 37), some(dtype, 11, 21), some(dtype, 37, 21)
    logits = some(dtype, 3, 5)
    return {
        "conv2d": (convolutions, x, w, b),
        "conv2d_grad_input": (convolution_grad_input, some(dtype, 3, 4, 9, 5), w, x.shape, (2, 1), ((1, 0), (1, 1))),
        "conv2d_grad_weights": (convolution_grad_weights, some(dtype, 3, 4, 9, 5), x, w.shape, (2, 1), ((1, 0), (1, 1))),
        "pad2d": (paddings, x),
        "pad2d_grad_input": (padding_gradients, x),
        "pool2d": (pool, x),
        "pool2d average": (pools, x, some(dtype, 3, 7, 9, 3), "average"),
        "pool2d_grad_input": (pool_gradient, *kernels.pool2d(x, 2)),
        "upsample2d": (upsampling, some(dtype, 2, 4, 6, 3)),
        "dense": (dense_layer, matrix, weights, some(dtype, 21), other),
        "activations": (activations, other),
        "activation gradients": (activation_gradients, other, other),
        "dropout": (dropouts, x),
        "cross_entropy": (categorical, logits, np.array([1, 0, 4])),
        "binary_cross_entropy": (binary, logits, np.eye(5)[[1, 0, 4]]),
        "soft_cross_entropy": (soft, logits, np.eye(5)[[1, 0, 4]] * 0.8 + 0.04),
        "mse": (squares, x, x + 1),
        "updates": (updates, other, other + 1, other * 2, other * 3, other**2),
        "adaptive updates": (adaptive, other, other + 1, other * 2, other * 3, other**2),
    }


def rare_cases():
    """Types that compile anew."""
    x, matrix, other, weights = some(FLOAT32, 3, 8, 9, 3), some(FLOAT32, 11, 37), some(FLOAT32, 11, 21), some(FLOAT32, 37, 21)
    logits = some(FLOAT32, 3, 5)
    return {
        "no copies of rows": (convolutions, x[:, ::2], some(FLOAT32, 3, 3, 3, 5)[:, :, ::-1], some(FLOAT32, 5)),
        "Fortran order": (dense_layer, matrix, np.asfortranarray(weights), some(FLOAT32, 21), other),
        "gradient in Fortran order": (dense_gradient_into, other, matrix, np.empty((37, 21), FLOAT32, order="F")),
        "one line": (activations, other[0]),
        "one-hot": (categorical, logits, np.eye(5)[[1, 0, 4]]),
        "one-hot booleans": (categorical, logits, np.eye(5, dtype=bool)[[1, 0, 4]]),
        "one class": (binary, logits[:, :1], np.array([True, False, True])),
    }


def copied(arguments):
    return [argument.copy(order="K") if isinstance(argument, np.ndarray) else argument for argument in arguments]


def assert_same(ours, expected):
    if isinstance(expected, tuple):
        assert type(ours) is type(expected)
        for one, other in zip(ours, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, str):
        assert ours == expected
    else:
        assert np.shape(ours) == np.shape(expected)
        if np.ndim(expected):
            assert ours.dtype == expected.dtype
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def compare(function, *arguments):
    """The compiled function against the same function in plain Python, where the kernels are the public ones."""
    assert_same(function(*copied(arguments)), function.py_func(*copied(arguments)))
