"""Gradient of the weights the way of Winograd's F(4x2, 3x3), for few channels: a patch's 6x4 inputs meet its 4x2 gradients in 24 products.

Sums of the 24 values of all channels and of a vector of filters stay in registers, two rows of values and a few channels at a time, for
some lines of patches; in the end slots are added up in their order and brought back to 3x3 taps.
"""

import functools

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Border, Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.vectors import full_lanes, processor
from jitcnn.kernels.winograd_patches import multiple, plane_of
from jitcnn.kernels.winograd_small import zeros_of
from jitcnn.kernels.winograd_small_tiles import ALONG, COLUMNS, DOWN, LINES, ROWS, Sums, make_sums, make_take_lines
from jitcnn.kernels.winograd_weights import sum_up

V_BYTES = 2**14  # of some lines of patches, in the first-level cache beside their gradients

#: top, left: pixels in front of the image at which the first patch begins.  groups: of lines, of which V is kept; line, group: numbers
#: from one line of V to the next, and to those of the next patches.  zeros: a row.  step, channels_wide, filters_wide: of the sums.
AddSums = record(
    x=Images, grad_y=Images, slots=int, size=int, slot_images=int, scratch=int, scratch_size=int, line=int, group=int, groups=int,
    zeros=int, top=int, left=int, x_height=int, x_width=int, height=int, across=int, filters=int, step=int,
    channels_wide=int, filters_wide=int,
)  # fmt: skip


@functools.cache
def sums_kernel(shape: Sums, masked: bool):
    """Adds the sums of each image to its slot; masked: filters do not fill the last vector."""
    real, lanes, channels, block = shape.real, shape.lanes, shape.channels, shape.block
    add, add_last, take_lines = make_sums(shape), make_sums(shape._replace(masked=masked)), make_take_lines(real, lanes)
    pointer, at, move, itemsize, zero = ACCESS[real][1], AT[real], MOVE[real], np.dtype(real).itemsize, real(0)

    @kernel(AddSums, (shape, masked), f"small Winograd's sums {block}x{lanes}, {channels} channels, {real.__name__}")
    def sums(arguments, first, last, worker):
        a = only(arguments)
        v, slot = at(a.scratch + worker * a.scratch_size * itemsize), at(a.slots + first // a.slot_images * a.size * itemsize)
        o, g_row = a.filters, a.grad_y.row
        if first % a.slot_images == 0:
            numbers = carray(slot, (a.size,))
            for i in range(a.size):
                numbers[i] = zero
        for n in range(first, last):
            x, g_image = pointer(a.x, n, first, worker), pointer(a.grad_y, n, first, worker)
            for begin in range(0, a.height, ROWS * a.groups):
                height = min(ROWS * a.groups, a.height - begin)
                for r in range(0, height, ROWS):
                    take_lines(
                        x, a.x.row, begin + r - a.top, a.x_height, a.left * channels, a.x_width * channels, at(a.zeros), channels,
                        move(v, r // ROWS * a.group), a.line, COLUMNS * a.across * channels,
                    )  # fmt: skip
                for k in range(0, o, lanes):
                    g = move(g_image, begin * g_row + k)
                    for c in range(0, a.channels_wide, block):
                        s, values = move(slot, c * a.filters_wide + k), move(v, c)
                        if k + lanes <= o:
                            add(s, a.step, a.filters_wide, values, a.line, a.group, g, g_row, o, height, at(a.zeros), a.across, lanes)
                        elif masked:
                            add_last(s, a.step, a.filters_wide, values, a.line, a.group, g, g_row, o, height, at(a.zeros), a.across, o - k)

    return sums


def channels_of(channels: int) -> int:
    """Channels of a tile: 8 sums each, beside as many values of gradients and what these are made of."""
    most = max(1, (processor().registers - 8) // (2 * ALONG))
    return max(range(1, most + 1), key=lambda block: (-multiple(channels, block), block))


def grad_weights(program: Program, grad_y: Buffer, x: Buffer, grad_w: np.ndarray, top: int, left: int) -> None:
    """Write down the sums of each slot, then their total."""
    *_, channels, filters = grad_w.shape
    height, across = grad_y.shape[1], -(-grad_y.shape[2] // COLUMNS)
    grad_y = program.border(grad_y, Border(right=grad_y.shape[2] % COLUMNS))  # patches behind an odd number of columns reach out
    real = x.dtype.type
    lanes, block = full_lanes(real), channels_of(channels)
    c_wide, o_wide = multiple(channels, block), multiple(filters, lanes)
    line = plane_of(real, COLUMNS * across * channels + c_wide)  # the last block of channels reads some numbers more
    groups = max(1, min(-(-height // ROWS), V_BYTES // (LINES * line * real().itemsize)))
    step = plane_of(real, c_wide * o_wide)
    scratch = program.scratch(groups * LINES * line, real)
    slots = program.whole((program.slots, DOWN * ALONG * step), real)
    shape = Sums(real, block, lanes, channels)
    program.row(
        sums_kernel, {"shape": shape, "masked": filters % lanes != 0}, AddSums, ("slots", "scratch"),
        x=x, grad_y=grad_y, slots=slots, size=slots.shape[1], slot_images=program.slot_images,
        scratch=scratch, scratch_size=scratch.shape[1], line=line, group=LINES * line, groups=groups, zeros=zeros_of(program, x, grad_y),
        top=top, left=left, x_height=x.shape[1], x_width=x.shape[2], height=height, across=across,
        filters=filters, step=step, channels_wide=c_wide, filters_wide=o_wide,
    )  # fmt: skip
    sum_up(program, grad_w, "small weight sums", lanes, slots, program.slot_images, step, c_wide, o_wide)
