"""Gradient of a convolution's weights: sums over pixels and images, kept apart by slots of images.

Each slot of the batch has sums of its own, which are added up in slot order afterwards: so the bits do not depend on which thread
took which slot.  Where slots would be larger than the images, as in late layers, a task owns filters instead, over the whole batch.

Few filters do not fill a vector.  Then neighbouring outputs are taken together, as the filters of a wider kernel (as in
`conv_arrange.py`), and the sums of a tap over the group's outputs, which stand in different columns, are added up in the end.
"""

import functools
from collections.abc import Callable

import numpy as np
from numba import carray

from jitcnn.forms.codes import AUTO
from jitcnn.kernels import runner, winograd_small_weights, winograd_weights
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.conv import image_border, needs_finite, winograd_way
from jitcnn.kernels.pointers import AT, MOVE, PREFETCH, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.rows import Layout
from jitcnn.kernels.slots import filters_are_owned, fold_slots, sum_slots
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import choose_columns, choose_group, choose_taps, choose_unrolled
from jitcnn.kernels.vectors import full_lanes
from jitcnn.kernels.winograd_choice import SMALL

STRIP_PIXELS = 120  # enough that loading and storing the sums is a few percent of the work
SMALL_PIXELS = 240  # smaller images are added up several at a time: that many pixels, since sums of many channels come from far away
STRIP_BYTES = 2**14  # of gradients that are read where they lie; more of them are copied, a tile's columns at a time

GradWeights = record(
    x=Images, grad_y=Images, slots=int, size=int, slot_images=int, x_top=int, x_left=int, stride_h=int, stride_w=int,
    x_height=int, height=int, width=int, kernel_h=int, kernel_w=int, channels=int, filters=int,
    images=int, strip=int, packed=int, packed_size=int, packed_step=int, batch=int, filters_of_task=int,
    total=int, sums_row=int, sums_panel=int,
)  # fmt: skip


@functools.cache
def make_pack(real: type):
    """pack(source, line, pixel, target, step, height, width, count): `count` numbers of each pixel, each `step` behind the last."""
    move = MOVE[real]

    @inline(real.__name__)
    def pack(source, line, pixel, target, step, height, width, count):
        for i in range(height):
            for j in range(width):
                numbers = carray(move(source, i * line + j * pixel), (count,))
                copy = carray(move(target, (i * width + j) * step), (count,))
                for q in range(count):
                    copy[q] = numbers[q]

    return pack


@functools.cache
def make_fetch(real: type, wide: int):
    """fetch(a, image, line, panel, first, last, part, parts): ask memory for the gradients that `pack` takes next, one of so many parts.

    Those of the panel of `wide` filters behind `panel`, or at the last one, before filter `last`, the next strip's of the `first`.
    """
    move, lanes, (prefetch, _) = MOVE[real], full_lanes(real), PREFETCH[real]

    @inline((real.__name__, wide))
    def fetch(a, image, line, panel, first, last, part, parts):
        panel += wide
        if panel >= last:
            line, panel = line + a.strip, first
        height = min(a.strip, a.height - line)
        for i in range(height * part // parts, height * (part + 1) // parts):
            for j in range(a.width):
                for q in range(0, wide, lanes):
                    prefetch(move(image, (line + i) * a.grad_y.row + j * a.filters + panel + q))

    return fetch


@functools.cache
def make_add(shape: Shape, rest: int, last: int, last_lanes: int, masked: bool):
    """add(a, sums, x, x_line, x_pixel, g, g_line, g_pixel, lines, row_is_whole, columns): the sums of a tile over `lines` lines of pixels.

    row_is_whole: whether its rows are all, not `rest`; columns: how many are left, which may be fewer than the tile's.
    """
    rest_shape = shape._replace(groups=1, per_group=max(1, rest))
    tile, rest_tile = make_tile(shape), make_tile(rest_shape)
    last_tile, last_rest_tile = tile, rest_tile
    if last:
        last_tile, last_rest_tile = (make_tile(s._replace(vectors=last, lanes=last_lanes, masked=masked)) for s in (shape, rest_shape))
    taps, wide = shape.taps, shape.vectors * shape.lanes

    @inline((shape, rest, last, last_lanes, masked))
    def add(a, sums, x, x_line, x_pixel, g, g_line, g_pixel, lines, row_is_whole, columns):
        run = a.kernel_w * a.channels
        n_k, group, pixels = a.width // taps, run * a.sums_row, taps * x_pixel
        if row_is_whole:
            if columns >= wide:
                tile(
                    sums, group, a.sums_row, x, a.x.row, 1, x_line, pixels, g, g_line, taps * g_pixel, g_pixel, lines, n_k,
                    sums, 0, 0, wide, 0, 0,
                )  # fmt: skip
            elif last:
                last_tile(
                    sums, group, a.sums_row, x, a.x.row, 1, x_line, pixels, g, g_line, taps * g_pixel, g_pixel, lines, n_k,
                    sums, 0, 0, columns, 0, 0,
                )  # fmt: skip
        elif rest:
            if columns >= wide:
                rest_tile(
                    sums, 0, a.sums_row, x, 0, 1, x_line, pixels, g, g_line, taps * g_pixel, g_pixel, lines, n_k,
                    sums, 0, 0, wide, 0, 0,
                )  # fmt: skip
            elif last:
                last_rest_tile(
                    sums, 0, a.sums_row, x, 0, 1, x_line, pixels, g, g_line, taps * g_pixel, g_pixel, lines, n_k,
                    sums, 0, 0, columns, 0, 0,
                )  # fmt: skip

    return add


@functools.cache
def grad_weights_kernel(
    real: type, groups: int, per_group: int, rest: int, vectors: int, lanes: int, last: int, last_lanes: int, masked: bool,
    taps: int, pixel: int, ahead: str,
):  # fmt: skip
    """Adds each image's sums over pixels of x * grad_y to its slot; or, where filters_of_task is given, those of all images of the batch
    for the filters of the tasks first to last.

    Tile rows are (kernel column, channel in), several kernel rows at once where those are few, `rest` of them in the last tile; columns are
    filters, the last of which take `last` vectors.  A strip of `strip` lines of pixels, which stay in the first-level cache, takes part in
    all sums before the next one does; where its gradients alone are too large for that cache, those of a tile's columns, which are
    copied: with many filters, pixels lie a power of two apart, on few sets of the cache.
    taps: pixels that are written out, `pixel` numbers of x apart, 1 for none.  ahead: "r" where x and gradients are read for few products,
    and have to come from memory while those before are computed.
    """
    shape = Shape(real, groups, per_group, vectors, lanes, "load", a_row=1, taps=taps, a_t=pixel, ahead=ahead)
    pointer, at, move = ACCESS[real][1], AT[real], MOVE[real]
    wide, itemsize, zero = vectors * lanes, np.dtype(real).itemsize, real(0)
    pack, fetch, add = make_pack(real), make_fetch(real, wide), make_add(shape, rest, last, last_lanes, masked)
    key, fetches = (shape, rest, last, last_lanes, masked), ahead != ""

    @kernel(GradWeights, key, f"gradient of weights {groups * per_group}x{vectors}x{lanes} {real.__name__}")
    def grad_weights(arguments, first, last, worker):
        a = only(arguments)
        c, o = a.channels, a.filters
        run = a.kernel_w * c
        begin_filter, end_filter, slot, size = 0, o, at(a.slots), a.size
        if a.filters_of_task:
            begin_filter, end_filter = first * a.filters_of_task, min(last * a.filters_of_task, o)
            slot, size = move(slot, begin_filter // wide * a.sums_panel), (end_filter - begin_filter + wide - 1) // wide * a.sums_panel
            first, last = 0, int64_at(a.batch)[0]
        else:
            slot = move(slot, first // a.slot_images * a.size)
        if first % a.slot_images == 0:
            numbers = carray(slot, (size,))
            for i in range(size):
                numbers[i] = zero
        x_line, x_pixel = a.stride_h * a.x.row, a.stride_w * c
        g_image, g_line, g_pixel, together = a.grad_y.image, a.grad_y.row, o, o
        packed = at(a.packed + worker * a.packed_step * itemsize)
        if a.packed_size:
            g_image, g_line, g_pixel, together = a.packed_size // a.images, a.width * wide, wide, wide
        for n in range(first, last, a.images):
            images = min(a.images, last - n)
            x_image = move(pointer(a.x, n, first, worker), a.x_top * a.x.row + a.x_left * c)
            grad_image = pointer(a.grad_y, n, first, worker)
            for line in range(0, a.height, a.strip):
                height = min(a.strip, a.height - line)
                for begin in range(begin_filter, end_filter, together):
                    if a.packed_size:
                        for m in range(images):
                            source = move(grad_image, m * a.grad_y.image + line * a.grad_y.row + begin)
                            pack(source, a.grad_y.row, o, move(packed, m * g_image), wide, height, a.width, min(wide, o - begin))
                    for i in range(0, a.kernel_h, groups):
                        # Lines whose pixels of x all lie on the border are left out.
                        start = max(0, -((a.x_top + i + groups - 1) // a.stride_h) - line)
                        lines = min(height, (a.x_height - a.x_top - i + a.stride_h - 1) // a.stride_h - line) - start
                        x = move(x_image, (line + start) * x_line + i * a.x.row)
                        g = move(packed, -begin) if a.packed_size else move(grad_image, line * g_line)
                        for j in range(0, run, per_group):
                            if a.packed_size and fetches:
                                parts = (run + per_group - 1) // per_group
                                fetch(a, grad_image, line, begin, begin_filter, end_filter, j // per_group, parts)
                            for k in range(begin, min(begin + together, end_filter), wide):
                                x_at, sums = move(x, j), move(slot, (k - begin_filter) // wide * a.sums_panel + (i * run + j) * a.sums_row)
                                g_at = move(g, start * g_line + k)
                                for m in range(images):
                                    add(
                                        a, sums, move(x_at, m * a.x.image), x_line, x_pixel, move(g_at, m * g_image), g_line, g_pixel,
                                        lines, j + per_group <= run, o - k,
                                    )  # fmt: skip
        if a.filters_of_task:
            for k in range(begin_filter, end_filter, wide):
                source = move(slot, (k - begin_filter) // wide * a.sums_panel)
                pack(source, 0, wide, move(at(a.total), k), o, 1, a.kernel_h * run, min(wide, o - k))

    return grad_weights


def conv2d_grad_weights(
    program: Program, grad_y: Buffer, x: Buffer, grad_w: np.ndarray, stride_h: int, stride_w: int, top: int, left: int,
    algorithm: int = AUTO,
) -> None:  # fmt: skip
    """Sums of each slot, then over slots."""
    kernel_h, kernel_w, channels, filters = grad_w.shape
    if way := winograd_way(program, algorithm, grad_w.shape, (stride_h, stride_w), grad_y.shape[1:3]):
        needs_finite(program, grad_w)
        (winograd_small_weights if way == SMALL else winograd_weights).grad_weights(program, grad_y, x, grad_w, top, left)
        return
    x = program.border(x, image_border(x, grad_y, kernel_h, kernel_w, stride_h, stride_w, top, left))
    real = x.dtype.type
    group = choose_group(real, filters, grad_y.shape[2], kernel_w, stride_w)
    height, width = grad_y.shape[1], grad_y.shape[2] // group
    wide = kernel_w + (group - 1) * stride_w
    columns = choose_columns(real, group * filters)
    rows, rest = choose_taps(kernel_h, wide * channels, columns.vectors)
    shares = columns.vectors == 1 and group * stride_w < wide
    taps = choose_unrolled(width, rows.groups * rows.per_group) if shares else 1
    size = kernel_h * wide * channels * group * filters
    strip = -(-height // max(1, height * width // STRIP_PIXELS))
    images = -(-SMALL_PIXELS // (height * width))
    panels = -(-filters // columns.wide)
    owned = group == 1 and filters_are_owned(program, program.slots, size, (x, grad_y), panels)
    # Two tasks a thread: enough to be shared out anew, and few enough, since each reads all images.
    filters_of_task = -(-panels // (2 * (program.threads or 1))) * columns.wide
    sums_panel = size // filters * columns.wide if owned else columns.wide
    slots = program.whole((1, panels * sums_panel) if owned else (program.slots, size), real)
    packed_size = images * strip * width * columns.wide if images * strip * width * group * filters * real().itemsize > STRIP_BYTES else 0
    packed = program.scratch(packed_size, real) if packed_size else None
    program.row(
        grad_weights_kernel,
        {
            "real": real, "groups": rows.groups, "per_group": rows.per_group, "rest": rest, **columns._asdict(), "taps": taps,
            "pixel": group * stride_w * channels if taps > 1 else 0, "ahead": "r" if (kernel_h, kernel_w, taps) == (1, 1, 1) else "",
        },
        GradWeights, ("slots", "packed", "total"), "parameters" if owned else "images",
        Layout(size // filters, filters, filters, filters_of_task) if owned else None, program.batch * height * width / 16,
        x=x, grad_y=grad_y, slots=slots, size=size, slot_images=program.slot_images,
        x_top=-top, x_left=-left, stride_h=stride_h, stride_w=group * stride_w,
        x_height=x.shape[1], height=height, width=width, kernel_h=kernel_h, kernel_w=wide, channels=channels, filters=group * filters,
        images=images, strip=strip, packed=packed, packed_size=packed_size, packed_step=packed.shape[1] if packed else 0,
        batch=program.counters[runner.BATCH : runner.BATCH + 1], filters_of_task=filters_of_task if owned else 0,
        total=grad_w if owned else 0, sums_row=columns.wide if owned else group * filters, sums_panel=sums_panel,
    )  # fmt: skip
    if owned:
        return
    if group == 1:
        sum_slots(program, slots, grad_w)
    else:
        fold_slots(program, slots, grad_w, group, stride_w)


LOWERINGS: dict[str, Callable[..., None]] = {"conv2d_grad_weights": conv2d_grad_weights}
