"""Optimizers: each task moves the share of the parameters whose gradient it has just summed, while that lies in its cache."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray

from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.exponential import exact
from jitcnn.kernels.pointers import AT, MOVE, float64_at, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import only, record
from jitcnn.kernels.rows import Layout, Row, memory_of

SHARE = {"lines": int, "stride": int, "length": int, "unit": int}
TURN = {"hyper": int, "step": int, "first": int}
Sgd = record(w=int, g=int, **TURN, **SHARE)
Momentum = record(w=int, g=int, v=int, **TURN, **SHARE)
Adam = record(w=int, g=int, m=int, v=int, **TURN, **SHARE)

UNIT = 1024  # numbers in an item of a parameter whose gradient comes from outside


@functools.cache
def share_of(real: type):
    """share(address, a, line, first, last): what the items [first, last) hold of a line, as an array."""
    at, move = AT[real], MOVE[real]

    @inline(real.__name__)
    def share(address, a, line, first, last):
        begin = first * a.unit
        return carray(move(at(address), line * a.stride + begin), (min(last * a.unit, a.length) - begin,))

    return share


@inline()
def step_of(a):
    """The number of this step."""
    return carray(int64_at(a.step), (1,))[0]


@inline()
def settings_of(a, count):
    """The step's row of the table `hyper`, whose row 0 is that of step `first`."""
    row = step_of(a) - carray(int64_at(a.first), (1,))[0]
    return carray(float64_at(a.hyper + 8 * row * count), (count,))


@functools.cache
def sgd_kernel(real: type):
    """w -= lr * g."""
    share = share_of(real)

    @kernel(Sgd, real.__name__, f"sgd {real.__name__}")
    def sgd_of(arguments, first, last, worker):
        a = only(arguments)
        hyper = settings_of(a, 2)
        learning_rate, decay = real(hyper[0]), real(hyper[1])
        for line in range(a.lines):
            w, g = share(a.w, a, line, first, last), share(a.g, a, line, first, last)
            for i in range(w.size):
                w[i] -= learning_rate * (g[i] + decay * w[i])

    return sgd_of


@functools.cache
def momentum_kernel(real: type):
    """v = beta * v + g; w -= lr * v."""
    share = share_of(real)

    @kernel(Momentum, real.__name__, f"momentum {real.__name__}")
    def momentum_of(arguments, first, last, worker):
        a = only(arguments)
        hyper = settings_of(a, 3)
        learning_rate, beta, decay = real(hyper[0]), real(hyper[1]), real(hyper[2])
        for line in range(a.lines):
            w, g, v = share(a.w, a, line, first, last), share(a.g, a, line, first, last), share(a.v, a, line, first, last)
            for i in range(w.size):
                velocity = beta * v[i] + (g[i] + decay * w[i])
                v[i] = velocity
                w[i] -= learning_rate * velocity

    return momentum_of


@exact
def adam_move(m, v, step_size, scale, epsilon):
    """step_size * m / (scale * sqrt(v) + epsilon), with a division and a root that are exact: an estimate of m / infinity is NaN."""
    return step_size * m / (scale * np.sqrt(v) + epsilon)


@functools.cache
def adam_kernel(real: type):
    """Means m of the gradient and v of its square; w moves by m over the root of v, both corrected for their start at zero."""
    share = share_of(real)

    @kernel(Adam, real.__name__, f"adam {real.__name__}")
    def adam_of(arguments, first, last, worker):
        a = only(arguments)
        hyper, step = settings_of(a, 5), float(step_of(a))
        beta1, rest1, beta2, rest2 = real(hyper[1]), real(1.0 - hyper[1]), real(hyper[2]), real(1.0 - hyper[2])
        step_size = real(hyper[0] / (1.0 - math.pow(hyper[1], step)))
        scale, epsilon = real(1.0 / math.sqrt(1.0 - math.pow(hyper[2], step))), real(hyper[3])
        decay = real(hyper[4])
        for line in range(a.lines):
            w, g = share(a.w, a, line, first, last), share(a.g, a, line, first, last)
            m, v = share(a.m, a, line, first, last), share(a.v, a, line, first, last)
            for i in range(w.size):
                gradient = g[i] + decay * w[i]
                mean = beta1 * m[i] + rest1 * gradient
                square = beta2 * v[i] + rest2 * (gradient * gradient)
                m[i], v[i] = mean, square
                w[i] -= adam_move(mean, square, step_size, scale, epsilon)

    return adam_of


def layout_of(program: Program, g: np.ndarray) -> Layout:
    """The items of the row that wrote the gradient, so that the same task goes on with them."""
    for row in reversed(program.rows):
        if isinstance(row, Row) and row.over == "parameters" and row.layout is not None and memory_of(g) in row.written():
            return row.layout
    return Layout(1, g.size, g.size, UNIT)


def update_row(
    program: Program, factory: Callable[..., Any], record_type: np.dtype, writes: tuple[str, ...], cost: float, **arrays: Any
) -> None:
    """Write an update down; cost: cycles a number."""
    layout = layout_of(program, arrays["g"])
    program.row(
        factory, {"real": arrays["w"].dtype.type}, record_type, writes, "parameters", layout, cost, **arrays,
        lines=layout.lines, stride=layout.stride, length=layout.length, unit=layout.unit,
    )  # fmt: skip


def sgd(program: Program, w: np.ndarray, g: np.ndarray, hyper: np.ndarray, step: np.ndarray, first: np.ndarray) -> None:
    """w -= lr * g; hyper: rows of (lr, weight decay), as of the others."""
    update_row(program, sgd_kernel, Sgd, ("w",), 1.0, w=w, g=g, hyper=hyper, step=step, first=first)


def momentum(program: Program, w: np.ndarray, g: np.ndarray, v: np.ndarray, hyper: np.ndarray, step: np.ndarray, first: np.ndarray) -> None:
    """v = beta * v + g, w -= lr * v; hyper: rows of (lr, beta, weight decay)."""
    update_row(program, momentum_kernel, Momentum, ("w", "v"), 1.5, w=w, g=g, v=v, hyper=hyper, step=step, first=first)


def adam(
    program: Program, w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, hyper: np.ndarray, step: np.ndarray, first: np.ndarray
) -> None:
    """Adam at step number step[0], counted from 1; hyper: rows of (lr, beta1, beta2, eps, weight decay)."""
    update_row(program, adam_kernel, Adam, ("w", "m", "v"), 4.0, w=w, g=g, m=m, v=v, hyper=hyper, step=step, first=first)


LOWERINGS: dict[str, Callable[..., None]] = {"sgd": sgd, "momentum": momentum, "adam": adam}
