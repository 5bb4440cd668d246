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
OneState = record(w=int, g=int, v=int, **TURN, **SHARE)
Adam = record(w=int, g=int, m=int, v=int, **TURN, **SHARE)
Adadelta = record(w=int, g=int, v=int, u=int, **TURN, **SHARE)
Adamax = record(w=int, g=int, m=int, u=int, **TURN, **SHARE)

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
def momentum_kernel(real: type, ahead: bool = False):
    """v = beta * v + g; w -= lr * v.

    ahead: w -= lr * (g + beta * v), as if the step ahead had been taken already (Nesterov's momentum).
    """
    share, name = share_of(real), "nesterov" if ahead else "momentum"

    @kernel(OneState, (real.__name__, ahead), f"{name} {real.__name__}")
    def momentum_of(arguments, first, last, worker):
        a = only(arguments)
        hyper = settings_of(a, 3)
        learning_rate, beta, decay = real(hyper[0]), real(hyper[1]), real(hyper[2])
        for line in range(a.lines):
            w, g, v = share(a.w, a, line, first, last), share(a.g, a, line, first, last), share(a.v, a, line, first, last)
            for i in range(w.size):
                gradient = g[i] + decay * w[i]
                velocity = beta * v[i] + gradient
                v[i] = velocity
                w[i] -= learning_rate * (gradient + beta * velocity if ahead else velocity)

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


@functools.cache
def adamw_kernel(real: type):
    """Adam whose weight decay is no part of the gradient: w -= lr * decay * w before."""
    share = share_of(real)

    @kernel(Adam, real.__name__, f"adamw {real.__name__}")
    def adamw_of(arguments, first, last, worker):
        a = only(arguments)
        hyper, step = settings_of(a, 5), float(step_of(a))
        beta1, rest1, beta2, rest2 = real(hyper[1]), real(1.0 - hyper[1]), real(hyper[2]), real(1.0 - hyper[2])
        step_size = real(hyper[0] / (1.0 - math.pow(hyper[1], step)))
        scale, epsilon = real(1.0 / math.sqrt(1.0 - math.pow(hyper[2], step))), real(hyper[3])
        kept = real(1.0 - hyper[0] * hyper[4])
        for line in range(a.lines):
            w, g = share(a.w, a, line, first, last), share(a.g, a, line, first, last)
            m, v = share(a.m, a, line, first, last), share(a.v, a, line, first, last)
            for i in range(w.size):
                mean = beta1 * m[i] + rest1 * g[i]
                square = beta2 * v[i] + rest2 * (g[i] * g[i])
                m[i], v[i] = mean, square
                w[i] = kept * w[i] - adam_move(mean, square, step_size, scale, epsilon)

    return adamw_of


@functools.cache
def rmsprop_kernel(real: type):
    """v: mean of the squared gradients; w -= lr * g / (sqrt(v) + eps)."""
    share, one = share_of(real), real(1)

    @kernel(OneState, real.__name__, f"rmsprop {real.__name__}")
    def rmsprop_of(arguments, first, last, worker):
        a = only(arguments)
        hyper = settings_of(a, 4)
        learning_rate, alpha, rest = real(hyper[0]), real(hyper[1]), real(1.0 - hyper[1])
        epsilon, decay = real(hyper[2]), real(hyper[3])
        for line in range(a.lines):
            w, g, v = share(a.w, a, line, first, last), share(a.g, a, line, first, last), share(a.v, a, line, first, last)
            for i in range(w.size):
                gradient = g[i] + decay * w[i]
                square = alpha * v[i] + rest * (gradient * gradient)
                v[i] = square
                w[i] -= adam_move(gradient, square, learning_rate, one, epsilon)

    return rmsprop_of


@functools.cache
def adagrad_kernel(real: type):
    """v: sum of the squared gradients; w -= lr * g / (sqrt(v) + eps)."""
    share, one = share_of(real), real(1)

    @kernel(OneState, real.__name__, f"adagrad {real.__name__}")
    def adagrad_of(arguments, first, last, worker):
        a = only(arguments)
        hyper = settings_of(a, 3)
        learning_rate, epsilon, decay = real(hyper[0]), real(hyper[1]), real(hyper[2])
        for line in range(a.lines):
            w, g, v = share(a.w, a, line, first, last), share(a.g, a, line, first, last), share(a.v, a, line, first, last)
            for i in range(w.size):
                gradient = g[i] + decay * w[i]
                square = v[i] + gradient * gradient
                v[i] = square
                w[i] -= adam_move(gradient, square, learning_rate, one, epsilon)

    return adagrad_of


@exact
def adadelta_move(g, v, u, epsilon):
    """sqrt(u + epsilon) / sqrt(v + epsilon) * g."""
    return np.sqrt(u + epsilon) / np.sqrt(v + epsilon) * g


@functools.cache
def adadelta_kernel(real: type):
    """v, u: means of the squared gradients and of the squared moves; w moves by g in the units of w."""
    share = share_of(real)

    @kernel(Adadelta, real.__name__, f"adadelta {real.__name__}")
    def adadelta_of(arguments, first, last, worker):
        a = only(arguments)
        hyper = settings_of(a, 4)
        learning_rate, rho, rest = real(hyper[0]), real(hyper[1]), real(1.0 - hyper[1])
        epsilon, decay = real(hyper[2]), real(hyper[3])
        for line in range(a.lines):
            w, g = share(a.w, a, line, first, last), share(a.g, a, line, first, last)
            v, u = share(a.v, a, line, first, last), share(a.u, a, line, first, last)
            for i in range(w.size):
                gradient = g[i] + decay * w[i]
                square = rho * v[i] + rest * (gradient * gradient)
                move = adadelta_move(gradient, square, u[i], epsilon)
                v[i], u[i] = square, rho * u[i] + rest * (move * move)
                w[i] -= learning_rate * move

    return adadelta_of


@exact
def adamax_move(m, u, step_size):
    """step_size * m / u."""
    return step_size * m / u


@functools.cache
def adamax_kernel(real: type):
    """m: mean of the gradients; u: their largest size, which fades; w moves by m over u."""
    share = share_of(real)

    @kernel(Adamax, real.__name__, f"adamax {real.__name__}")
    def adamax_of(arguments, first, last, worker):
        a = only(arguments)
        hyper, step = settings_of(a, 5), float(step_of(a))
        beta1, rest1, beta2 = real(hyper[1]), real(1.0 - hyper[1]), real(hyper[2])
        step_size, epsilon, decay = real(hyper[0] / (1.0 - math.pow(hyper[1], step))), real(hyper[3]), real(hyper[4])
        for line in range(a.lines):
            w, g = share(a.w, a, line, first, last), share(a.g, a, line, first, last)
            m, u = share(a.m, a, line, first, last), share(a.u, a, line, first, last)
            for i in range(w.size):
                gradient = g[i] + decay * w[i]
                mean, largest = beta1 * m[i] + rest1 * gradient, max(abs(gradient) + epsilon, beta2 * u[i])
                m[i], u[i] = mean, largest
                w[i] -= adamax_move(mean, largest, step_size)

    return adamax_of


def writer_of(program: Program, g: np.ndarray) -> Row | None:
    """The row over parameters that wrote the gradient, whose task goes on with the same items."""
    for row in reversed(program.rows):
        if isinstance(row, Row) and row.over == "parameters" and row.layout is not None and memory_of(g) in row.written():
            return row
    return None


def lowering(factory: Callable[..., Any], record_type: np.dtype, cost: float, **variant: bool) -> Callable[..., None]:
    """What writes an update down; its arguments are the record's first fields. cost: cycles a number."""
    names = [name for name in record_type.names or () if name not in SHARE]
    writes = tuple(name for name in names if name not in ("g", *TURN))

    def write(program: Program, *arrays: np.ndarray) -> None:
        fields: dict[str, Any] = dict(zip(names, arrays, strict=True))
        writer = writer_of(program, fields["g"])
        layout = writer.layout if writer and writer.layout else Layout(1, fields["g"].size, fields["g"].size, UNIT)
        if writer and "moved" in writer.fields:
            writer.fields["moved"] = fields["w"]
        program.row(
            factory, {"real": fields["w"].dtype.type, **variant}, record_type, writes, "parameters", layout, cost, **fields,
            lines=layout.lines, stride=layout.stride, length=layout.length, unit=layout.unit,
        )  # fmt: skip

    return write


LOWERINGS: dict[str, Callable[..., None]] = {
    "sgd": lowering(sgd_kernel, Sgd, 1.0),
    "momentum": lowering(momentum_kernel, OneState, 1.5),
    "nesterov": lowering(momentum_kernel, OneState, 1.5, ahead=True),
    "rmsprop": lowering(rmsprop_kernel, OneState, 4.0),
    "adagrad": lowering(adagrad_kernel, OneState, 4.0),
    "adadelta": lowering(adadelta_kernel, Adadelta, 6.0),
    "adam": lowering(adam_kernel, Adam, 4.0),
    "adamax": lowering(adamax_kernel, Adamax, 3.0),
    "adamw": lowering(adamw_kernel, Adam, 4.0),
}
