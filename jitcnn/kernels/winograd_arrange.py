"""U of Winograd's convolution, made of the weights: for each value of a filter a matrix (in, filters), in panels of a tile's columns."""

import functools
from typing import NamedTuple

import numpy as np

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import only, record
from jitcnn.kernels.rows import Layout
from jitcnn.kernels.winograd_transforms import make_transform

SHARED_SIZE = 2**10  # more pairs of channels are worth several threads

Weights = record(
    w=int, u=int, scratch=int, channels=int, filters=int, wide=int, panel=int, channel=int, row=int, column=int, shared=int
)  # fmt: skip


class Places(NamedTuple):
    """Where U lies: filters in a panel; numbers from one panel, channel, row and column of a filter's values to the next."""

    wide: int
    panel: int
    channel: int
    row: int
    column: int


@functools.cache
def weights_kernel(real: type, name: str, lanes: int, masked: bool, turned: bool):
    """U from w (3, 3, C, O) by the map `name`.

    turned: rows and columns backwards, in: O, filters: C.  shared: only vectors of filters first to last are done.
    """
    move, at, zero = MOVE[real], AT[real], real(0)
    itemsize = np.dtype(real).itemsize
    transform = make_transform(name, real, lanes, "")
    last_transform = make_transform(name, real, lanes, "source") if masked else transform

    @inline((real.__name__, lanes, masked, turned))
    def turn(block, source, plane, row, outputs, inputs):
        """block (in, 9, lanes) = the taps backwards of a square of weights, its rows as columns; zeros for missing outputs."""
        for tap in range(9):
            for o in range(lanes):
                line = move(source, (8 - tap) * plane + o * row)
                for i in range(inputs):
                    value = zero
                    if o < outputs:
                        value = line[i]
                    block[(i * 9 + tap) * lanes + o] = value

    @kernel(Weights, (real.__name__, name, lanes, masked, turned), f"Winograd's {name} {lanes} {real.__name__}")
    def weights(arguments, first, last, worker):
        a = only(arguments)
        inputs, outputs = (a.filters, a.channels) if turned else (a.channels, a.filters)
        begin, end = (first * lanes, min(last * lanes, outputs)) if a.shared else (0, outputs)
        w, u, block = at(a.w), at(a.u), at(a.scratch + worker * 9 * lanes * lanes * itemsize)
        plane = a.channels * a.filters
        for k in range(begin, end, lanes):
            panel = move(u, k // a.wide * a.panel + k % a.wide)
            for start in range(0, inputs, lanes):
                count = min(lanes, inputs - start)
                if turned:
                    turn(block, move(w, k * a.filters + start), plane, a.filters, min(lanes, outputs - k), count)
                for c in range(start, start + count):
                    target = move(panel, c * a.channel)
                    if turned:
                        transform(move(block, (c - start) * 9 * lanes), 3 * lanes, lanes, target, a.row, a.column, lanes)
                    elif k + lanes <= outputs:
                        transform(move(w, c * a.filters + k), 3 * plane, plane, target, a.row, a.column, lanes)
                    elif masked:
                        last_transform(move(w, c * a.filters + k), 3 * plane, plane, target, a.row, a.column, outputs - k)

    return weights


def arranged_weights(program: Program, w: np.ndarray, turned: bool, name: str, lanes: int, places: Places, size: int) -> Buffer:
    """Write down what makes U, of `size` numbers, of the weights by the map `name`; done again whenever they change."""
    *_, channels, filters = w.shape
    inputs, outputs = (filters, channels) if turned else (channels, filters)
    real = w.dtype.type
    u = program.whole((1, size), real)
    scratch = program.whole((program.threads or 1, 9 * lanes**2), real)
    layout = Layout(1, outputs, outputs, lanes) if channels * filters > SHARED_SIZE else None
    masked = outputs % lanes != 0 and not turned
    program.row(
        weights_kernel, {"real": real, "name": name, "lanes": lanes, "masked": masked, "turned": turned},
        Weights, ("u", "scratch"), "once", layout, 40.0 * inputs,
        w=w, u=u, scratch=scratch, channels=channels, filters=filters, shared=layout is not None, **places._asdict(),
    )  # fmt: skip
    return u
