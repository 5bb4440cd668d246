"""Kernels that treat every number alike: relu and copies, which run along whole rows of an image."""

import functools
import math
from collections.abc import Callable
from typing import Any

from jitcnn.kernels.buffers import Border, Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.rows import Row, memory_of

Unary = record(x=Images, y=Images, rows=int, width=int)
Binary = record(x=Images, y=Images, z=Images, rows=int, width=int)


def lines(*buffers: Buffer) -> dict[str, Any]:
    """The arguments `rows` and `width` of a kernel that runs along the rows of these buffers, which have one shape.

    Images without gaps are a single row.
    """

    def rows() -> int:
        return next((buffer.storage.rows for buffer in buffers if buffer.storage.border != Border()), 1)

    def width() -> int:
        return math.prod(buffers[0].shape[1:]) // rows()

    return {"rows": rows, "width": width}


def unary_row(program: Program, factory: Callable, key: dict, x: Buffer, y: Buffer) -> Row:
    """Write down y = f(x)."""
    return program.row(factory, key, Unary, ("y",), x=x, y=y, **lines(x, y))


def binary_row(program: Program, factory: Callable, key: dict, x: Buffer, y: Buffer, z: Buffer) -> Row:
    """Write down z = f(x, y)."""
    return program.row(factory, key, Binary, ("z",), x=x, y=y, z=z, **lines(x, y, z))


def make_unary(name: str, real: type, function: Callable, in_place: bool):
    """The kernel y = function(x) along rows.

    In place, it reads and writes through one name: told apart at run time only, two names for the same numbers would send the loop down
    its scalar path.
    """
    line = ACCESS[real][0]

    @kernel(Unary, (name, real.__name__, in_place), f"{name} {real.__name__}")
    def unary(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            for r in range(a.rows):
                y = line(a.y, n, first, worker, r, a.width)
                x = y if in_place else line(a.x, n, first, worker, r, a.width)
                for i in range(a.width):
                    y[i] = function(x[i])

    return unary


def make_binary(name: str, real: type, function: Callable, in_place: bool):
    """The kernel z = function(x, y) along rows; in place, x is z."""
    line = ACCESS[real][0]

    @kernel(Binary, (name, real.__name__, in_place), f"{name} {real.__name__}")
    def binary(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            for r in range(a.rows):
                y, z = line(a.y, n, first, worker, r, a.width), line(a.z, n, first, worker, r, a.width)
                x = z if in_place else line(a.x, n, first, worker, r, a.width)
                for i in range(a.width):
                    z[i] = function(x[i], y[i])

    return binary


def elementwise_key(source: Buffer, target: Buffer) -> dict[str, Any]:
    """What an elementwise kernel is compiled for."""
    return {"real": source.dtype.type, "in_place": memory_of(source) == memory_of(target)}


@functools.cache
def copy_kernel(real: type, in_place: bool):
    """y = x."""

    @inline(("copy", real.__name__))
    def same(x):
        return x

    return make_unary("copy", real, same, in_place)


@functools.cache
def relu_kernel(real: type, in_place: bool):
    """y = max(x, 0), in this order: NaN stays NaN."""
    zero = real(0)

    @inline(("relu", real.__name__))
    def relu_of(x):
        return max(x, zero)

    return make_unary("relu", real, relu_of, in_place)


@functools.cache
def relu_grad_kernel(real: type, in_place: bool):
    """grad_x = 0 where y <= 0, else grad_y."""
    zero = real(0)

    @inline(("relu_grad", real.__name__))
    def relu_grad_of(grad_y, y):
        return zero if y <= zero else grad_y

    return make_binary("relu_grad", real, relu_grad_of, in_place)


def copy(program: Program, x: Buffer, y: Buffer) -> None:
    """y = x, whatever borders they have."""
    unary_row(program, copy_kernel, elementwise_key(x, y), x, y)


def end_in(row: Row, end: str, **fields: Buffer) -> None:
    """Let a row, and those that write other parts of the same result, end in something else than a store."""
    for part in row.together:
        part.key["end"] = end
        part.fields |= fields


def relu(program: Program, x: Buffer, y: Buffer) -> None:
    """relu, at the end of the row that wrote x where that row can do it."""
    row = program.last_writer(x) if memory_of(x) == memory_of(y) else None
    if row is not None and row.key.get("end") == "store" and "relu" in row.ends:
        end_in(row, "relu")
    else:
        unary_row(program, relu_kernel, elementwise_key(x, y), x, y)


def relu_grad(program: Program, grad_y: Buffer, y: Buffer, grad_x: Buffer) -> None:
    """relu's gradient, at the end of the row that wrote grad_y where that row can do it."""
    row = program.last_writer(grad_y, through_scaling=True, mask=y) if memory_of(grad_y) == memory_of(grad_x) else None
    if row is not None and row.key.get("end") == "store" and "mask" in row.ends:
        end_in(row, "mask", mask=y)
    elif row is not None and row.key.get("end") == "store" and "mask of x" in row.ends and row.fields["x"].storage is y.storage:
        end_in(row, "mask of x")
    else:
        binary_row(program, relu_grad_kernel, elementwise_key(grad_y, grad_x), grad_y, y, grad_x)


LOWERINGS: dict[str, Callable[..., None]] = {"relu": relu, "relu_grad": relu_grad}
