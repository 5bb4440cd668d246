"""The public forms inside compiled code, with the parameters of `jitcnn.forms`, none of them keyword-only.

Each takes its arguments as `arguments` says, makes room for its result, and runs a prepared form. What they do is described in
`jitcnn.forms`.
"""
# ruff: noqa: D103

import math
from collections.abc import Callable

import numpy as np

from jitcnn.forms.pool import PoolState
from jitcnn.kernels.overloads.arguments import (
    activate,
    bias,
    changed,
    class_numbers,
    floating,
    mean,
    output,
    padding_code,
    pair,
    pool_code,
    probabilities,
    sides,
    window_counts,
)
from jitcnn.kernels.overloads.compiled import serial
from jitcnn.kernels.overloads.prepared import run


def conv2d(x, w, b=None, stride=1, padding=0, activation=None, algorithm=None, out=None):
    x, w = floating(x, 4, x), floating(w, 4, x)
    b, strides, around = bias(b, w), pair(stride), sides(padding)
    if w.shape[2] != x.shape[3]:
        raise ValueError("conv2d: x and w differ in their channels")
    rows, columns = window_counts(x.shape[1], x.shape[2], w.shape, strides, around)
    y = output(out, (x.shape[0], rows, columns, w.shape[3]), x)
    run("conv2d", x, w, b, y, strides[0], strides[1], around[0], around[2])
    activate(activation, y)
    return y


@serial
def require_y(grad_y, x_shape, w_shape, strides, around):
    """Raise a ValueError unless grad_y has the shape of conv2d's output."""
    rows, columns = window_counts(x_shape[1], x_shape[2], w_shape, strides, around)
    if grad_y.shape != (x_shape[0], rows, columns, w_shape[3]):
        raise ValueError("grad_y has not the shape of conv2d's output")


def conv2d_grad_input(grad_y, w, x_shape, stride=1, padding=0, algorithm=None, out=None):
    grad_y, w = floating(grad_y, 4, grad_y), floating(w, 4, grad_y)
    strides, around = pair(stride), sides(padding)
    if w.shape[2] != x_shape[3]:
        raise ValueError("conv2d_grad_input: x_shape and w differ in their channels")
    require_y(grad_y, x_shape, w.shape, strides, around)
    grad_x = output(out, x_shape, grad_y)
    run("conv2d_grad_input", grad_y, w, grad_x, strides[0], strides[1], around[0], around[2])
    return grad_x


def conv2d_grad_weights(grad_y, x, w_shape, stride=1, padding=0, algorithm=None, out=None):
    grad_y, x = floating(grad_y, 4, grad_y), floating(x, 4, grad_y)
    strides, around = pair(stride), sides(padding)
    if x.shape[3] != w_shape[2]:
        raise ValueError("conv2d_grad_weights: x and w_shape differ in their channels")
    require_y(grad_y, x.shape, w_shape, strides, around)
    grad_w = output(out, w_shape, grad_y)
    run("conv2d_grad_weights", grad_y, x, grad_w, strides[0], strides[1], around[0], around[2])
    return grad_w


def bias_grad(grad_y, out=None):
    grad_y = floating(grad_y, 0, grad_y)
    grad_b = output(out, (grad_y.shape[-1],), grad_y)
    run("bias_grad", grad_y, grad_b)
    return grad_b


def pad2d(x, padding, mode="zero", out=None):
    x, (top, bottom, left, right) = floating(x, 4, x), sides(padding)
    y = output(out, (x.shape[0], top + x.shape[1] + bottom, left + x.shape[2] + right, x.shape[3]), x)
    run("pad2d", x, y, top, left, padding_code(mode))
    return y


def pad2d_grad_input(grad_y, padding, mode="zero", out=None):
    grad_y, (top, bottom, left, right) = floating(grad_y, 4, grad_y), sides(padding)
    rows, columns = grad_y.shape[1] - top - bottom, grad_y.shape[2] - left - right
    if rows < 1 or columns < 1:
        raise ValueError("pad2d_grad_input: the padding leaves no pixel of grad_y")
    grad_x = output(out, (grad_y.shape[0], rows, columns, grad_y.shape[3]), grad_y)
    run("pad2d_grad_input", grad_y, grad_x, top, left, padding_code(mode))
    return grad_x


@serial
def pooled(x, kernel, strides, around):
    """The shape of a pool's output."""
    if max(around[0], around[1]) >= kernel[0] or max(around[2], around[3]) >= kernel[1]:
        raise ValueError("the padding makes windows without a pixel")
    rows, columns = window_counts(x.shape[1], x.shape[2], kernel, strides, around)
    return x.shape[0], rows, columns, x.shape[3]


def pool2d(x, kernel_size, stride=None, padding=0, kind="max", out=None):
    x, kernel, around = floating(x, 4, x), pair(kernel_size), sides(padding)
    strides = kernel if stride is None else pair(stride)
    y = output(out, pooled(x, kernel, strides, around), x)
    run("pool2d", x, y, kernel[0], kernel[1], strides[0], strides[1], around[0], around[2], pool_code(kind))
    return y, PoolState(x, y, kernel, strides, ((around[0], around[1]), (around[2], around[3])), kind)


def pool2d_grad_input(grad_y, state, out=None):
    grad_y, x, y = floating(grad_y, 4, grad_y), floating(state.x, 4, grad_y), floating(state.y, 4, grad_y)
    kernel, strides, around = pair(state.kernel_size), pair(state.stride), sides(state.padding)
    if grad_y.shape != y.shape or y.shape != pooled(x, kernel, strides, around):
        raise ValueError("pool2d_grad_input: grad_y has not the shape of pool2d's output")
    grad_x = output(out, x.shape, x)
    run(
        "pool2d_grad_input", grad_y, x, y, grad_x, kernel[0], kernel[1], strides[0], strides[1], around[0], around[2], pool_code(state.kind)
    )  # fmt: skip
    return grad_x


def dense(x, w, b=None, activation=None, out=None):
    x, w = floating(x, 2, x), floating(w, 2, x)
    b = bias(b, w)
    if x.shape[1] != w.shape[0]:
        raise ValueError("dense: x and w differ in their inputs")
    y = output(out, (x.shape[0], w.shape[1]), x)
    run("dense", x, w, b, y)
    activate(activation, y)
    return y


def dense_grad_input(grad_y, w, out=None):
    grad_y, w = floating(grad_y, 2, grad_y), floating(w.T, 2, grad_y).T
    if grad_y.shape[1] != w.shape[1]:
        raise ValueError("dense_grad_input: grad_y and w differ in their units")
    grad_x = output(out, (grad_y.shape[0], w.shape[0]), grad_y)
    run("dense_grad_input", grad_y, w, grad_x)
    return grad_x


def dense_grad_weights(grad_y, x, out=None):
    grad_y, x = floating(grad_y, 2, grad_y), floating(x, 2, grad_y)
    if grad_y.shape[0] != x.shape[0]:
        raise ValueError("dense_grad_weights: grad_y and x differ in their images")
    grad_w = output(out, (x.shape[1], grad_y.shape[1]), x, "CF")
    run("dense_grad_weights", grad_y, x, grad_w)
    return grad_w


def upsample2d(x, factor, out=None):
    x, (rows, columns) = floating(x, 4, x), pair(factor)
    y = output(out, (x.shape[0], x.shape[1] * rows, x.shape[2] * columns, x.shape[3]), x)
    run("upsample2d", x, y, rows, columns)
    return y


def upsample2d_grad_input(grad_y, factor, out=None):
    grad_y, (rows, columns) = floating(grad_y, 4, grad_y), pair(factor)
    if grad_y.shape[1] % rows or grad_y.shape[2] % columns:
        raise ValueError("upsample2d_grad_input: the rows or columns of grad_y are no multiple of the factor")
    grad_x = output(out, (grad_y.shape[0], grad_y.shape[1] // rows, grad_y.shape[2] // columns, grad_y.shape[3]), grad_y)
    run("upsample2d_grad_input", grad_y, grad_x, rows, columns)
    return grad_x


def elementwise(name: str) -> Callable:
    """An activation."""

    def activation(x, out=None):
        x = floating(x, 0, x)
        y = output(out, x.shape, x)
        run(name, x, y)
        return y

    activation.__qualname__ = name
    return activation


def elementwise_grad(name: str) -> Callable:
    """The gradient of an activation."""

    def activation_grad(grad_y, y, out=None):
        grad_y, y = floating(grad_y, 0, grad_y), floating(y, 0, grad_y)
        if grad_y.shape != y.shape:
            raise ValueError("grad_y and y differ in shape")
        grad_x = output(out, y.shape, y)
        run(name, grad_y, y, grad_x)
        return grad_x

    activation_grad.__qualname__ = name
    return activation_grad


def dropout(x, rate, seed, step, out=None):
    x = floating(x, 0, x)
    if not 0 <= rate < 1 or step < 0:
        raise ValueError("dropout: rate is not in 0 <= rate < 1, or step is negative")
    y = output(out, x.shape, x)
    run("dropout", x, y, math.floor(rate * 4294967296.0), np.int64(seed), np.array([np.int64(step)]))
    return y


def dropout_grad(grad_y, rate, seed, step, out=None):
    return forward_dropout(grad_y, rate, seed, step, out)


forward_dropout = serial(dropout)


def cross_entropy(logits, labels, kind="categorical", out=None):
    if kind == "binary":
        return binary(logits, labels, out)
    if kind != "categorical":
        raise ValueError("cross_entropy: kind is neither categorical nor binary")
    logits = floating(logits, 2, logits)
    losses, grad = np.empty(logits.shape[0], logits.dtype), output(out, logits.shape, logits)
    run("cross_entropy", logits, class_numbers(labels, logits), losses, grad)
    return mean(losses), grad


def soft_cross_entropy(logits, targets, out=None):
    logits = floating(logits, 2, logits)
    losses, grad = np.empty(logits.shape[0], logits.dtype), output(out, logits.shape, logits)
    run("soft_cross_entropy", logits, probabilities(targets, logits), losses, grad)
    return mean(losses), grad


def binary_cross_entropy(logits, targets, out=None):
    logits = floating(logits, 2, logits)
    losses, grad = np.empty(logits.shape[0], logits.dtype), output(out, logits.shape, logits)
    run("binary_cross_entropy", logits, probabilities(targets, logits), losses, grad)
    return mean(losses), grad


binary = serial(binary_cross_entropy)


def mse(y, target, out=None):
    y, target = floating(y, 0, y), floating(target, 0, y)
    if y.shape != target.shape:
        raise ValueError("mse: y and target differ in shape")
    losses, grad, rows = np.empty(y.shape[0], y.dtype), output(out, y.shape, y), (y.shape[0], y.size // y.shape[0])
    run("mse", y.reshape(rows), target.reshape(rows), losses, grad.reshape(rows))
    return mean(losses), grad


def sgd(w, g, lr=1e-3, weight_decay=0.0, out=None):
    g = floating(g, 0, w)
    new = changed(w, out, g)
    one = np.array([1])
    run("sgd", new, g.reshape(g.size), np.array([[np.float64(lr), np.float64(weight_decay)]]), one, one)
    return new.reshape(g.shape)


def momentum(w, g, v, lr=1e-3, beta=0.9, weight_decay=0.0, out=None):
    g = floating(g, 0, w)
    new, velocity = changed(w, out, g), changed(v, None, g)
    one = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(beta), np.float64(weight_decay)]])
    run("momentum", new, g.reshape(g.size), velocity, hyper, one, one)
    return new.reshape(g.shape)


def adam(w, g, m, v, step, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, out=None):
    if step < 1:
        raise ValueError("adam: step is below 1")
    g = floating(g, 0, w)
    new, means, squares = changed(w, out, g), changed(m, None, g), changed(v, None, g)
    number = np.array([np.int64(step)])
    hyper = np.array([[np.float64(lr), np.float64(betas[0]), np.float64(betas[1]), np.float64(eps), np.float64(weight_decay)]])
    run("adam", new, g.reshape(g.size), means, squares, hyper, number, number)
    return new.reshape(g.shape)


def nesterov(w, g, v, lr=1e-3, beta=0.9, weight_decay=0.0, out=None):
    g = floating(g, 0, w)
    new, v_flat = changed(w, out, g), changed(v, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(beta), np.float64(weight_decay)]])
    run("nesterov", new, g.reshape(g.size), v_flat, hyper, number, number)
    return new.reshape(g.shape)


def rmsprop(w, g, v, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, out=None):
    g = floating(g, 0, w)
    new, v_flat = changed(w, out, g), changed(v, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(alpha), np.float64(eps), np.float64(weight_decay)]])
    run("rmsprop", new, g.reshape(g.size), v_flat, hyper, number, number)
    return new.reshape(g.shape)


def adagrad(w, g, v, lr=1e-2, eps=1e-10, weight_decay=0.0, out=None):
    g = floating(g, 0, w)
    new, v_flat = changed(w, out, g), changed(v, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(eps), np.float64(weight_decay)]])
    run("adagrad", new, g.reshape(g.size), v_flat, hyper, number, number)
    return new.reshape(g.shape)


def adadelta(w, g, v, u, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, out=None):
    g = floating(g, 0, w)
    new, v_flat, u_flat = changed(w, out, g), changed(v, None, g), changed(u, None, g)
    number = np.array([1])
    hyper = np.array([[np.float64(lr), np.float64(rho), np.float64(eps), np.float64(weight_decay)]])
    run("adadelta", new, g.reshape(g.size), v_flat, u_flat, hyper, number, number)
    return new.reshape(g.shape)


def adamax(w, g, m, u, step, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, out=None):
    if step < 1:
        raise ValueError("adamax: step is below 1")
    g = floating(g, 0, w)
    new, m_flat, u_flat = changed(w, out, g), changed(m, None, g), changed(u, None, g)
    number = np.array([np.int64(step)])
    hyper = np.array([[np.float64(lr), np.float64(betas[0]), np.float64(betas[1]), np.float64(eps), np.float64(weight_decay)]])
    run("adamax", new, g.reshape(g.size), m_flat, u_flat, hyper, number, number)
    return new.reshape(g.shape)


def adamw(w, g, m, v, step, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, out=None):
    if step < 1:
        raise ValueError("adamw: step is below 1")
    g = floating(g, 0, w)
    new, m_flat, v_flat = changed(w, out, g), changed(m, None, g), changed(v, None, g)
    number = np.array([np.int64(step)])
    hyper = np.array([[np.float64(lr), np.float64(betas[0]), np.float64(betas[1]), np.float64(eps), np.float64(weight_decay)]])
    run("adamw", new, g.reshape(g.size), m_flat, v_flat, hyper, number, number)
    return new.reshape(g.shape)


BODIES: dict[str, Callable] = {
    function.__name__: function
    for function in (
        conv2d, conv2d_grad_input, conv2d_grad_weights, bias_grad, pad2d, pad2d_grad_input, pool2d, pool2d_grad_input,
        dense, dense_grad_input, dense_grad_weights, upsample2d, upsample2d_grad_input, dropout, dropout_grad,
        cross_entropy, soft_cross_entropy, binary_cross_entropy, mse,
        sgd, momentum, nesterov, rmsprop, adagrad, adadelta, adam, adamax, adamw,
    )
}  # fmt: skip
BODIES |= {name: elementwise(name) for name in ("relu", "sigmoid", "tanh", "softmax")}
BODIES |= {name: elementwise_grad(name) for name in ("relu_grad", "sigmoid_grad", "tanh_grad", "softmax_grad")}
