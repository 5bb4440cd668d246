"""U of Winograd's convolution, made of the weights: for each of the 36 values a matrix (in, filters), in panels of the tile's columns."""

import functools

import numpy as np

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import only, record
from jitcnn.kernels.rows import Layout
from jitcnn.kernels.winograd_patches import POINTS, filters_wide, multiple, plane_of
from jitcnn.kernels.winograd_transforms import make_transform

SHARED_SIZE = 2**10  # more pairs of channels are worth several threads

Weights = record(w=int, u=int, scratch=int, channels=int, filters=int, wide=int, step=int, shared=int)


@functools.cache
def weights_kernel(real: type, lanes: int, masked: bool, turned: bool):
    """U[e] (in, filters in panels of the tile's columns) from w (3, 3, C, O).

    turned: rows and columns backwards, in: O, filters: C.  shared: only vectors of filters first to last are done.
    """
    move, at, zero = MOVE[real], AT[real], real(0)
    itemsize = np.dtype(real).itemsize
    transform = make_transform("weights", real, lanes, "")
    last_transform = make_transform("weights", real, lanes, "source") if masked else transform

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

    @kernel(Weights, (real.__name__, lanes, masked, turned), f"Winograd's weights {lanes} {real.__name__}")
    def weights(arguments, first, last, worker):
        a = only(arguments)
        inputs, outputs = (a.filters, a.channels) if turned else (a.channels, a.filters)
        begin, end = (first * lanes, min(last * lanes, outputs)) if a.shared else (0, outputs)
        w, u, block = at(a.w), at(a.u), at(a.scratch + worker * 9 * lanes * lanes * itemsize)
        plane = a.channels * a.filters
        for k in range(begin, end, lanes):
            panel = move(u, k // a.wide * a.wide * inputs + k % a.wide)
            for start in range(0, inputs, lanes):
                count = min(lanes, inputs - start)
                if turned:
                    turn(block, move(w, k * a.filters + start), plane, a.filters, min(lanes, outputs - k), count)
                for c in range(start, start + count):
                    target = move(panel, c * a.wide)
                    if turned:
                        transform(move(block, (c - start) * 9 * lanes), 3 * lanes, lanes, target, 6 * a.step, a.step, lanes)
                    elif k + lanes <= outputs:
                        transform(move(w, c * a.filters + k), 3 * plane, plane, target, 6 * a.step, a.step, lanes)
                    elif masked:
                        last_transform(move(w, c * a.filters + k), 3 * plane, plane, target, 6 * a.step, a.step, outputs - k)

    return weights


def arranged_weights(program: Program, w: np.ndarray, turned: bool) -> Buffer:
    """Write down what makes U of the weights; done again whenever they change."""
    *_, channels, filters = w.shape
    inputs, outputs = (filters, channels) if turned else (channels, filters)
    real = w.dtype.type
    columns = filters_wide(real, outputs)
    step = plane_of(real, inputs * multiple(outputs, columns.wide))
    u = program.whole((1, POINTS * step), real)
    scratch = program.whole((program.threads or 1, 9 * columns.lanes**2), real)
    layout = Layout(1, outputs, outputs, columns.lanes) if channels * filters > SHARED_SIZE else None
    masked = outputs % columns.lanes != 0
    program.row(
        weights_kernel, {"real": real, "lanes": columns.lanes, "masked": masked and not turned, "turned": turned},
        Weights, ("u", "scratch"), "once", layout, 40.0 * inputs,
        w=w, u=u, scratch=scratch, channels=channels, filters=filters, wide=columns.wide, step=step, shared=layout is not None,
    )  # fmt: skip
    return u
