"""The passes as `jitcnn convert` writes them into a Python file, each short enough to be read there; NumPy and nothing else.

Images are (images, rows, columns, channels), rows of features (images, features); sizes, strides and factors are (rows, columns), and
padding is ((top, bottom), (left, right)), in pixels.
"""

# mypy: disable-error-code="no-untyped-def"

import numpy as np


def standardize(x):
    """Each image minus its mean, over its standard deviation, in float64; an image of one colour becomes zeros."""
    x = x.astype(np.float64)
    axes = tuple(range(1, x.ndim))
    deviation = x.std(axis=axes, keepdims=True)
    return (x - x.mean(axis=axes, keepdims=True)) / np.where(np.ptp(x, axis=axes, keepdims=True) == 0, 1, deviation)


def standardize_channels(x, mean, deviation):
    """Each channel minus its mean, over its standard deviation, of the training images, in float64."""
    return (x.astype(np.float64) - mean) / deviation


def pad(x, padding, fill):
    """Images with a number in rows and columns around them."""
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=fill)


def pad_edge(x, padding):
    """Images with copies of their border pixels around them."""
    return np.pad(x, ((0, 0), *padding, (0, 0)), mode="edge")


def windows(x, size, stride):
    """All windows of the images: (images, rows, columns, channels, *size), a view."""
    views = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    return views[:, :: stride[0], :: stride[1]]


def conv2d(x, weights, bias, stride, padding):
    """Sums over windows times weights (*size, channels, filters), plus bias (filters,): (images, rows, columns, filters)."""
    views = windows(pad(x, padding, 0), weights.shape[:2], stride)
    return np.tensordot(views, weights, axes=((4, 5, 3), (0, 1, 2))) + bias


def pool2d(x, kind, size, stride, padding):
    """The "max", "min" or "average" of each window; padding never counts."""
    if kind == "average":
        inside = windows(pad(np.ones_like(x[:1]), padding, 0), size, stride).sum(axis=(4, 5))
        return windows(pad(x, padding, 0), size, stride).sum(axis=(4, 5)) / inside
    pick, fill = (np.max, -np.inf) if kind == "max" else (np.min, np.inf)
    return pick(windows(pad(x, padding, fill), size, stride), axis=(4, 5))


def upsample2d(x, factor):
    """Each pixel repeated down and across."""
    return x.repeat(factor[0], axis=1).repeat(factor[1], axis=2)


def flatten(x):
    """Images as rows of features, row by row, pixel by pixel, channel by channel."""
    return x.reshape(len(x), -1)


def dense(x, weights, bias):
    """Features times weights (features, units), plus bias (units,)."""
    return x @ weights + bias


def relu(x):
    """x, or 0 where it is negative."""
    return np.maximum(x, 0)


def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -x))


def tanh(x):
    """The hyperbolic tangent."""
    return np.tanh(x)


def softmax(x):
    """exp(x) over its sum along the last axis, without overflow."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
