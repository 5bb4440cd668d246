"""Eight lessons: a file with one pass missing each, and what a solution is compared with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jitcnn import kernels
from jitcnn.learn import files
from jitcnn.learn.tasks import (
    Inputs,
    conv_backward,
    conv_inputs,
    dense_backward,
    dense_backward_inputs,
    dense_inputs,
    grad_input_inputs,
    grad_weights_inputs,
    loss_inputs,
    loss_of,
    off,
    overwritten,
    pool_inputs,
    pool_there_and_back,
    solved_pool,
    solved_winograd,
    squares_turned,
    to_all,
    winograd_inputs,
)


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
        {
            "a pixel keeps only what the last filter of the last window gave it: add to what is there, +=": overwritten,
            "only the first filter counts: add up over all of them":
                lambda grad_y, w, shape: kernels.conv2d_grad_input(grad_y[..., :1].copy(), w[..., :1].copy(), shape),
            "only the last filter counts: add up over all of them":
                lambda grad_y, w, shape: kernels.conv2d_grad_input(grad_y[..., -1:].copy(), w[..., -1:].copy(), shape),
        },
    ),
    Lesson(
        5, "a convolution, the gradient of its weights", ("conv2d_grad_weights",), grad_weights_inputs,
        lambda mine, grad_y, x, shape: mine.conv2d_grad_weights(grad_y, x, shape),
        lambda passes, grad_y, x, shape: passes.conv2d_grad_weights(grad_y, x, shape),
        lambda mine, grad_y, x, shape: (
            (lambda w: kernels.conv2d(x, w), lambda grad_y, w: mine.conv2d_grad_weights(grad_y, x, shape)), np.zeros(shape),
        ),
        ("w",),
        {
            "only the last image counts: add up over all of them":
                lambda grad_y, x, shape: kernels.conv2d_grad_weights(grad_y[-1:], x[-1:], shape),
            "only the first image counts: add up over all of them":
                lambda grad_y, x, shape: kernels.conv2d_grad_weights(grad_y[:1], x[:1], shape),
        },
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
            "every pixel of a window gets its gradient: only the largest one does": to_all,
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
        {
            "nothing is taken off the right class: subtract 1 from the probability of the label": off(0),
            "1 is added to the right class: subtract it from the probability of the label": off(-1),
            "softmax runs over the images: sum exp over the classes of each image": lambda logits, labels: off(1)(logits, labels, axis=0),
        },
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
