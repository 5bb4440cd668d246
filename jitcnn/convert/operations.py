"""The passes as `jitcnn convert` writes them into a Python file, each short enough to be read there; NumPy and nothing else."""

# mypy: disable-error-code="no-untyped-def"
# ruff: noqa: D103

import numpy as np


def standardize(x):  # every image minus its mean, over its standard deviation
    x = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    deviation = x.std(axis=axes, keepdims=True)
    return (x - x.mean(axis=axes, keepdims=True)) / np.where(np.ptp(x, axis=axes, keepdims=True) == 0, 1, deviation)


def standardize_channels(x, mean, deviation):  # every channel minus its mean, over its standard deviation, of the training images
    return (x.astype(np.float64) - mean) / deviation


def pad(x, padding, fill):  # rows and columns of a number
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)


def pad_edge(x, padding):  # copies of the border pixels
    return np.pad(x, ((0, 0), *padding, (0, 0)), mode="edge")


def windows(x, size, stride):  # (images, rows, columns, channels, *size)
    views = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    return views[:, :: stride[0], :: stride[1]]


def conv2d(x, weights, bias, stride, padding):
    views = windows(pad(x, padding, 0), weights.shape[:2], stride)
    return np.tensordot(views, weights, axes=((4, 5, 3), (0, 1, 2))) + bias


def pool2d(x, kind, size, stride, padding):  # padding never counts
    if kind == "average":
        inside = windows(pad(np.ones_like(x[:1]), padding, 0), size, stride).sum(axis=(4, 5))
        return windows(pad(x, padding, 0), size, stride).sum(axis=(4, 5)) / inside
    pick, fill = (np.max, -np.inf) if kind == "max" else (np.min, np.inf)
    return pick(windows(pad(x, padding, fill), size, stride), axis=(4, 5))


def upsample2d(x, factor):
    return x.repeat(factor[0], axis=1).repeat(factor[1], axis=2)


def flatten(x):
    return x.reshape(len(x), -1)


def dense(x, weights, bias):
    return x @ weights + bias


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def tanh(x):
    return np.tanh(x)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
