"""Layers inside compiled code; see `jitcnn.kernels.overloads.bodies`."""

import math
from collections.abc import Callable

import numpy as np

from jitcnn.forms.pool import PoolState
from jitcnn.kernels.overloads.arguments import (
    activate,
    bias,
    floating,
    output,
    padding_code,
    pair,
    pool_code,
    sides,
    window_counts,
)
from jitcnn.kernels.overloads.compiled import serial
from jitcnn.kernels.overloads.prepared import run


def conv2d(x, w, b, stride, padding, activation, algorithm, out):
    """Forward; `algorithm` changes nothing here."""
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


def conv2d_grad_input(grad_y, w, x_shape, stride, padding, algorithm, out):
    """Gradient of the input."""
    grad_y, w = floating(grad_y, 4, grad_y), floating(w, 4, grad_y)
    strides, around = pair(stride), sides(padding)
    if w.shape[2] != x_shape[3]:
        raise ValueError("conv2d_grad_input: x_shape and w differ in their channels")
    require_y(grad_y, x_shape, w.shape, strides, around)
    grad_x = output(out, x_shape, grad_y)
    run("conv2d_grad_input", grad_y, w, grad_x, strides[0], strides[1], around[0], around[2])
    return grad_x


def conv2d_grad_weights(grad_y, x, w_shape, stride, padding, algorithm, out):
    """Gradient of the weights."""
    grad_y, x = floating(grad_y, 4, grad_y), floating(x, 4, grad_y)
    strides, around = pair(stride), sides(padding)
    if x.shape[3] != w_shape[2]:
        raise ValueError("conv2d_grad_weights: x and w_shape differ in their channels")
    require_y(grad_y, x.shape, w_shape, strides, around)
    grad_w = output(out, w_shape, grad_y)
    run("conv2d_grad_weights", grad_y, x, grad_w, strides[0], strides[1], around[0], around[2])
    return grad_w


def bias_grad(grad_y, out):
    """Gradient of a bias: the sum over all axes but the last."""
    grad_y = floating(grad_y, 0, grad_y)
    grad_b = output(out, (grad_y.shape[-1],), grad_y)
    run("bias_grad", grad_y, grad_b)
    return grad_b


def pad2d(x, padding, mode, out):
    """Forward."""
    x, (top, bottom, left, right) = floating(x, 4, x), sides(padding)
    y = output(out, (x.shape[0], top + x.shape[1] + bottom, left + x.shape[2] + right, x.shape[3]), x)
    run("pad2d", x, y, top, left, padding_code(mode))
    return y


def pad2d_grad_input(grad_y, padding, mode, out):
    """Gradient of the input."""
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


def pool2d(x, kernel_size, stride, padding, kind, out):
    """Forward, and what the gradient needs of it."""
    x, kernel, around = floating(x, 4, x), pair(kernel_size), sides(padding)
    strides = kernel if stride is None else pair(stride)
    y = output(out, pooled(x, kernel, strides, around), x)
    run("pool2d", x, y, kernel[0], kernel[1], strides[0], strides[1], around[0], around[2], pool_code(kind))
    return y, PoolState(x, y, kernel, strides, ((around[0], around[1]), (around[2], around[3])), kind)


def pool2d_grad_input(grad_y, state, out):
    """Gradient of the input."""
    grad_y, x, y = floating(grad_y, 4, grad_y), floating(state.x, 4, grad_y), floating(state.y, 4, grad_y)
    kernel, strides, around = pair(state.kernel_size), pair(state.stride), sides(state.padding)
    if grad_y.shape != y.shape or y.shape != pooled(x, kernel, strides, around):
        raise ValueError("pool2d_grad_input: grad_y has not the shape of pool2d's output")
    grad_x = output(out, x.shape, x)
    run(
        "pool2d_grad_input", grad_y, x, y, grad_x, kernel[0], kernel[1], strides[0], strides[1], around[0], around[2], pool_code(state.kind)
    )  # fmt: skip
    return grad_x


def dense(x, w, b, activation, out):
    """Forward."""
    x, w = floating(x, 2, x), floating(w, 2, x)
    b = bias(b, w)
    if x.shape[1] != w.shape[0]:
        raise ValueError("dense: x and w differ in their inputs")
    y = output(out, (x.shape[0], w.shape[1]), x)
    run("dense", x, w, b, y)
    activate(activation, y)
    return y


def dense_grad_input(grad_y, w, out):
    """Gradient of the input, of weights in either memory order."""
    grad_y, w = floating(grad_y, 2, grad_y), floating(w.T, 2, grad_y).T
    if grad_y.shape[1] != w.shape[1]:
        raise ValueError("dense_grad_input: grad_y and w differ in their units")
    grad_x = output(out, (grad_y.shape[0], w.shape[0]), grad_y)
    run("dense_grad_input", grad_y, w, grad_x)
    return grad_x


def dense_grad_weights(grad_y, x, out):
    """Gradient of the weights, into an `out` in either memory order."""
    grad_y, x = floating(grad_y, 2, grad_y), floating(x, 2, grad_y)
    if grad_y.shape[0] != x.shape[0]:
        raise ValueError("dense_grad_weights: grad_y and x differ in their images")
    grad_w = output(out, (x.shape[1], grad_y.shape[1]), x, "CF")
    run("dense_grad_weights", grad_y, x, grad_w)
    return grad_w


def upsample2d(x, factor, out):
    """Forward."""
    x, (rows, columns) = floating(x, 4, x), pair(factor)
    y = output(out, (x.shape[0], x.shape[1] * rows, x.shape[2] * columns, x.shape[3]), x)
    run("upsample2d", x, y, rows, columns)
    return y


def upsample2d_grad_input(grad_y, factor, out):
    """Gradient of the input."""
    grad_y, (rows, columns) = floating(grad_y, 4, grad_y), pair(factor)
    if grad_y.shape[1] % rows or grad_y.shape[2] % columns:
        raise ValueError("upsample2d_grad_input: the rows or columns of grad_y are no multiple of the factor")
    grad_x = output(out, (grad_y.shape[0], grad_y.shape[1] // rows, grad_y.shape[2] // columns, grad_y.shape[3]), grad_y)
    run("upsample2d_grad_input", grad_y, grad_x, rows, columns)
    return grad_x


def elementwise(name: str) -> Callable:
    """An activation."""

    def activation(x, out):
        x = floating(x, 0, x)
        y = output(out, x.shape, x)
        run(name, x, y)
        return y

    activation.__qualname__ = name
    return activation


def elementwise_grad(name: str) -> Callable:
    """The gradient of an activation."""

    def activation_grad(grad_y, y, out):
        grad_y, y = floating(grad_y, 0, grad_y), floating(y, 0, grad_y)
        if grad_y.shape != y.shape:
            raise ValueError("grad_y and y differ in shape")
        grad_x = output(out, y.shape, y)
        run(name, grad_y, y, grad_x)
        return grad_x

    activation_grad.__qualname__ = name
    return activation_grad


def dropout(x, rate, seed, step, out):
    """Forward, and with grad_y for x the gradient."""
    x = floating(x, 0, x)
    if not 0 <= rate < 1 or step < 0:
        raise ValueError("dropout: rate is not in 0 <= rate < 1, or step is negative")
    y = output(out, x.shape, x)
    run("dropout", x, y, math.floor(rate * 4294967296.0), np.int64(seed), np.array([np.int64(step)]))
    return y
