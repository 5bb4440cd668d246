"""Weights of a convolution as its tile wants them: turned for the gradient of the input, widened for groups of outputs, in panels.

A group of neighbouring outputs, in a line or in two, is computed together, as if it were one output with that many times the filters,
whose kernel is as large as all their windows: each output of the group takes its own part of it and has zeros in the others.

    one filter, three columns, outputs p and p+1        column      0  1  2  3
                                                        p           a  b  c  0
                                                        p+1         0  a  b  c

A panel holds the weights of as many filters as a tile has columns, in the order in which the tile reads them.
"""

import functools

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import only, record
from jitcnn.kernels.rows import Layout
from jitcnn.kernels.tiling import Outputs

Arrange = record(
    w=int, arranged=int, kernel_h=int, kernel_w=int, channels=int, filters=int, stride_h=int, stride_w=int,
    group_h=int, group_w=int, spread_h=int, spread_w=int, wide=int, turned=int, shared=int,
)  # fmt: skip


@functools.cache
def arrange_kernel(real: type):
    """w (kh, kw, C, O) -> for each phase (kernel row % stride, kernel column % stride), (panels, rows, columns, in, filters of a panel).

    turned: rows and columns backwards, in: O, out: C; otherwise in: C, out: O.  spread: pixels from one output's window to the next's.
    shared: only taps first to last are done, counted over all phases.
    """
    at, move, zero = AT[real], MOVE[real], real(0)

    @inline(real.__name__)
    def arrange_tap(a, target, tap, inputs, outputs, group, panel):
        """One tap of one output of a group: (in, out), or zeros where `tap` is negative."""
        w, arranged = at(a.w), at(a.arranged)
        for k in range(inputs):
            done = 0
            while done < outputs:
                column = group * outputs + done
                count = min(outputs - done, a.wide - column % a.wide)
                to = carray(move(arranged, target + column // a.wide * panel + k * a.wide + column % a.wide), (count,))
                if tap < 0:
                    for o in range(count):
                        to[o] = zero
                elif a.turned:
                    for o in range(count):
                        to[o] = move(w, (tap + done + o) * a.filters + k)[0]
                else:
                    source = carray(move(w, (tap + k) * a.filters + done), (count,))
                    for o in range(count):
                        to[o] = source[o]
                done += count

    @kernel(Arrange, real.__name__, f"arranged weights {real.__name__}")
    def arrange_weights(arguments, first, last, worker):
        a = only(arguments)
        inputs, outputs = (a.filters, a.channels) if a.turned else (a.channels, a.filters)
        panels = (a.group_h * a.group_w * outputs + a.wide - 1) // a.wide
        start, item = 0, 0
        for phase_h in range(a.stride_h):
            for phase_w in range(a.stride_w):
                rows = (a.kernel_h - phase_h + a.stride_h - 1) // a.stride_h
                columns = (a.kernel_w - phase_w + a.stride_w - 1) // a.stride_w
                if rows <= 0 or columns <= 0:
                    continue
                tall, broad = rows + (a.group_h - 1) * a.spread_h, columns + (a.group_w - 1) * a.spread_w
                panel = tall * broad * inputs * a.wide
                for s in range(tall):
                    for t in range(broad):
                        if not a.shared or first <= item < last:
                            for q in range(a.group_h * a.group_w):
                                i, j = s - q // a.group_w * a.spread_h, t - q % a.group_w * a.spread_w
                                row = phase_h + (rows - 1 - i if a.turned else i) * a.stride_h
                                column = phase_w + (columns - 1 - j if a.turned else j) * a.stride_w
                                tap = (row * a.kernel_w + column) * a.channels if 0 <= i < rows and 0 <= j < columns else -1
                                arrange_tap(a, start + (s * broad + t) * inputs * a.wide, tap, inputs, outputs, q, panel)
                        item += 1
                start += panel * panels

    return arrange_weights


SHARED_SIZE = 2**14  # more numbers are worth several threads


def arrange(
    program: Program, w: np.ndarray, strides: tuple[int, int], outputs: Outputs, spread: tuple[int, int], turned: bool = False
) -> Buffer:
    """Write down what arranges the weights, one phase after the other; done again whenever they change."""
    kernel_h, kernel_w, channels, filters = w.shape
    counts = [[-(-(size - phase) // stride) for phase in range(min(stride, size))] for size, stride in zip(w.shape, strides, strict=False)]
    rows, columns = (
        sum(count + (group - 1) * apart for count in taps)
        for taps, group, apart in zip(counts, (outputs.group_h, outputs.group_w), spread, strict=True)
    )
    size = rows * columns * (filters if turned else channels) * outputs.panels * outputs.panel
    arranged = program.whole((1, size), w.dtype)
    layout = Layout(1, rows * columns, rows * columns, 1) if size > SHARED_SIZE else None
    program.row(
        arrange_kernel, {"real": w.dtype.type}, Arrange, ("arranged",), "once", layout, 2 * size / (rows * columns),
        w=w, arranged=arranged, kernel_h=kernel_h, kernel_w=kernel_w, channels=channels, filters=filters,
        stride_h=strides[0], stride_w=strides[1], group_h=outputs.group_h, group_w=outputs.group_w, spread_h=spread[0], spread_w=spread[1],
        wide=outputs.panel, turned=turned, shared=layout is not None,
    )  # fmt: skip
    return arranged


Repeat = record(b=int, repeated=int, filters=int, group=int)


@functools.cache
def repeat_kernel(real: type):
    """A bias once for each output of a group."""
    at, move = AT[real], MOVE[real]

    @kernel(Repeat, real.__name__, f"repeated bias {real.__name__}")
    def repeat_bias(arguments, first, last, worker):
        a = only(arguments)
        for i in range(a.group * a.filters):
            move(at(a.repeated), i)[0] = move(at(a.b), i % a.filters)[0]

    return repeat_bias


def repeat(program: Program, b: np.ndarray, group: int) -> Buffer:
    """Write down what repeats a bias; done again whenever it changes."""
    repeated = program.whole((1, group * b.size), b.dtype)
    key = {"real": b.dtype.type}
    program.row(repeat_kernel, key, Repeat, ("repeated",), over="once", b=b, repeated=repeated, filters=b.size, group=group)
    return repeated
