"""Winograd's convolution F(4x4, 3x3) on the register tile: forward and gradient of the input.

Output is made in patches of 4x4 pixels, from patches of 6x6 of the input that overlap by two.  A strip of patches goes through three
stages while it lies in the second-level cache:

    6x6 pixels  -- inputs -->  36 values a channel  -- 36 products of matrices -->  36 values a filter  -- outputs -->  4x4 pixels
                               V[e] (patches, C)       with U[e] (C, filters)       M[e] (patches, filters)

U is made of the weights whenever they change.  Rows of patches of the whole batch are shared out among the threads, so that large U are
read few times; patches at the edge read zeros outside the image.
"""

import functools

import numpy as np

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import AT, MOVE, PREFETCH
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import most_rows
from jitcnn.kernels.vectors import full_lanes
from jitcnn.kernels.winograd_arrange import arranged_weights
from jitcnn.kernels.winograd_patches import PATCH, POINTS, filters_wide, make_take, multiple, plane_of, strip_of
from jitcnn.kernels.winograd_transforms import make_finish, make_transform

FEWEST_CHANNELS = 16  # with fewer, making the 36 values takes as long as the products that they save
LEAST_USED = 0.75  # of the outputs that patches compute


def choose(w_shape: tuple[int, ...], strides: tuple[int, int], size: tuple[int, ...]) -> tuple[bool, str]:
    """Whether Winograd's way is worth it, and why (not), in words.

    Parameters
    ----------
    w_shape
        (kernel rows, kernel columns, channels, filters).
    strides
        (rows, columns).
    size
        Rows and columns of the output.
    """
    if (*w_shape[:2], *strides) != (3, 3, 1, 1):
        return False, "Winograd's way is for kernels of 3 x 3 at stride 1"
    if min(w_shape[2:]) < FEWEST_CHANNELS:
        return False, f"with fewer than {FEWEST_CHANNELS} channels or filters, the transforms take longer than the products that they save"
    used = size[0] * size[1] / (multiple(size[0], PATCH) * multiple(size[1], PATCH))
    if used < LEAST_USED:
        return False, f"patches of {PATCH} x {PATCH} would compute {1 / used:.1f} times the {size[0]} x {size[1]} outputs that there are"
    return True, f"from {FEWEST_CHANNELS} channels and filters on, 36 products instead of 144 for a patch of {PATCH} x {PATCH} outputs win"


#: x_top, x_left: where the first patch begins in x, negative outside.  v_at, m_at, …: where a worker's scratch holds them.
Convolve = record(
    x=Images, y=Images, mask=Images, u=int, b=int, scratch=int, scratch_size=int, v_step=int, m_step=int, u_step=int,
    m_at=int, patch_at=int,
    x_top=int, x_left=int, x_height=int, x_width=int, height=int, width=int, down=int, across=int, strip=int,
    channels=int, channels_wide=int, filters=int, filters_wide=int,
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
def make_give(real: type, masked: bool, end: str):
    """give(a, n, i, j, m, step, patch, bias, has_bias): the outputs of the patch at (i, j) of image n from its 36 values, at m.

    Value e of filter o is m[e * step + o]; patch: room for 4x4 vectors; masked: filters do not fill the last vector.
    """
    lanes, pointer, move, with_mask = full_lanes(real), ACCESS[real][1], MOVE[real], end == "mask"
    back = make_transform("outputs", real, lanes, "")
    finish, last_finish = make_finish(real, lanes, False, end), make_finish(real, lanes, masked, end)

    @inline((real.__name__, masked, end))
    def give(a, n, i, j, m, step, patch, bias, has_bias):
        y, y_row, o = pointer(a.y, n, 0, 0), a.y.row, a.filters
        mask = y
        if with_mask:
            mask = pointer(a.mask, n, 0, 0)
        for k in range(0, o, lanes):
            back(move(m, k), 6 * step, step, patch, 4 * lanes, lanes, lanes)
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
def convolve_kernel(real: type, rows: int, vectors: int, channels_wide: int, in_masked: bool, out_masked: bool, end: str):
    """y = end(bias + x * w) for lines of patches, counted over all images."""
    lanes, itemsize = full_lanes(real), np.dtype(real).itemsize
    tile = make_tile(Shape(real, 1, rows, vectors, lanes, a_row=channels_wide))
    take, give = make_take(real, "inputs", 6, in_masked), make_give(real, out_masked, end)
    fetch, fetch_to_write = make_fetch(real)
    pointer, at, move, wide = ACCESS[real][1], AT[real], MOVE[real], vectors * lanes

    @kernel(
        Convolve, (real.__name__, rows, vectors, channels_wide, in_masked, out_masked, end), f"Winograd {rows}x{vectors} {real.__name__}"
    )
    def convolve(arguments, first, last, worker):
        a = only(arguments)
        c, c_wide, o_wide = a.channels, a.channels_wide, a.filters_wide
        v, u, bias, has_bias = at(a.scratch + worker * a.scratch_size * itemsize), at(a.u), at(a.b), a.b != 0
        m, patch = move(v, a.m_at), move(v, a.patch_at)
        v_step, m_step = a.v_step, a.m_step
        patches = (last - first) * a.across
        for start in range(0, patches, a.strip):
            count = min(a.strip, patches - start)
            for p in range(count):
                line, j = first + (start + p) // a.across, (start + p) % a.across * 4
                n, i = line // a.down, line % a.down * 4
                image = pointer(a.x, n, 0, 0)
                take(image, a.x.row, a.x_height, a.x_width, c, i + a.x_top, j + a.x_left, move(v, p * c_wide), v_step)
            later = min(a.strip, patches - start - count)
            for e in range(36):
                # Memory is slow beside the transforms, and idle during the products: what comes next is asked for meanwhile.
                for p in range(e * count // 36, (e + 1) * count // 36):
                    line, j = first + (start + p) // a.across, (start + p) % a.across * 4
                    fetch_to_write(a, line // a.down, line % a.down * 4, j)
                for p in range(e * later // 36, (e + 1) * later // 36):
                    line, j = first + (start + count + p) // a.across, (start + count + p) % a.across * 4
                    fetch(a, line // a.down, line % a.down * 4, j)
                for k in range(0, o_wide, wide):
                    for p in range(0, count, rows):  # the last tile computes more than there is: nobody reads it
                        tile(
                            move(m, e * m_step + p * o_wide + k), 0, o_wide, move(v, e * v_step + p * c_wide), 0, 0, 0, 1,
                            move(u, e * a.u_step + k * c), 0, wide, 0, 1, c, v, 0, 0, wide, 0, 0,
                        )  # fmt: skip
            for p in range(count):
                line, j = first + (start + p) // a.across, (start + p) % a.across * 4
                give(a, line // a.down, line % a.down * 4, j, move(m, p * o_wide), m_step, patch, bias, has_bias)

    return convolve


def convolve(
    program: Program, x: Buffer, u: Buffer, b: np.ndarray | None, y: Buffer, top: int, left: int, channels: int, filters: int, end: str
) -> None:
    """Write a convolution with zeros around the image down, which may `end` in a relu or in relu's mask."""
    real = x.dtype.type
    lanes = full_lanes(real)
    wide = filters_wide(real, filters)
    rows, vectors, c_wide = most_rows(wide.vectors), wide.vectors, multiple(channels, lanes)
    o_wide = multiple(filters, wide.wide)
    strip = strip_of(rows, POINTS * (c_wide + o_wide) * real().itemsize, u.size * real().itemsize)
    down, across = (-(-size // PATCH) for size in y.shape[1:3])
    v_step, m_step = plane_of(real, strip * c_wide), plane_of(real, strip * o_wide)
    starts = np.cumsum([0, POINTS * v_step, POINTS * m_step, PATCH * PATCH * lanes])
    scratch = program.whole((program.threads or 1, multiple(int(starts[-1]), lanes)), real)
    program.row(
        convolve_kernel,
        {
            "real": real, "rows": rows, "vectors": vectors, "channels_wide": c_wide, "in_masked": channels % lanes != 0,
            "out_masked": filters % lanes != 0, "end": "store",
        },
        Convolve, ("y", "scratch"), "batch", ends=(end,), items=down, x=x, y=y, mask=None, u=u, b=b, scratch=scratch,
        scratch_size=scratch.shape[1], v_step=v_step, m_step=m_step, u_step=u.shape[1] // POINTS,
        m_at=starts[1], patch_at=starts[2], x_top=-top, x_left=-left,
        x_height=x.shape[1], x_width=x.shape[2], height=y.shape[1], width=y.shape[2], down=down, across=across, strip=strip,
        channels=channels, channels_wide=c_wide, filters=filters, filters_wide=o_wide,
    )  # fmt: skip


def forward(program: Program, x: Buffer, w: np.ndarray, b: np.ndarray, y: Buffer, top: int, left: int) -> None:
    """Write down y = bias + x * w."""
    channels, filters = w.shape[2:]
    convolve(program, x, arranged_weights(program, w, False), b if b.size else None, y, top, left, channels, filters, "relu")


def grad_input(program: Program, grad_y: Buffer, w: np.ndarray, grad_x: Buffer, top: int, left: int) -> None:
    """Write down the gradient of the input: the same with the weights turned."""
    channels, filters = w.shape[2:]
    convolve(program, grad_y, arranged_weights(program, w, True), None, grad_x, 2 - top, 2 - left, filters, channels, "mask")
