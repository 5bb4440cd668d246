"""The kernels in their prepared form, for callers in compiled code: convolutions and dense layers on `product`, the rest as plain loops.

A convolution first copies each image into the middle of zeros, so that no window reaches out of them. The gradient of the input is the
convolution of grad_y, pulled apart by the stride, with the weights turned by 180 degrees and their channels exchanged.
"""

import numpy as np

from jitcnn.kernels.overloads.compiled import argument_type, by_type, compile_for, literal, serial
from jitcnn.kernels.overloads.product import pointer, product
from jitcnn.reference.prepared import PREPARED


@serial
def zeros_for(x, y, kernel_h, kernel_w, stride_h, stride_w):
    """Zeros as far as the windows of y reach, with the channels of x."""
    return np.zeros(((y.shape[1] - 1) * stride_h + kernel_h, (y.shape[2] - 1) * stride_w + kernel_w, x.shape[3]), x.dtype)


@serial
def spread(image, large, step_h, step_w, top, left):
    """Copy pixel (i, j) to (top + i * step_h, left + j * step_w) where that exists."""
    height, width, channels = large.shape
    for i in range(image.shape[0]):
        row = top + i * step_h
        if 0 <= row < height:
            for j in range(image.shape[1]):
                column = left + j * step_w
                if 0 <= column < width:
                    for c in range(channels):
                        large[row, column, c] = image[i, j, c]


@serial
def windows(image, w, start, y, stride_h, stride_w):
    """y = start + the sums over each window of an image, which holds all of them."""
    kernel_h, kernel_w, channels, filters = w.shape
    line, run = image.shape[1] * channels, kernel_w * channels
    product(
        pointer(y), y.shape[1] * filters, filters, pointer(image), stride_h * line, stride_w * channels, line, 1,
        pointer(w), run * filters, filters, pointer(start), y.shape[0], y.shape[1], filters, kernel_h, run,
    )  # fmt: skip


@serial
def meetings(image, grad_y, zeros, grad_w, stride_h, stride_w):
    """grad_w = for each weight the sum over the pixels that it meets in an image."""
    kernel_h, kernel_w, channels, filters = grad_w.shape
    line, run = image.shape[1] * channels, kernel_w * channels
    product(
        pointer(grad_w), run * filters, filters, pointer(image), line, 1, stride_h * line, stride_w * channels,
        pointer(grad_y), grad_y.shape[1] * filters, filters, pointer(zeros), kernel_h, run, filters, grad_y.shape[0], grad_y.shape[1],
    )  # fmt: skip


@serial
def matrices(a, b, start, c):
    """c = start + a @ b, where the rows of b and c are contiguous."""
    size = a.itemsize
    product(
        pointer(c), 0, c.strides[0] // size, pointer(a), 0, a.strides[0] // size, 0, a.strides[1] // size,
        pointer(b), 0, b.strides[0] // size, pointer(start), 1, c.shape[0], c.shape[1], 1, b.shape[0],
    )  # fmt: skip


@serial
def bias_or_zeros(b, w):
    """The bias, or a zero for each column of w."""
    return b if b.size else np.zeros(w.shape[-1], w.dtype)


def conv2d(x, w, b, y, stride_h, stride_w, top, left):
    """Forward."""
    start, large = bias_or_zeros(b, w), zeros_for(x, y, w.shape[0], w.shape[1], stride_h, stride_w)
    for n in range(x.shape[0]):
        spread(x[n], large, 1, 1, top, left)
        windows(large, w, start, y[n], stride_h, stride_w)


def conv2d_grad_input(grad_y, w, grad_x, stride_h, stride_w, top, left):
    """Gradient of the input."""
    kernel_h, kernel_w, channels, filters = w.shape
    turned = np.empty((kernel_h, kernel_w, filters, channels), w.dtype)
    for u in range(kernel_h):
        for v in range(kernel_w):
            for c in range(channels):
                for o in range(filters):
                    turned[u, v, o, c] = w[kernel_h - 1 - u, kernel_w - 1 - v, c, o]
    start, large = np.zeros(channels, w.dtype), zeros_for(grad_y, grad_x, kernel_h, kernel_w, 1, 1)
    for n in range(grad_x.shape[0]):
        spread(grad_y[n], large, stride_h, stride_w, kernel_h - 1 - top, kernel_w - 1 - left)
        windows(large, turned, start, grad_x[n], 1, 1)


def conv2d_grad_weights(grad_y, x, grad_w, stride_h, stride_w, top, left):
    """Gradient of the weights."""
    zeros, sums = np.zeros(grad_w.shape[3], x.dtype), np.empty_like(grad_w)
    total, part = grad_w.reshape(grad_w.size), sums.reshape(grad_w.size)
    large = zeros_for(x, grad_y, grad_w.shape[0], grad_w.shape[1], stride_h, stride_w)
    total[:] = 0
    for n in range(x.shape[0]):
        spread(x[n], large, 1, 1, top, left)
        meetings(large, grad_y[n], zeros, sums, stride_h, stride_w)
        for i in range(total.size):
            total[i] += part[i]


def dense(x, w, b, y):
    """Forward."""
    matrices(x, np.ascontiguousarray(w), bias_or_zeros(b, w), y)


def dense_grad_input(grad_y, w, grad_x):
    """Gradient of the input."""
    matrices(grad_y, np.ascontiguousarray(w.T), np.zeros(grad_x.shape[1], w.dtype), grad_x)


def dense_grad_weights(grad_y, x, grad_w):
    """Gradient of the weights, in either memory order."""
    if grad_w.strides[1] == grad_w.itemsize:
        matrices(x.T, grad_y, np.zeros(grad_w.shape[1], x.dtype), grad_w)
    else:
        matrices(grad_y.T, x, np.zeros(grad_w.shape[0], x.dtype), grad_w.T)


ON_TILES = {f.__name__: f for f in (conv2d, conv2d_grad_input, conv2d_grad_weights, dense, dense_grad_input, dense_grad_weights)}


@by_type
def run(name, *arguments):
    """Run a prepared form, named by a word that is written out."""
    compiled = compile_for(ON_TILES.get(literal(name)) or PREPARED[literal(name)], tuple(map(argument_type, arguments)))

    def call(name, *arguments):
        compiled(*arguments)

    return call
