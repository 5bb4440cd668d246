"""Terms of a dense layer, and of the gradient of any bias."""

from __future__ import annotations

from jitcnn.play.terms.base import Index, Terms, run
from jitcnn.play.tracing import Call


def of_dense(call: Call, index: Index) -> Terms:
    """All inputs times their weights, plus the bias."""
    x, w, b = (call.values[name] for name in ("x", "w", "b"))
    (o,) = index
    total = run("dense", x.dtype, (1, 1), x, w[:, o : o + 1], b[o : o + 1])
    return Terms("products", ("inputs", "weights"), x[0], total, w[:, o], bias=float(b[o]) if b.size else None)


def of_dense_grad_weights(call: Call, index: Index) -> Terms:
    """The input times the output's gradient."""
    k, o = index
    x, grad_y = call.values["x"][:, k : k + 1], call.values["grad_y"][:, o : o + 1]
    return Terms("products", ("input", "output gradient"), x[:, 0], run("dense_grad_weights", x.dtype, (1, 1), grad_y, x), grad_y[:, 0])


def of_bias_grad(call: Call, index: Index) -> Terms:
    """The sum of the output's gradients."""
    grad_y = call.values["grad_y"][..., index[0] : index[0] + 1]
    return Terms("products", ("output gradients", ""), grad_y[0, ..., 0], run("bias_grad", grad_y.dtype, (1,), grad_y))


def of_dense_grad_input(call: Call, index: Index) -> Terms:
    """The gradients of all outputs, times the weights through which they saw this input."""
    grad_y, w = call.values["grad_y"], call.values["w"][index[0] : index[0] + 1]
    return Terms("products", ("output gradients", "weights"), grad_y[0], run("dense_grad_input", w.dtype, (1, 1), grad_y, w), w[0])
