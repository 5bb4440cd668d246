"""Eight lessons: a file with one pass missing each, and what a solution is compared with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jitcnn import kernels
from jitcnn.learn import files

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    number, title
        From 1 to 8; a few words.
    functions
        What the file must define.
    draw
        `draw(random, images, large)` gives inputs: small ones to check with, large ones to time.
    solve, compute
        The task by the learner's functions, `solve(mine, *inputs)`, and by those of a namespace like `jitcnn.reference`.
    subject
        `subject(mine, *inputs)` gives what the gradient check takes: the functions forward and backward, and where to look.
    arrays
        Names of the arrays whose gradients are checked.
    mistakes
        Known wrong results, `mistake(*inputs)`, by the hint that they deserve.
    is_forward
        Whether a forward pass is missing: its result, the first of `solve`, is compared before any gradient.
    """

    number: int
    title: str
    functions: tuple[str, ...]
    draw: Callable[[np.random.Generator, int, bool], Inputs]
    solve: Callable[..., Any]
    compute: Callable[..., Any]
    subject: Callable[..., tuple[Any, Any]]
    arrays: tuple[str, ...]
    mistakes: dict[str, Callable[..., Any]] = field(default_factory=dict)
    is_forward: bool = False

    @property
    def text(self) -> str:
        """What is written for the learner."""
        return (Path(files.__file__).parent / f"lesson{self.number}.py").read_text()


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


def loss_inputs(random: np.random.Generator, images: int, large: bool) -> Inputs:
    """logits, labels."""
    classes = 1000 if large else 5
    return normal(random, images, classes, large=large), random.integers(classes, size=images)


def loss_of(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean loss, as an array of one number."""
    return np.array([kernels.cross_entropy(logits, labels)[0]])


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


LESSONS = (
    Lesson(
        1, "a dense layer, forward", ("dense",), dense_inputs,
        lambda mine, x, w, b: mine.dense(x, w, b),
        lambda passes, x, w, b: passes.dense(x, w, b),
        lambda mine, x, w, b: ((mine.dense, lambda grad_y, x, w, b: dense_backward(kernels, grad_y, x, w)), (x, w, b)),
        ("x", "w", "b"),
        {
            "the bias is missing": lambda x, w, b: x @ w,
            "the bias is added once for every input: add it once an output, before or behind the sum":
                lambda x, w, b: x @ w + len(w) * b,
            "every output has the last product instead of the sum: total += instead of total =":
                lambda x, w, b: x[:, -1:] * w[-1] + b,
        },
        is_forward=True,
    ),
    Lesson(
        2, "a dense layer, backward", ("dense_backward",), dense_backward_inputs,
        lambda mine, grad_y, x, w: mine.dense_backward(grad_y, x, w),
        dense_backward,
        lambda mine, grad_y, x, w: (
            (kernels.dense, lambda grad_y, x, w, b: tuple(mine.dense_backward(grad_y, x, w))), (x, w, np.zeros(w.shape[1])),
        ),
        ("x", "w", "b"),
    ),
    Lesson(
        3, "a convolution, forward", ("conv2d",), conv_inputs,
        lambda mine, x, w, b: mine.conv2d(x, w, b),
        lambda passes, x, w, b: passes.conv2d(x, w, b),
        lambda mine, x, w, b: ((mine.conv2d, lambda grad_y, x, w, b: conv_backward(grad_y, x, w)), (x, w, b)),
        ("x", "w", "b"),
        {
            "the filter is turned by 180 degrees: x[i + u, j + v] meets w[u, v]":
                lambda x, w, b: kernels.conv2d(x, np.ascontiguousarray(w[::-1, ::-1]), b),
            "the bias is missing": lambda x, w, b: kernels.conv2d(x, w),
            "the bias is added once for every channel: add it once an output": lambda x, w, b: kernels.conv2d(x, w, w.shape[2] * b),
            "only the first channel counts: add up over all of them":
                lambda x, w, b: kernels.conv2d(x[..., :1].copy(), w[:, :, :1].copy(), b),
            "only the last channel counts: add up over all of them, +=":
                lambda x, w, b: kernels.conv2d(x[..., -1:].copy(), w[:, :, -1:].copy(), b),
            "rows and columns of the filter are exchanged": lambda x, w, b: kernels.conv2d(x, w.transpose(1, 0, 2, 3).copy(), b),
        },
        is_forward=True,
    ),
    Lesson(
        4, "a convolution, the gradient of its input", ("conv2d_grad_input",), grad_input_inputs,
        lambda mine, grad_y, w, shape: mine.conv2d_grad_input(grad_y, w, shape),
        lambda passes, grad_y, w, shape: passes.conv2d_grad_input(grad_y, w, shape),
        lambda mine, grad_y, w, shape: (
            (lambda x: kernels.conv2d(x, w), lambda grad_y, x: mine.conv2d_grad_input(grad_y, w, shape)), np.zeros(shape),
        ),
        ("x",),
        {"a pixel keeps only what the last filter of the last window gave it: add to what is there, +=": overwritten},
    ),
    Lesson(
        5, "a convolution, the gradient of its weights", ("conv2d_grad_weights",), grad_weights_inputs,
        lambda mine, grad_y, x, shape: mine.conv2d_grad_weights(grad_y, x, shape),
        lambda passes, grad_y, x, shape: passes.conv2d_grad_weights(grad_y, x, shape),
        lambda mine, grad_y, x, shape: (
            (lambda w: kernels.conv2d(x, w), lambda grad_y, w: mine.conv2d_grad_weights(grad_y, x, shape)), np.zeros(shape),
        ),
        ("w",),
    ),
    Lesson(
        6, "max pooling and its gradient", ("max_pool", "max_pool_grad"), pool_inputs,
        solved_pool,
        pool_there_and_back,
        lambda mine, x, size, stride: (
            (lambda x: mine.max_pool(x, size, stride), lambda grad_y, x: mine.max_pool_grad(grad_y, x, size, stride)), x,
        ),
        ("x",),
        {
            "windows begin at every pixel: begin every `stride` pixels":
                lambda x, size, stride: kernels.pool2d(x, size, stride=1)[0][:, :3, :3],
            "it is the mean of the window: take the largest number":
                lambda x, size, stride: kernels.pool2d(x, size, stride=stride, kind="average")[0],
        },
        is_forward=True,
    ),
    Lesson(
        7, "the gradient of softmax and cross-entropy", ("cross_entropy_grad",), loss_inputs,
        lambda mine, logits, labels: mine.cross_entropy_grad(logits, labels),
        lambda passes, logits, labels: passes.cross_entropy(logits, labels)[1],
        lambda mine, logits, labels: (
            (lambda logits: loss_of(logits, labels), lambda grad_y, logits: grad_y[0] * mine.cross_entropy_grad(logits, labels)), logits,
        ),
        ("logits",),
    ),
    Lesson(
        8, "Winograd's convolution of one image", ("winograd",), winograd_inputs,
        solved_winograd,
        lambda passes, x, w, **settings: passes.conv2d(x, w, **settings),
        lambda mine, x, w: (
            (lambda x, w: solved_winograd(mine, x, w), lambda grad_y, x, w: conv_backward(grad_y, x, w)[:2]), (x, w),
        ),
        ("x", "w"),
        {
            "the filter is turned by 180 degrees": lambda x, w: kernels.conv2d(x, w[::-1, ::-1].copy()),
            "only the last channel counts: add up over all of them before the way back":
                lambda x, w: kernels.conv2d(x[..., -1:].copy(), w[:, :, -1:].copy()),
            "squares of the output have rows and columns exchanged: the way back is AT m A, and A is AT turned over":
                lambda x, w: squares_turned(kernels.conv2d(x, w)),
        },
        is_forward=True,
    ),
)  # fmt: skip
