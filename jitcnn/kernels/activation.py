"""sigmoid, tanh, softmax and the gradients through them; relu is in `elementwise.py`.

In place, a kernel of its own reads and writes through one name: told apart at run time only, two names for the same numbers would
send the loop down its scalar path.
"""

import functools
from collections.abc import Callable
from typing import Any

from jitcnn.kernels import exponential
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.elementwise import Binary, Unary, binary_row, make_binary, make_unary, unary_row
from jitcnn.kernels.program import Program, memory_of
from jitcnn.kernels.records import ACCESS, Images, only, record


def make_unary_in_place(name: str, real: type, function: Callable):
    """The kernel y = function(y) along rows."""
    line = ACCESS[real][0]

    @kernel(Unary, (name, real.__name__), f"{name} in place {real.__name__}")
    def unary_in_place(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            for r in range(a.rows):
                y = line(a.y, n, first, worker, r, a.width)
                for i in range(a.width):
                    y[i] = function(y[i])

    return unary_in_place


def make_binary_in_place(name: str, real: type, function: Callable):
    """The kernel z = function(z, y) along rows."""
    line = ACCESS[real][0]

    @kernel(Binary, (name, real.__name__), f"{name} in place {real.__name__}")
    def binary_in_place(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            for r in range(a.rows):
                y, z = line(a.y, n, first, worker, r, a.width), line(a.z, n, first, worker, r, a.width)
                for i in range(a.width):
                    z[i] = function(z[i], y[i])

    return binary_in_place


# Number by number ---------------------------------------------------------------------------------------------------------


@functools.cache
def sigmoid_kernel(real: type, in_place: bool):
    """y = 1 / (1 + exp(-x))."""
    return (make_unary_in_place if in_place else make_unary)("sigmoid", real, exponential.sigmoid[real])


@functools.cache
def tanh_kernel(real: type, in_place: bool):
    """y = tanh(x)."""
    return (make_unary_in_place if in_place else make_unary)("tanh", real, exponential.tanh[real])


@functools.cache
def sigmoid_grad_kernel(real: type, in_place: bool):
    """grad_x = grad_y * y * (1 - y)."""
    one = real(1)

    @inline(("sigmoid_grad", real.__name__))
    def sigmoid_grad_of(grad_y, y):
        return grad_y * (y * (one - y))

    return (make_binary_in_place if in_place else make_binary)("sigmoid_grad", real, sigmoid_grad_of)


@functools.cache
def tanh_grad_kernel(real: type, in_place: bool):
    """grad_x = grad_y * (1 - y * y)."""
    one = real(1)

    @inline(("tanh_grad", real.__name__))
    def tanh_grad_of(grad_y, y):
        return grad_y * (one - y * y)

    return (make_binary_in_place if in_place else make_binary)("tanh_grad", real, tanh_grad_of)


def elementwise_key(source: Buffer, target: Buffer) -> dict[str, Any]:
    """What kernels of numbers on their own are compiled for."""
    return {"real": source.dtype.type, "in_place": memory_of(source) == memory_of(target)}


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


LOWERINGS = {
    "sigmoid": sigmoid,
    "sigmoid_grad": sigmoid_grad,
    "tanh": tanh,
    "tanh_grad": tanh_grad,
    "softmax": softmax,
    "softmax_grad": softmax_grad,
}
