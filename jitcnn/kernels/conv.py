"""Convolutions on the register tile: forward and gradient of the input are one kernel, the gradient of the weights another.

For images in NHWC and weights in HWIO, (kernel column, channel in) is one contiguous run in both, so a convolution is the tile's two
reduction loops, over kernel rows and over that run, without a copy of the input in between.  The gradient of the input is a
convolution of grad_y with the weights turned by 180 degrees and their channels exchanged; with strides it falls into phases, one for
each remainder of (row, column), each with its own share of the weights.

Few filters do not fill a vector.  Then neighbouring outputs are computed together, as the filters of a wider kernel
(`conv_arrange.py`).
"""

import functools
from collections.abc import Callable

import numpy as np

from jitcnn.kernels.buffers import Border, Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.conv_arrange import arrange, repeat
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.rows import Row
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import choose_columns, choose_group, choose_pixels

#: x_top, x_left: the pixel under the window's corner at output (0, 0), negative in the border; x_down, x_right: pixels from one window
#: to the next.  Outputs stand at y_top + i * y_down, y_left + j * y_right for i < height, j < width.
Correlate = record(
    x=Images, y=Images, mask=Images, w=int, b=int,
    x_top=int, x_left=int, x_down=int, x_right=int, y_top=int, y_left=int, y_down=int, y_right=int,
    height=int, width=int, kernel_h=int, kernel_w=int, channels=int, filters=int,
)  # fmt: skip

SHORT_RUN = 16  # inner loops up to this length are unrolled


@functools.cache
def correlate_kernel(
    real: type, groups: int, per_group: int, vectors: int, lanes: int, masked: bool, bias: bool, pixel: int, run: int, end: str
):
    """y = end(bias + sum over kernel rows, kernel columns, channels of x * w) for each image.

    pixel: numbers of x from one output to the next; run: kernel columns times channels, if few.
    """
    shape = Shape(real, groups, per_group, vectors, lanes, "extra" if bias else "zero", end, False, pixel, run)
    tile, last_tile = make_tile(shape), make_tile(shape._replace(masked=masked))
    pointer, at, move = ACCESS[real][1], AT[real], MOVE[real]
    wide, with_mask = vectors * lanes, end == "mask"

    @kernel(Correlate, (shape, masked), f"convolution {groups * per_group}x{vectors}x{lanes} {real.__name__}")
    def correlate(arguments, first, last, worker):
        a = only(arguments)
        c, o = a.channels, a.filters
        n_k, w, b = a.kernel_w * c, at(a.w), at(a.b)
        x_line, x_pixel, y_line, y_pixel = a.x_down * a.x.row, pixel, a.y_down * a.y.row, a.y_right * o
        mask_line = a.y_down * a.mask.row
        for n in range(first, last):
            x_image = move(pointer(a.x, n, first, worker), a.x_top * a.x.row + a.x_left * c)
            y_image = move(pointer(a.y, n, first, worker), a.y_top * a.y.row + a.y_left * o)
            extra = b
            if with_mask:
                extra = move(pointer(a.mask, n, first, worker), a.y_top * a.mask.row + a.y_left * o)
            for top in range(0, a.height, groups):
                i = min(top, a.height - groups)
                for left in range(0, a.width, per_group):
                    j = min(left, a.width - per_group)
                    x_at, y_at = move(x_image, i * x_line + j * x_pixel), move(y_image, i * y_line + j * y_pixel)
                    for k in range(0, o, wide):
                        extra_at = move(extra, k)
                        if with_mask:
                            extra_at = move(extra, i * mask_line + j * y_pixel + k)
                        if k + wide <= o:
                            tile(
                                move(y_at, k), y_line, y_pixel, x_at, x_line, x_pixel, a.x.row, 1, move(w, k), n_k * o, o,
                                a.kernel_h, n_k, extra_at, mask_line, y_pixel, wide,
                            )  # fmt: skip
                        elif masked:
                            last_tile(
                                move(y_at, k), y_line, y_pixel, x_at, x_line, x_pixel, a.x.row, 1, move(w, k), n_k * o, o,
                                a.kernel_h, n_k, extra_at, mask_line, y_pixel, o - k,
                            )  # fmt: skip

    return correlate


def correlate_row(
    program: Program, x: Buffer, w: Buffer | np.ndarray, b: Buffer | np.ndarray | None, y: Buffer,
    kernel_size: tuple[int, int], channels: int, filters: int,
    x_start: tuple[int, int], x_step: tuple[int, int], y_start: tuple[int, int], y_step: tuple[int, int], size: tuple[int, int], end: str,
) -> Row:  # fmt: skip
    """Write a correlation down, which may `end` in a relu or in relu's mask."""
    real = x.dtype.type
    columns = choose_columns(real, filters)
    rows = choose_pixels(*size, columns.vectors)
    return program.row(
        correlate_kernel,
        {
            "real": real, "groups": rows.groups, "per_group": rows.per_group, "vectors": columns.vectors, "lanes": columns.lanes,
            "masked": columns.masked, "bias": b is not None, "pixel": x_step[1] * channels,
            "run": kernel_size[1] * channels if kernel_size[1] * channels <= SHORT_RUN else 0, "end": "store",
        },
        Correlate, ("y",), ends=(end,), x=x, y=y, mask=None, w=w, b=b,
        x_top=x_start[0], x_left=x_start[1], x_down=x_step[0], x_right=x_step[1],
        y_top=y_start[0], y_left=y_start[1], y_down=y_step[0], y_right=y_step[1],
        height=size[0], width=size[1], kernel_h=kernel_size[0], kernel_w=kernel_size[1], channels=channels, filters=filters,
    )  # fmt: skip


def window_border(size: int, output: int, kernel_size: int, stride: int, before: int) -> tuple[int, int]:
    """Pixels of border that windows reach into, in front and behind."""
    return max(0, before), max(0, (output - 1) * stride + kernel_size - before - size)


def image_border(x: Buffer, y: Buffer, kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, top: int, left: int) -> Border:
    """The border of x that the windows of y reach into."""
    above, below = window_border(x.shape[1], y.shape[1], kernel_h, stride_h, top)
    before, behind = window_border(x.shape[2], y.shape[2], kernel_w, stride_w, left)
    return Border(above, before, below, behind)


def conv2d(program: Program, x: Buffer, w: np.ndarray, b: np.ndarray, y: Buffer, stride_h: int, stride_w: int, top: int, left: int) -> None:
    """Forward."""
    kernel_h, kernel_w, channels, filters = w.shape
    x = program.border(x, image_border(x, y, kernel_h, kernel_w, stride_h, stride_w, top, left))
    group = choose_group(x.dtype.type, filters, y.shape[2], kernel_w, stride_w) if program.assume_finite else 1
    weights: Buffer | np.ndarray = w
    bias: Buffer | np.ndarray | None = b if b.size else None
    if group > 1:
        weights = arrange(program, w, 1, 1, group, stride_w)
        bias = repeat(program, b, group) if b.size else None
    correlate_row(
        program, x, weights, bias, y, (kernel_h, kernel_w + (group - 1) * stride_w), channels, group * filters,
        (-top, -left), (stride_h, group * stride_w), (0, 0), (1, 1), (y.shape[1], y.shape[2] // group), "relu",
    )  # fmt: skip


class Phase:
    """Along one axis: the input pixels whose windows' taps are phase, phase + stride, …."""

    def __init__(self, phase: int, size: int, output: int, kernel_size: int, stride: int, before: int):
        self.taps = max(0, -(-(kernel_size - phase) // stride))
        self.first = (phase - before) % stride  # first input pixel
        self.count = max(0, -(-(size - self.first) // stride))  # input pixels
        self.start = (self.first + before - phase) // stride - (self.taps - 1)  # output pixel under the first tap
        self.reach = self.start + self.count - 1 + self.taps - 1  # last output pixel touched
        self.before, self.behind = max(0, -self.start), max(0, self.reach - (output - 1))


def widest(phases: list[Phase], side: str) -> int:
    """Pixels of border that all phases together reach into."""
    return max((getattr(phase, side) for phase in phases if phase.count and phase.taps), default=0)


def conv2d_grad_input(
    program: Program, grad_y: Buffer, w: np.ndarray, grad_x: Buffer, stride_h: int, stride_w: int, top: int, left: int
) -> None:
    """Gradient of the input: one correlation a phase."""
    kernel_h, kernel_w, channels, filters = w.shape
    down = [Phase(p, grad_x.shape[1], grad_y.shape[1], kernel_h, stride_h, top) for p in range(stride_h)]
    across = [Phase(p, grad_x.shape[2], grad_y.shape[2], kernel_w, stride_w, left) for p in range(stride_w)]
    before, behind = [widest(axis, "before") for axis in (down, across)], [widest(axis, "behind") for axis in (down, across)]
    grad_y = program.border(grad_y, Border(*before, *behind))
    can_group = program.assume_finite and stride_w == 1
    group = choose_group(grad_y.dtype.type, channels, grad_x.shape[2], kernel_w, 1) if can_group else 1
    turned = arrange(program, w, stride_h, stride_w, group, 1, turned=True)
    done, rows = 0, []
    for vertical in down:
        for horizontal in across:
            taps = horizontal.taps + (group - 1) * (horizontal.taps > 0)
            if vertical.count and horizontal.count:
                row = correlate_row(
                    program, grad_y, turned.behind(done), None, grad_x, (vertical.taps, taps), filters, group * channels,
                    (vertical.start, horizontal.start), (1, group), (vertical.first, horizontal.first), (stride_h, stride_w),
                    (vertical.count, horizontal.count // group), "mask",
                )  # fmt: skip
                rows.append(row)
            done += vertical.taps * taps * filters * group * channels
    for row in rows:
        row.together = rows


LOWERINGS: dict[str, Callable[..., None]] = {"conv2d": conv2d, "conv2d_grad_input": conv2d_grad_input}
