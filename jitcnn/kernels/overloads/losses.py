"""Losses inside compiled code; see `jitcnn.kernels.overloads.bodies`."""

from collections.abc import Callable

import numpy as np

from jitcnn.kernels.overloads.arguments import class_numbers, floating, mean, output, probabilities
from jitcnn.kernels.overloads.compiled import serial
from jitcnn.kernels.overloads.prepared import run


def of_probabilities(name: str) -> Callable:
    """A cross-entropy of logits and probabilities."""

    def loss(logits, targets, out):
        logits = floating(logits, 2, logits)
        losses, grad = np.empty(logits.shape[0], logits.dtype), output(out, logits.shape, logits)
        run(name, logits, probabilities(targets, logits), losses, grad)
        return mean(losses), grad

    loss.__qualname__ = name
    return loss


binary_cross_entropy = serial(of_probabilities("binary_cross_entropy"))


def cross_entropy(logits, labels, kind, out):
    """Of class numbers, or with the kind "binary" of probabilities."""
    if kind == "binary":
        return binary_cross_entropy(logits, labels, out)
    if kind != "categorical":
        raise ValueError("cross_entropy: kind is neither categorical nor binary")
    logits = floating(logits, 2, logits)
    losses, grad = np.empty(logits.shape[0], logits.dtype), output(out, logits.shape, logits)
    run("cross_entropy", logits, class_numbers(labels, logits), losses, grad)
    return mean(losses), grad


def mse(y, target, out):
    """Mean squared error of outputs of any shape."""
    y, target = floating(y, 0, y), floating(target, 0, y)
    if y.shape != target.shape:
        raise ValueError("mse: y and target differ in shape")
    losses, grad, rows = np.empty(y.shape[0], y.dtype), output(out, y.shape, y), (y.shape[0], y.size // y.shape[0])
    run("mse", y.reshape(rows), target.reshape(rows), losses, grad.reshape(rows))
    return mean(losses), grad
