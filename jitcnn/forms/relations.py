"""What must hold between the sizes of a prepared call's arrays and its integers, beyond the same word for the same size."""

from collections.abc import Callable
from typing import Any

import numpy as np

from jitcnn.forms.codes import AUTO, WINOGRAD


def _windows(
    image: tuple[int, ...], y: tuple[int, ...], kernel: tuple[int, ...], stride_h: int, stride_w: int, top: int, left: int
) -> None:
    """Every window starts inside what the output's size implies, and none is missing behind the last."""
    strides, before = (stride_h, stride_w), (top, left)
    for axis, word in enumerate(("rows", "columns")):
        used = (y[1 + axis] - 1) * strides[axis] + kernel[axis]
        unused = image[1 + axis] + before[axis] - used
        if unused >= strides[axis]:
            raise ValueError(
                f"the output has {y[1 + axis]} {word}, too few: windows of {kernel[axis]} at stride {strides[axis]} fit "
                f"{unused // strides[axis] + y[1 + axis]} times into {image[1 + axis]} {word} with {before[axis]} of padding before them"
            )


def _conv2d(image: Any, w: Any, y: Any, stride_h: int, stride_w: int, top: int, left: int, algorithm: int = AUTO) -> None:
    if algorithm == WINOGRAD and (*w.shape[:2], stride_h, stride_w) != (3, 3, 1, 1):
        raise ValueError(
            f"algorithm 'winograd' takes kernels of 3 x 3 at stride 1, and was given {w.shape[0]} x {w.shape[1]} at stride "
            f"({stride_h}, {stride_w}): give 'auto' or 'direct'"
        )
    _windows(image.shape, y.shape, w.shape[:2], stride_h, stride_w, top, left)


def _pool2d(image: Any, y: Any, kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, top: int, left: int, **_: Any) -> None:
    """A window without a single pixel would have no largest one, and an average of nothing."""
    kernel, strides, before = (kernel_h, kernel_w), (stride_h, stride_w), (top, left)
    _windows(image.shape, y.shape, kernel, stride_h, stride_w, top, left)
    for axis, word in enumerate(("rows", "columns")):
        last = (y.shape[1 + axis] - 1) * strides[axis] - before[axis]
        if before[axis] >= kernel[axis] or last >= image.shape[1 + axis]:
            raise ValueError(
                f"the first or last of {y.shape[1 + axis]} windows of {kernel[axis]} {word} holds padding only: "
                f"give less padding than {kernel[axis]} {word}"
            )


def _pad2d(image: Any, y: Any, top: int, left: int, **_: Any) -> None:
    for size, padded, before, word in zip(image.shape[1:3], y.shape[1:3], (top, left), ("rows", "columns"), strict=True):
        if size + before > padded:
            raise ValueError(f"the padded image has {padded} {word}, expected at least {size + before}: {size} and {before} before them")


def _upsample2d(image: Any, y: Any, factor_h: int, factor_w: int) -> None:
    expected = (image.shape[1] * factor_h, image.shape[2] * factor_w)
    if tuple(y.shape[1:3]) != expected:
        raise ValueError(
            f"the large image has {tuple(y.shape[1:3])} rows and columns, expected {expected}: the small one's times the factors"
        )


def _take_labels(labels: Any, **_: Any) -> None:
    expected = 1 if np.dtype(labels.dtype) == np.int64 else 2
    if len(labels.shape) != expected:
        raise ValueError(f"labels are {labels.dtype} of shape {tuple(labels.shape)}, expected int64 (count,) or floats (count, classes)")


def _mix_labels(labels: Any, y: Any, **_: Any) -> None:
    expected = (y.shape[1],) if np.dtype(labels.dtype).kind == "f" else ()
    if tuple(labels.shape[1:]) != expected:
        raise ValueError(
            f"labels are {labels.dtype} of shape {tuple(labels.shape)}, expected int64 (count,) or floats (count, {y.shape[1]})"
        )


RELATIONS: dict[str, Callable[..., None]] = {
    "conv2d": lambda x, b, **rest: _conv2d(x, **rest),
    "conv2d_grad_input": lambda grad_y, w, grad_x, **rest: _conv2d(grad_x, w, grad_y, **rest),
    "conv2d_grad_weights": lambda grad_y, x, grad_w, **rest: _conv2d(x, grad_w, grad_y, **rest),
    "pad2d": lambda x, **rest: _pad2d(x, **rest),
    "pad2d_grad_input": lambda grad_y, grad_x, **rest: _pad2d(grad_x, grad_y, **rest),
    "pool2d": lambda x, **rest: _pool2d(x, **rest),
    "pool2d_grad_input": lambda grad_y, grad_x, x, **rest: _pool2d(grad_x, **rest),
    "upsample2d": lambda x, **rest: _upsample2d(x, **rest),
    "upsample2d_grad_input": lambda grad_y, grad_x, **rest: _upsample2d(grad_x, grad_y, **rest),
    "take_labels": _take_labels,
    "mix_labels": _mix_labels,
}
