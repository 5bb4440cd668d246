"""Losses of single samples, and the gradient of their mean over the images that a step has: a number read when the step runs."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray

from jitcnn.kernels import runner
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.elementwise import elementwise_key
from jitcnn.kernels.exponential import exp as exponentials
from jitcnn.kernels.pointers import float64_at, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

ByLabel = record(outputs=Images, labels=Images, losses=Images, grad=Images, batch=int, size=int)
ByTarget = record(outputs=Images, targets=Images, losses=Images, grad=Images, batch=int, size=int)

Smooth = record(targets=Images, y=Images, smoothing=int, size=int)


@inline()
def images_of(a):
    """How many images this step has."""
    return carray(int64_at(a.batch), (1,))[0]


@functools.cache
def cross_entropy_kernel(real: type):
    """Of the softmax of the outputs against class numbers."""
    line, label_line, exp, zero, one = ACCESS[real][0], ACCESS[np.int64][0], exponentials[real], real(0), real(1)

    @kernel(ByLabel, real.__name__, f"cross-entropy {real.__name__}")
    def cross_entropy_of(arguments, first, last, worker):
        a = only(arguments)
        share = one / real(images_of(a))
        for n in range(first, last):
            z, grad = line(a.outputs, n, first, worker, 0, a.size), line(a.grad, n, first, worker, 0, a.size)
            label = label_line(a.labels, n, first, worker, 0, 1)[0]
            largest = z[0]
            for k in range(a.size):
                if z[k] > largest:
                    largest = z[k]
            for k in range(a.size):
                grad[k] = z[k] - largest
            chosen = grad[label]
            for k in range(a.size):
                grad[k] = exp(grad[k])
            total = zero
            for k in range(a.size):
                total += grad[k]
            line(a.losses, n, first, worker, 0, 1)[0] = math.log(total) - chosen
            scale = share / total
            for k in range(a.size):
                grad[k] *= scale
            grad[label] -= share

    return cross_entropy_of


@functools.cache
def soft_cross_entropy_kernel(real: type):
    """Of the softmax of the outputs against shares of classes."""
    line, exp, zero, one = ACCESS[real][0], exponentials[real], real(0), real(1)

    @kernel(ByTarget, real.__name__, f"soft cross-entropy {real.__name__}")
    def soft_cross_entropy_of(arguments, first, last, worker):
        a = only(arguments)
        share = one / real(images_of(a))
        for n in range(first, last):
            z, targets = line(a.outputs, n, first, worker, 0, a.size), line(a.targets, n, first, worker, 0, a.size)
            grad = line(a.grad, n, first, worker, 0, a.size)
            largest, wanted = z[0], zero
            for k in range(a.size):
                if z[k] > largest:
                    largest = z[k]
                wanted += targets[k]
            chosen = zero
            for k in range(a.size):
                difference = z[k] - largest
                chosen += targets[k] * difference
                grad[k] = exp(difference)
            total = zero
            for k in range(a.size):
                total += grad[k]
            line(a.losses, n, first, worker, 0, 1)[0] = wanted * math.log(total) - chosen
            scale = share * wanted / total
            for k in range(a.size):
                grad[k] = grad[k] * scale - targets[k] * share

    return soft_cross_entropy_of


@functools.cache
def smooth_labels_kernel(real: type, in_place: bool):
    """y = (1 - smoothing) * targets + smoothing / classes."""
    line = ACCESS[real][0]

    @kernel(Smooth, (real.__name__, in_place), f"smooth labels {real.__name__}")
    def smooth_labels_of(arguments, first, last, worker):
        a = only(arguments)
        smoothing = carray(float64_at(a.smoothing), (1,))[0]
        kept, added = real(1.0 - smoothing), real(smoothing / a.size)
        for n in range(first, last):
            y = line(a.y, n, first, worker, 0, a.size)
            targets = y if in_place else line(a.targets, n, first, worker, 0, a.size)
            for k in range(a.size):
                y[k] = kept * targets[k] + added

    return smooth_labels_of


@functools.cache
def binary_cross_entropy_kernel(real: type):
    """Of the sigmoid of every output against its own target."""
    line, exp, zero, one = ACCESS[real][0], exponentials[real], real(0), real(1)

    @kernel(ByTarget, real.__name__, f"binary cross-entropy {real.__name__}")
    def binary_cross_entropy_of(arguments, first, last, worker):
        a = only(arguments)
        size = real(a.size)
        share = one / (real(images_of(a)) * size)
        for n in range(first, last):
            outputs, targets = line(a.outputs, n, first, worker, 0, a.size), line(a.targets, n, first, worker, 0, a.size)
            grad = line(a.grad, n, first, worker, 0, a.size)
            total = zero
            for k in range(a.size):
                z, t = outputs[k], targets[k]
                small = exp(-abs(z))  # at most 1: the forms below cannot overflow
                total += max(z, zero) - z * t + math.log1p(small)
                grad[k] = ((one if z >= zero else small) / (one + small) - t) * share
            line(a.losses, n, first, worker, 0, 1)[0] = total / size

    return binary_cross_entropy_of


@functools.cache
def mse_kernel(real: type):
    """Mean of the squared differences between outputs and targets."""
    line, zero, two = ACCESS[real][0], real(0), real(2)

    @kernel(ByTarget, real.__name__, f"mean squared error {real.__name__}")
    def mse_of(arguments, first, last, worker):
        a = only(arguments)
        size = real(a.size)
        share = two / (real(images_of(a)) * size)
        for n in range(first, last):
            y, targets = line(a.outputs, n, first, worker, 0, a.size), line(a.targets, n, first, worker, 0, a.size)
            grad = line(a.grad, n, first, worker, 0, a.size)
            total = zero
            for k in range(a.size):
                difference = y[k] - targets[k]
                total += difference * difference
                grad[k] = difference * share
            line(a.losses, n, first, worker, 0, 1)[0] = total / size

    return mse_of


def smooth_labels(program: Program, targets: Buffer, smoothing: np.ndarray, y: Buffer) -> None:
    """Shares of classes, a part of them spread over all; y may be targets."""
    program.row(
        smooth_labels_kernel, elementwise_key(targets, y), Smooth, ("y",), targets=program.contiguous(targets), y=program.contiguous(y),
        smoothing=smoothing, size=targets.shape[1],
    )  # fmt: skip


def loss_row(
    program: Program, factory: Callable[..., Any], record_type: np.dtype, outputs: Buffer, losses: Buffer, grad: Buffer, **truth: Any
) -> None:
    """Write a loss down; truth: its labels or targets."""
    contiguous_truth: dict[str, Any] = {name: program.contiguous(buffer) for name, buffer in truth.items()}
    program.row(
        factory, {"real": outputs.dtype.type}, record_type, ("losses", "grad"), outputs=program.contiguous(outputs),
        losses=program.contiguous(losses), grad=program.contiguous(grad), batch=program.counters[runner.BATCH : runner.BATCH + 1],
        size=outputs.shape[1], **contiguous_truth,
    )  # fmt: skip


def cross_entropy(program: Program, logits: Buffer, labels: Buffer, losses: Buffer, grad: Buffer) -> None:
    """Cross-entropy of the softmax of `logits` (n, k) against class numbers (n,)."""
    loss_row(program, cross_entropy_kernel, ByLabel, logits, losses, grad, labels=labels)


def soft_cross_entropy(program: Program, logits: Buffer, targets: Buffer, losses: Buffer, grad: Buffer) -> None:
    """Cross-entropy of the softmax of `logits` (n, k) against shares of classes (n, k)."""
    loss_row(program, soft_cross_entropy_kernel, ByTarget, logits, losses, grad, targets=targets)


def binary_cross_entropy(program: Program, logits: Buffer, targets: Buffer, losses: Buffer, grad: Buffer) -> None:
    """Cross-entropy of the sigmoid of `logits` (n, k) against targets (n, k); the mean over k."""
    loss_row(program, binary_cross_entropy_kernel, ByTarget, logits, losses, grad, targets=targets)


def mse(program: Program, y: Buffer, targets: Buffer, losses: Buffer, grad: Buffer) -> None:
    """Mean over k of the squared differences of (n, k)."""
    loss_row(program, mse_kernel, ByTarget, y, losses, grad, targets=targets)


LOWERINGS: dict[str, Callable[..., None]] = {
    "cross_entropy": cross_entropy,
    "soft_cross_entropy": soft_cross_entropy,
    "smooth_labels": smooth_labels,
    "binary_cross_entropy": binary_cross_entropy,
    "mse": mse,
}
