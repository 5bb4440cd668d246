"""Gradient of the weights the way of Winograd: a patch's 6x6 inputs meet its 4x4 gradients in 36 products.

For each of the 36 values, S[e] (C, filters) adds up inputs' values times gradients' values over the patches of a slot of images; in the
end slots are added up in their order and brought back to 3x3 taps.  Where S is small, a few images at a time are added, between the
layers before and behind; a large one is read and written less often, for lines of patches of all images of its slot.  Where slots would
be larger than the images, as in late layers, a task owns filters instead, over the whole batch: each transforms all inputs anew.
"""

import functools

import numpy as np
from numba import carray

from jitcnn.kernels import runner
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import AT, MOVE, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.rows import MOST_SLOTS, Layout
from jitcnn.kernels.slots import filters_are_owned
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import most_rows
from jitcnn.kernels.winograd_patches import (
    PATCH,
    POINTS,
    behind,
    corner,
    filters_wide,
    in_blocks,
    lanes_of,
    make_take,
    multiple,
    plane_of,
    strip_of,
)
from jitcnn.kernels.winograd_transforms import MAPS, make_transform

LARGE_BYTES = 2**20  # sums that do not stay in the second-level cache
LONG_STRIP = 256
SLOTS_BYTES = 2**22  # more is not spent on sums of their own for slots, as long as there are a few
FEWEST_SLOTS = 4

Sums = record(
    x=Images, grad_y=Images, slots=int, size=int, slot_images=int, scratch=int, scratch_size=int, lines=int,
    s_step=int, v_step=int, z_step=int, z_at=int,
    x_top=int, x_left=int, x_height=int, x_width=int, height=int, width=int, down=int, across=int, strip=int,
    channels=int, channels_wide=int, filters=int, filters_wide=int, batch=int, filters_of_task=int,
)  # fmt: skip


@functools.cache
def sums_kernel(real: type, rows: int, vectors: int, lanes: int, out_masked: bool, in_lanes: int, in_masked: bool):
    """S of a slot: all of it where lines of patches first to last are the slot's, else images first to last are added.

    Or, where filters_of_task is given, S of all images of the batch for the filters of the tasks first to last.
    """
    shape = Shape(real, 1, rows, vectors, lanes, a_row=1)
    first_tile, tile = make_tile(shape), make_tile(shape._replace(start="load"))
    take, take_gradient = make_take(real, "inputs", 6, in_lanes, in_masked), make_take(real, "gradients", 4, lanes, out_masked)
    pointer, at, move, itemsize = ACCESS[real][1], AT[real], MOVE[real], np.dtype(real).itemsize
    wide = vectors * lanes
    key = (real.__name__, rows, vectors, lanes, out_masked, in_lanes, in_masked)

    @kernel(Sums, key, f"Winograd's sums {rows}x{vectors}x{lanes} {real.__name__}")
    def sums(arguments, first, last, worker):
        a = only(arguments)
        c_wide, o_wide = a.channels_wide, a.filters_wide
        v = at(a.scratch + worker * a.scratch_size * itemsize)
        z, v_step, z_step = move(v, a.z_at), a.v_step, a.z_step
        begin, end = 0, o_wide
        if a.filters_of_task:
            begin, end = first * a.filters_of_task, min(last * a.filters_of_task, o_wide)
            first, last = 0, int64_at(a.batch)[0] * a.down
        first_patch, last_patch, slot_patches = first * a.lines * a.across, last * a.lines * a.across, a.slot_images * a.down * a.across
        slot = at(a.slots + first_patch // slot_patches * a.size * itemsize)
        at_patch = corner(a, first_patch)
        for start in range(first_patch, last_patch, a.strip):
            count = min(a.strip, last_patch - start)
            for p in range(count):
                n, i, j = at_patch
                at_patch = behind(a, at_patch)
                take(
                    pointer(a.x, n, first, worker), a.x.row, a.x_height, a.x_width, a.channels, 0, a.channels, i + a.x_top, j + a.x_left,
                    move(v, p * c_wide), v_step,
                )  # fmt: skip
                take_gradient(
                    pointer(a.grad_y, n, first, worker), a.grad_y.row, a.height, a.width, a.filters, begin, end, i, j,
                    move(z, p * o_wide), z_step,
                )  # fmt: skip
            for e in range(36):
                for k in range(begin, end, wide):
                    for c in range(0, c_wide, rows):
                        s_at, v_at, z_at = move(slot, e * a.s_step + c * o_wide + k), move(v, e * v_step + c), move(z, e * z_step + k)
                        if start % slot_patches == 0:
                            first_tile(s_at, 0, o_wide, v_at, 0, 0, 0, c_wide, z_at, 0, o_wide, 0, 1, count, v, 0, 0, wide, 0, 0)
                        else:
                            tile(s_at, 0, o_wide, v_at, 0, 0, 0, c_wide, z_at, 0, o_wide, 0, 1, count, v, 0, 0, wide, 0, 0)

    return sums


Total = record(
    slots=int, size=int, batch=int, slot_images=int, total=int, step=int, channels=int, channels_wide=int, filters=int, filters_wide=int,
    filters_of_task=int,
)  # fmt: skip


@functools.cache
def total_kernel(real: type, name: str, lanes: int, masked: bool):
    """Taps (3, 3, C, O), by the map `name`, from the slots in use.

    Of channels first to last, or if filters_of_task is given of the filters of the tasks first to last.
    """
    itemsize, at, move = np.dtype(real).itemsize, AT[real], MOVE[real]
    down, along = (each.takes for each in MAPS[name])
    transform = make_transform(name, real, lanes, "")
    last_transform = make_transform(name, real, lanes, "target") if masked else transform

    @kernel(Total, (real.__name__, name, lanes, masked), f"Winograd's {name} {lanes} {real.__name__}")
    def total(arguments, first, last, worker):
        a = only(arguments)
        used = (carray(int64_at(a.batch), (1,))[0] + a.slot_images - 1) // a.slot_images
        plane, step, begin, end = a.channels * a.filters, a.step, 0, a.filters
        if a.filters_of_task:
            begin, end = first * a.filters_of_task, min(last * a.filters_of_task, a.filters)
            first, last = 0, a.channels
        for c in range(first, last):
            for e in range(down * along):
                at_line = e * step + c * a.filters_wide
                line = carray(move(at(a.slots), at_line), (a.filters_wide,))
                for s in range(1, used):
                    other = carray(at(a.slots + (s * a.size + at_line) * itemsize), (a.filters_wide,))
                    for k in range(a.filters_wide):
                        line[k] += other[k]
            for k in range(begin, end, lanes):
                source, target = move(at(a.slots), c * a.filters_wide + k), move(at(a.total), c * a.filters + k)
                if k + lanes <= a.filters:
                    transform(source, along * step, step, target, 3 * plane, plane, lanes)
                elif masked:
                    last_transform(source, along * step, step, target, 3 * plane, plane, a.filters - k)

    return total


def sum_up(
    program: Program, grad_w: np.ndarray, name: str, lanes: int, slots: Buffer, slot_images: int, step: int,
    channels_wide: int, filters_wide: int, filters_of_task: int = 0,
) -> None:  # fmt: skip
    """Write down the total of slots, brought back to taps; `step`: numbers from one value to the next."""
    *_, channels, filters = grad_w.shape
    plane = channels * filters
    layout = Layout(9 * channels, filters, filters, filters_of_task) if filters_of_task else Layout(9, plane, plane, filters)
    program.row(
        total_kernel, {"real": grad_w.dtype.type, "name": name, "lanes": lanes, "masked": filters % lanes != 0},
        Total, ("total",), "parameters", layout, slots.size / step / 9,
        slots=slots, size=slots.shape[1], slot_images=slot_images, batch=program.counters[runner.BATCH : runner.BATCH + 1], total=grad_w,
        step=step, filters_of_task=filters_of_task,
        channels=channels, channels_wide=channels_wide, filters=filters, filters_wide=filters_wide,
    )  # fmt: skip


def slot_images_of(batch: int, slot_bytes: int) -> int:
    """Images in a slot: as many slots as there are otherwise, or fewer where their sums take much memory."""
    slots = next(
        slots for slots in (MOST_SLOTS, MOST_SLOTS // 2, FEWEST_SLOTS) if slots * slot_bytes <= SLOTS_BYTES or slots == FEWEST_SLOTS
    )
    return -(-batch // slots)


def grad_weights(program: Program, grad_y: Buffer, x: Buffer, grad_w: np.ndarray, top: int, left: int) -> None:
    """Write down the sums of each slot, then their total."""
    *_, channels, filters = grad_w.shape
    real = x.dtype.type
    columns, in_lanes = filters_wide(real, filters), lanes_of(real, channels)
    c_wide, o_wide = multiple(channels, in_lanes), multiple(filters, columns.wide)
    rows = max(n for n in range(1, most_rows(columns.vectors) + 1) if c_wide % n == 0)
    step = plane_of(real, c_wide * o_wide)
    size = POINTS * step  # of a slot
    patches = in_blocks(program, x, grad_y, size * real().itemsize, LARGE_BYTES)
    slot_images = program.slot_images if patches else slot_images_of(program.batch, size * real().itemsize)
    panels = o_wide // columns.wide
    owned = not patches and filters_are_owned(program, -(-program.batch // slot_images), size, (x, grad_y), panels)
    filters_of_task = -(-panels // (program.threads or 1)) * columns.wide if owned else 0
    if owned:
        slot_images = program.batch
    down, across = (-(-length // PATCH) for length in grad_y.shape[1:3])
    strip = strip_of(1, POINTS * (c_wide + o_wide) * real().itemsize, 0, patches)
    if size * real().itemsize > LARGE_BYTES:  # what a strip adds to is read and written less often for longer strips
        strip = max(strip, min(LONG_STRIP, slot_images * down * across))
    v_step, z_step = plane_of(real, strip * c_wide), plane_of(real, strip * o_wide)
    starts = np.cumsum([0, POINTS * v_step, POINTS * z_step])
    scratch = program.scratch(int(starts[-1]), real)
    slots = program.whole((-(-program.batch // slot_images), size), real)
    shape = {"channels": channels, "channels_wide": c_wide, "filters": filters, "filters_wide": o_wide}
    masked, batch = filters % columns.lanes != 0, program.counters[runner.BATCH : runner.BATCH + 1]
    layout = Layout(9 * channels, filters, filters, filters_of_task) if owned else None
    program.row(
        sums_kernel,
        {
            "real": real, "rows": rows, "vectors": columns.vectors, "lanes": columns.lanes, "out_masked": masked,
            "in_lanes": in_lanes, "in_masked": channels % in_lanes != 0,
        },
        Sums, ("slots", "scratch"), "parameters" if owned else "images" if patches else "batch", layout,
        program.batch * down * across * POINTS / 9 / 16, items=down, slot=slot_images,
        lines=down if patches else 1, x=x, grad_y=grad_y, slots=slots, size=size, slot_images=slot_images,
        scratch=scratch, scratch_size=scratch.shape[1], s_step=step, v_step=v_step, z_step=z_step, z_at=starts[1],
        x_top=-top, x_left=-left, x_height=x.shape[1], x_width=x.shape[2], height=grad_y.shape[1], width=grad_y.shape[2],
        down=down, across=across, strip=strip, batch=batch, filters_of_task=filters_of_task, **shape,
    )  # fmt: skip
    sum_up(program, grad_w, "weight sums", columns.lanes, slots, slot_images, step, c_wide, o_wide, filters_of_task)
