"""Winograd's convolution F(4x4, 3x3) on the register tile: forward and gradient of the input.

Output is made in patches of 4x4 pixels, from patches of 6x6 of the input that overlap by two.  A strip of patches goes through three
stages while it lies in the second-level cache:

    6x6 pixels  -- inputs -->  36 values a channel  -- 36 products of matrices -->  36 values a filter  -- outputs -->  4x4 pixels
                               V[e] (patches, C)       with U[e] (C, filters)       M[e] (patches, filters)

U is made of the weights whenever they change.  Where it is small, a few images at a time go through all three stages, between the
layers before and behind.  Large U have to be read few times: then lines of patches of the whole batch are shared out among the threads;
or where there are few patches, as in late layers, filters are, so that each thread reads the part of U that it has made.
Patches at the edge read zeros outside the image.
"""

import functools

import numpy as np

from jitcnn.kernels import runner
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import AT, MOVE, PREFETCH, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.vectors import full_lanes
from jitcnn.kernels.winograd_arrange import Places, arranged_weights
from jitcnn.kernels.winograd_patches import (
    LARGE_BYTES,
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
    rows_of,
    strip_of,
)
from jitcnn.kernels.winograd_transforms import make_finish, make_transform

PATCHES_A_FILTER = 2  # up to which it costs less to transform all patches in each thread than to read all of U there
BLOCK_BYTES = 2**19  # M of the filters that a strip is taken through before the next ones


#: block: filters that a strip is taken through before the next ones.  lines: of patches, in an item: an image's, or one.  batch: where
#: the number of images stands, if not they but the tile's columns are shared out.  x_top, x_left: where the first patch begins in x,
#: negative outside.  m_at, patch_at: where a worker's scratch holds them, behind V.
Convolve = record(
    x=Images, y=Images, mask=Images, u=int, b=int, scratch=int, scratch_size=int, v_step=int, m_step=int, u_step=int,
    m_at=int, patch_at=int, lines=int,
    x_top=int, x_left=int, x_height=int, x_width=int, height=int, width=int, down=int, across=int, strip=int,
    channels=int, channels_wide=int, filters=int, filters_wide=int, block=int, batch=int,
)  # fmt: skip


@functools.cache
def make_fetch(real: type):
    """fetch(a, n, i, j) and fetch_to_write(a, n, i, j): ask memory for the pixels of the patch at (i, j) of image n, of x and of y."""
    lanes, pointer, move, (prefetch, prefetch_to_write) = full_lanes(real), ACCESS[real][1], MOVE[real], PREFETCH[real]

    @inline(real.__name__)
    def fetch(a, n, i, j):
        patch = move(pointer(a.x, n, 0, 0), (i + a.x_top) * a.x.row + (j + a.x_left) * a.channels)
        for p in range(6):
            for k in range(0, 4 * a.channels, lanes):
                prefetch(move(patch, p * a.x.row + k))

    @inline(real.__name__)
    def fetch_to_write(a, n, i, j):
        patch = move(pointer(a.y, n, 0, 0), i * a.y.row + j * a.filters)
        for p in range(4):
            for k in range(0, 4 * a.filters, lanes):
                prefetch_to_write(move(patch, p * a.y.row + k))

    return fetch, fetch_to_write


@functools.cache
def make_give(real: type, lanes: int, masked: bool, end: str):
    """give(a, n, first, worker, i, j, begin, stop, m, step, patch, bias, has_bias): outputs of the patch at (i, j) of image n.

    Those of the filters begin to stop, from its 36 values: value e of filter o is m[e * step + o - begin]; patch: room for 4x4 vectors;
    masked: filters do not fill the last vector.
    """
    pointer, move, with_mask = ACCESS[real][1], MOVE[real], end == "mask"
    back = make_transform("outputs", real, lanes, "")
    finish, last_finish = make_finish(real, lanes, False, end), make_finish(real, lanes, masked, end)

    @inline((real.__name__, lanes, masked, end))
    def give(a, n, first, worker, i, j, begin, stop, m, step, patch, bias, has_bias):
        y, y_row, o = pointer(a.y, n, first, worker), a.y.row, a.filters
        mask = y
        if with_mask:
            mask = pointer(a.mask, n, first, worker)
        for k in range(begin, min(stop, o), lanes):
            back(move(m, k - begin), 6 * step, step, patch, 4 * lanes, lanes, lanes)
            for p in range(min(4, a.height - i)):
                for q in range(min(4, a.width - j)):
                    value, to = move(patch, (4 * p + q) * lanes), move(y, (i + p) * y_row + (j + q) * o + k)
                    extra = to
                    if with_mask:
                        extra = move(mask, (i + p) * a.mask.row + (j + q) * o + k)
                    if k + lanes <= o:
                        finish(value, to, move(bias, k), has_bias, extra, lanes)
                    elif masked:
                        last_finish(value, to, move(bias, k), has_bias, extra, o - k)

    return give


@functools.cache
def convolve_kernel(
    real: type, rows: int, vectors: int, lanes: int, out_masked: bool, in_lanes: int, in_masked: bool, channels_wide: int, end: str
):
    """y = end(bias + x * w) for images, or for lines of patches counted over all images."""
    tile = make_tile(Shape(real, 1, rows, vectors, lanes, a_row=channels_wide))
    take, give = make_take(real, "inputs", 6, in_lanes, in_masked), make_give(real, lanes, out_masked, end)
    fetch, fetch_to_write = make_fetch(real)
    pointer, at, move, wide, itemsize = ACCESS[real][1], AT[real], MOVE[real], vectors * lanes, np.dtype(real).itemsize
    key = (real.__name__, rows, vectors, lanes, out_masked, in_lanes, in_masked, channels_wide, end)

    @kernel(Convolve, key, f"Winograd {rows}x{vectors}x{lanes} {real.__name__}")
    def convolve(arguments, first, last, worker):
        a = only(arguments)
        c, c_wide, o_wide, block = a.channels, a.channels_wide, a.filters_wide, a.block
        v, u, bias, has_bias = at(a.scratch + worker * a.scratch_size * itemsize), at(a.u), at(a.b), a.b != 0
        m, patch = move(v, a.m_at), move(v, a.patch_at)
        v_step, m_step = a.v_step, a.m_step
        begin_filter, end_filter = 0, o_wide
        if a.batch:
            begin_filter, end_filter = first * wide, last * wide
            first, last = 0, int64_at(a.batch)[0] * a.down
        first_patch, last_patch = first * a.lines * a.across, last * a.lines * a.across
        taken = given = corner(a, first_patch)
        for start in range(first_patch, last_patch, a.strip):
            count = min(a.strip, last_patch - start)
            for p in range(count):
                n, i, j = taken
                taken = behind(a, taken)
                image = pointer(a.x, n, first, worker)
                take(image, a.x.row, a.x_height, a.x_width, c, 0, c, i + a.x_top, j + a.x_left, move(v, p * c_wide), v_step)
            later = min(a.strip, last_patch - start - count)
            asked, written = taken, given
            for begin in range(begin_filter, end_filter, block):
                stop = min(begin + block, end_filter)
                for e in range(36):
                    # Slow memory is idle during the products: what comes next is asked for meanwhile, if it is not scratch.
                    if begin == begin_filter and not a.y.worker:
                        for _ in range(e * count // 36, (e + 1) * count // 36):
                            n, i, j = written
                            written = behind(a, written)
                            fetch_to_write(a, n, i, j)
                    if stop == end_filter and not a.x.worker:
                        for _ in range(e * later // 36, (e + 1) * later // 36):
                            n, i, j = asked
                            asked = behind(a, asked)
                            fetch(a, n, i, j)
                    for k in range(begin, stop, wide):
                        for p in range(0, count, rows):  # the last tile computes more than there is: nobody reads it
                            tile(
                                move(m, e * m_step + p * block + k - begin), 0, block, move(v, e * v_step + p * c_wide), 0, 0, 0, 1,
                                move(u, e * a.u_step + k * c), 0, wide, 0, 1, c, v, 0, 0, wide, 0, 0,
                            )  # fmt: skip
                to_give = given
                for p in range(count):
                    n, i, j = to_give
                    to_give = behind(a, to_give)
                    give(a, n, first, worker, i, j, begin, stop, move(m, p * block), m_step, patch, bias, has_bias)
            given = taken

    return convolve


def convolve(
    program: Program, x: Buffer, u: Buffer, b: np.ndarray | None, y: Buffer, top: int, left: int, channels: int, filters: int, end: str
) -> None:
    """Write a convolution with zeros around the image down, which may `end` in a relu or in relu's mask."""
    real = x.dtype.type
    wide, in_lanes = filters_wide(real, filters), lanes_of(real, channels)
    down, across = (-(-size // PATCH) for size in y.shape[1:3])
    c_wide = multiple(channels, in_lanes)
    o_wide = multiple(filters, wide.wide)
    u_bytes = u.size * real().itemsize
    patches = in_blocks(program, x, y, u_bytes, LARGE_BYTES)
    rows = rows_of(down * across * (1 if patches else program.batch), wide.vectors)
    owned = not patches and u_bytes > LARGE_BYTES and program.batch * down * across <= PATCHES_A_FILTER * o_wide
    strip = strip_of(rows, POINTS * (c_wide + o_wide) * real().itemsize, u_bytes, patches)
    block = min(o_wide, max(1, BLOCK_BYTES // (POINTS * strip * wide.wide * real().itemsize)) * wide.wide)
    v_step, m_step = plane_of(real, strip * c_wide), plane_of(real, strip * block)
    starts = np.cumsum([0, POINTS * v_step, POINTS * m_step, PATCH * PATCH * wide.lanes])
    scratch = program.scratch(multiple(int(starts[-1]), full_lanes(real)), real)
    program.row(
        convolve_kernel,
        {
            "real": real, "rows": rows, "vectors": wide.vectors, "lanes": wide.lanes, "out_masked": filters % wide.lanes != 0,
            "in_lanes": in_lanes, "in_masked": channels % in_lanes != 0, "channels_wide": c_wide, "end": "store",
        },
        Convolve, ("y", "scratch"), "images" if patches else "batch", ends=(end,), items=down, parts=o_wide // wide.wide if owned else 0,
        lines=down if patches else 1, batch=program.counters[runner.BATCH : runner.BATCH + 1] if owned else 0,
        x=x, y=y, mask=None, u=u, b=b, scratch=scratch, scratch_size=scratch.shape[1],
        v_step=v_step, m_step=m_step, u_step=u.shape[1] // POINTS,
        m_at=starts[1], patch_at=starts[2], x_top=-top, x_left=-left,
        x_height=x.shape[1], x_width=x.shape[2], height=y.shape[1], width=y.shape[2], down=down, across=across, strip=strip,
        channels=channels, channels_wide=c_wide, filters=filters, filters_wide=o_wide, block=block,
    )  # fmt: skip


def values_of_weights(program: Program, w: np.ndarray, turned: bool) -> Buffer:
    """Write down what makes U: each of the 36 values a matrix, at a distance that does not let them fall on the same sets of the cache."""
    inputs, outputs = (w.shape[3], w.shape[2]) if turned else w.shape[2:]
    columns = filters_wide(w.dtype.type, outputs)
    step = plane_of(w.dtype.type, inputs * multiple(outputs, columns.wide))
    places = Places(columns.wide, columns.wide * inputs, columns.wide, 6 * step, step)
    return arranged_weights(program, w, turned, "weights", columns.lanes, places, POINTS * step)


def forward(program: Program, x: Buffer, w: np.ndarray, b: np.ndarray, y: Buffer, top: int, left: int) -> None:
    """Write down y = bias + x * w."""
    channels, filters = w.shape[2:]
    convolve(program, x, values_of_weights(program, w, False), b if b.size else None, y, top, left, channels, filters, "relu")


def grad_input(program: Program, grad_y: Buffer, w: np.ndarray, grad_x: Buffer, top: int, left: int) -> None:
    """Write down the gradient of the input: the same with the weights turned."""
    channels, filters = w.shape[2:]
    convolve(program, grad_y, values_of_weights(program, w, True), None, grad_x, 2 - top, 2 - left, filters, channels, "mask")
