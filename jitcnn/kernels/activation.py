"""sigmoid, tanh, softmax and the gradients through them; relu is in `elementwise.py`."""

import functools
from collections.abc import Callable
from typing import Any

from jitcnn.kernels import exponential
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.elementwise import binary_row, elementwise_key, make_binary, make_unary, unary_row
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

# Number by number ---------------------------------------------------------------------------------------------------------


@functools.cache
def sigmoid_kernel(real: type, in_place: bool):
    """y = 1 / (1 + exp(-x))."""
    return make_unary("sigmoid", real, exponential.sigmoid[real], in_place)


@functools.cache
def tanh_kernel(real: type, in_place: bool):
    """y = tanh(x)."""
    return make_unary("tanh", real, exponential.tanh[real], in_place)


@functools.cache
def sigmoid_grad_kernel(real: type, in_place: bool):
    """grad_x = grad_y * y * (1 - y)."""
    one = real(1)

    @inline(("sigmoid_grad", real.__name__))
    def sigmoid_grad_of(grad_y, y):
        return grad_y * (y * (one - y))

    return make_binary("sigmoid_grad", real, sigmoid_grad_of, in_place)


@functools.cache
def tanh_grad_kernel(real: type, in_place: bool):
    """grad_x = grad_y * (1 - y * y)."""
    one = real(1)

    @inline(("tanh_grad", real.__name__))
    def tanh_grad_of(grad_y, y):
        return grad_y * (one - y * y)

    return make_binary("tanh_grad", real, tanh_grad_of, in_place)


def sigmoid(program: Program, x: Buffer, y: Buffer) -> None:
    """Forward."""
    unary_row(program, sigmoid_kernel, elementwise_key(x, y), x, y)


def tanh(program: Program, x: Buffer, y: Buffer) -> None:
    """Forward."""
    unary_row(program, tanh_kernel, elementwise_key(x, y), x, y)


def sigmoid_grad(program: Program, grad_y: Buffer, y: Buffer, grad_x: Buffer) -> None:
    """Gradient of the input."""
    binary_row(program, sigmoid_grad_kernel, elementwise_key(grad_y, grad_x), grad_y, y, grad_x)


def tanh_grad(program: Program, grad_y: Buffer, y: Buffer, grad_x: Buffer) -> None:
    """Gradient of the input."""
    binary_row(program, tanh_grad_kernel, elementwise_key(grad_y, grad_x), grad_y, y, grad_x)


# Softmax ------------------------------------------------------------------------------------------------------------------

Softmax = record(x=Images, y=Images, size=int, classes=int)
SoftmaxGradient = record(grad_y=Images, y=Images, grad_x=Images, size=int, classes=int)


@functools.cache
def softmax_kernel(real: type):
    """y = exp(x) / sum of exp(x), for every group of `classes` numbers in an image of `size` numbers."""
    line, exp, zero, one = ACCESS[real][0], exponential.exp[real], real(0), real(1)

    @kernel(Softmax, real.__name__, f"softmax {real.__name__}")
    def softmax_of(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            x, y = line(a.x, n, first, worker, 0, a.size), line(a.y, n, first, worker, 0, a.size)
            for start in range(0, a.size, a.classes):
                largest = x[start]
                for k in range(start, start + a.classes):
                    if x[k] > largest:
                        largest = x[k]
                for k in range(start, start + a.classes):
                    y[k] = x[k] - largest
            for i in range(a.size):  # all groups at once: one alone may be shorter than a vector
                y[i] = exp(y[i])
            for start in range(0, a.size, a.classes):
                total = zero
                for k in range(start, start + a.classes):
                    total += y[k]
                scale = one / total
                for k in range(start, start + a.classes):
                    y[k] *= scale

    return softmax_of


@functools.cache
def softmax_grad_kernel(real: type):
    """grad_x = y * (grad_y - sum of grad_y * y), for every group of `classes` numbers in an image of `size` numbers."""
    line, zero = ACCESS[real][0], real(0)

    @kernel(SoftmaxGradient, real.__name__, f"gradient of softmax {real.__name__}")
    def softmax_grad_of(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            grad_y, y = line(a.grad_y, n, first, worker, 0, a.size), line(a.y, n, first, worker, 0, a.size)
            grad_x = line(a.grad_x, n, first, worker, 0, a.size)
            for start in range(0, a.size, a.classes):
                total = zero
                for k in range(start, start + a.classes):
                    total += grad_y[k] * y[k]
                for k in range(start, start + a.classes):
                    grad_x[k] = y[k] * (grad_y[k] - total)

    return softmax_grad_of


def group_sizes(y: Buffer) -> dict[str, Any]:
    """The integers of both records."""
    return {"size": y.size // y.shape[0], "classes": y.shape[-1]}


def softmax(program: Program, x: Buffer, y: Buffer) -> None:
    """Forward, along the last axis."""
    program.row(softmax_kernel, {"real": x.dtype.type}, Softmax, ("y",), x=program.contiguous(x), y=program.contiguous(y), **group_sizes(y))


def softmax_grad(program: Program, grad_y: Buffer, y: Buffer, grad_x: Buffer) -> None:
    """Gradient of the input, along the last axis."""
    program.row(
        softmax_grad_kernel, {"real": y.dtype.type}, SoftmaxGradient, ("grad_x",), grad_y=program.contiguous(grad_y),
        y=program.contiguous(y), grad_x=program.contiguous(grad_x), **group_sizes(y),
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {
    "sigmoid": sigmoid,
    "sigmoid_grad": sigmoid_grad,
    "tanh": tanh,
    "tanh_grad": tanh_grad,
    "softmax": softmax,
    "softmax_grad": softmax_grad,
}
