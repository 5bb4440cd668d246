"""Terms of activations, of one number or of a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jitcnn.play.terms.base import Index, Terms, run
from jitcnn.play.tracing import Call
from jitcnn.reference.prepared import PREPARED


def of_function(call: Call, index: Index) -> Terms:
    """An activation of one number."""
    x = call.values["x"][0][index]
    return Terms("function", (call.name, ""), np.array([x]), run(call.name, x.dtype, (1,), np.array([x])))


def of_softmax(call: Call, index: Index) -> Terms:
    """The share that one exponential has in the sum over its row."""
    x = call.values["x"][0][index[:-1]]
    y = np.empty_like(x)
    with np.errstate(all="ignore"):
        PREPARED["softmax"](x, y)
        powers = np.exp(x - x.max())
    return Terms("share", ("exp(x − largest)", ""), powers, float(y[index[-1]]), chosen=(index[-1],))


DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "relu_grad": lambda y: 0.0 if y <= 0 else 1.0,
    "sigmoid_grad": lambda y: y * (1 - y),
    "tanh_grad": lambda y: 1 - y * y,
}


def of_function_grad(call: Call, index: Index) -> Terms:
    """The gradient of an activation's output, times its derivative there."""
    grad_y, y = call.values["grad_y"][0][index], call.values["y"][0][index]
    total = run(call.name, grad_y.dtype, (1,), np.array([grad_y]), np.array([y]))
    names = "output gradient", f"derivative of {call.name.removesuffix('_grad')}"
    return Terms("products", names, np.array([grad_y]), total, np.array([DERIVATIVES[call.name](y)]))


def of_softmax_grad(call: Call, index: Index) -> Terms:
    """All gradients of the row, times what this number does to each output."""
    grad_y, y = call.values["grad_y"][0][index[:-1]], call.values["y"][0][index[:-1]]
    k = index[-1]
    jacobian = -y * y[k]
    jacobian[k] += y[k]
    grad_x = np.empty_like(y)
    with np.errstate(all="ignore"):
        PREPARED["softmax_grad"](grad_y, y, grad_x)
    return Terms("products", ("output gradients", "derivatives"), grad_y, float(grad_x[k]), jacobian)
