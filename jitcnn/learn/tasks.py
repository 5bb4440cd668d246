"""What the lessons are computed on, and results of mistakes that are known."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jitcnn import kernels

Inputs = tuple[Any, ...]


def normal(random: np.random.Generator, *shape: int, large: bool = False) -> np.ndarray:
    """Random numbers: float64 to check, float32 to time."""
    return random.standard_normal(shape).astype(np.float32 if large else np.float64)


# Dense


def dense_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """x, w, b."""
    inputs, outputs = (1024, 128) if large else (4, 5)
    return normal(random, images, inputs, large=large), normal(random, inputs, outputs, large=large), normal(random, outputs, large=large)


def dense_backward(passes: Any, grad_y: np.ndarray, x: np.ndarray, w: np.ndarray) -> Inputs:
    """All three gradients."""
    return passes.dense_grad_input(grad_y, w), passes.dense_grad_weights(grad_y, x), passes.bias_grad(grad_y)


def dense_backward_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """grad_y, x, w."""
    x, w, b = dense_inputs(random, images, large)
    return normal(random, images, b.size, large=large), x, w


# Convolution


def conv_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """x, w, b."""
    size, channels, filters = (16, 8, 16) if large else (6, 2, 3)
    w = normal(random, 3, 3 if large else 2, channels, filters, large=large)
    return normal(random, images, size, size, channels, large=large), w, normal(random, filters, large=large)


def conv_backward(grad_y: np.ndarray, x: np.ndarray, w: np.ndarray) -> Inputs:
    """All three gradients, by the reference's names and the fast kernels."""
    return kernels.conv2d_grad_input(grad_y, w, x.shape), kernels.conv2d_grad_weights(grad_y, x, w.shape), kernels.bias_grad(grad_y)


def grad_input_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """grad_y, w, shape of x."""
    x, w, b = conv_inputs(random, images, large)
    return normal(random, *kernels.conv2d(x, w, b).shape, large=large), w, x.shape


def overwritten(grad_y: np.ndarray, w: np.ndarray, x_shape: tuple[int, ...]) -> np.ndarray:
    """What is left of the gradient of the input where each filter of each window overwrites what was there."""
    grad_x = np.zeros(x_shape)
    for n, i, j in np.ndindex(grad_y.shape[:3]):
        grad_x[n, i : i + w.shape[0], j : j + w.shape[1]] = grad_y[n, i, j, -1] * w[..., -1]
    return grad_x


def grad_weights_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """grad_y, x, shape of w."""
    x, w, b = conv_inputs(random, images, large)
    return normal(random, *kernels.conv2d(x, w, b).shape, large=large), x, w.shape


# Pooling, loss, Winograd


def pool_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """x, size, stride: windows that overlap."""
    return (normal(random, images, 33, 33, 8, large=True) if large else normal(random, images, 7, 7, 2)), 3, 2


def pool_there_and_back(passes: Any, x: np.ndarray, size: int, stride: int) -> Inputs:
    """The output, and the gradient that comes back if all outputs count alike."""
    y, state = passes.pool2d(x, size, stride=stride)
    return y, passes.pool2d_grad_input(np.ones_like(y), state)


def solved_pool(mine: Any, x: np.ndarray, size: int, stride: int) -> Inputs:
    """The same by the learner's functions."""
    y = mine.max_pool(x, size, stride)
    return y, mine.max_pool_grad(np.ones_like(y), x, size, stride)


def to_all(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    """The gradient where each pixel of a window gets the window's, which is 1."""
    y, state = kernels.pool2d(x, size, stride=stride, kind="average")
    return kernels.pool2d_grad_input(np.full_like(y, size * size), state)


def loss_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """logits, labels."""
    classes = 1000 if large else 5
    return normal(random, images, classes, large=large), random.integers(classes, size=images)


def loss_of(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean loss, as an array of one number."""
    return np.array([kernels.cross_entropy(logits, labels)[0]])


def off(taken: float) -> Callable[..., np.ndarray]:
    """The gradient of cross-entropy with another number than 1 taken off the probability of the label."""

    def gradient(logits: np.ndarray, labels: np.ndarray, axis: int = 1) -> np.ndarray:
        exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
        return (exponentials / exponentials.sum(axis=axis, keepdims=True) - taken * np.eye(logits.shape[1])[labels]) / len(logits)

    return gradient


def winograd_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """Images, and w."""
    rows, columns, channels, filters = (18, 18, 16, 16) if large else (6, 8, 2, 3)
    return normal(random, images, rows, columns, channels, large=large), normal(random, 3, 3, channels, filters, large=large)


def solved_winograd(mine: Any, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Image by image."""
    return np.stack([mine.winograd(image, w) for image in x])


def squares_turned(y: np.ndarray) -> np.ndarray:
    """Each square of 2 x 2 with its rows and columns exchanged."""
    n, rows, columns, filters = y.shape
    return y.reshape(n, rows // 2, 2, columns // 2, 2, filters).transpose(0, 1, 4, 3, 2, 5).reshape(y.shape)
