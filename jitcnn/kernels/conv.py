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

from jitcnn.forms.codes import AUTO, DIRECT
from jitcnn.kernels import winograd, winograd_small
from jitcnn.kernels.buffers import Border, Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.conv_arrange import arrange, repeat
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.rows import Row
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import Outputs, choose_outputs
from jitcnn.kernels.vectors import takes_broadcasts_from_memory
from jitcnn.kernels.winograd_choice import SMALL, Way, best, choose

#: x_top, x_left: the pixel under the window's corner at output (0, 0), negative in the border; x_down, x_right: pixels from one window
#: to the next; x_height: lines of x that are no border.  Outputs stand at y_top + i * y_down, y_left + j * y_right for i < height,
#: j < width; group_h * group_w of them are computed together, as filters of a wider kernel.  block: filters that all images are taken
#: through before the next ones.  Weights lie `line` numbers from one channel to the next, and `panel` from one tile's columns to the
#: next's.
Correlate = record(
    x=Images, y=Images, mask=Images, w=int, b=int,
    x_top=int, x_left=int, x_down=int, x_right=int, x_height=int, y_top=int, y_left=int, y_down=int, y_right=int,
    height=int, width=int, kernel_h=int, kernel_w=int, channels=int, filters=int, group_h=int, group_w=int, block=int, line=int, panel=int,
)  # fmt: skip

SHORT_RUN = 16  # inner loops up to this length are unrolled, where a broadcast number needs no register, so that they do not run out
BLOCK_BYTES = 2**18  # weights that stay in the second-level cache beside the images
PANEL_BYTES = 2**15  # weights that are read from there again and again, which goes faster in one run


@functools.cache
def correlate_kernel(shape: Shape, last: int, last_lanes: int, masked: bool, end: str):
    """y = end(bias + sum over kernel rows, kernel columns, channels of x * w) for each image.

    The tile's a_row is the distance from one group of outputs to the next, its taps are kernel columns.  The last filters take `last`
    vectors.
    """
    shape = shape._replace(end=end)
    tile = make_tile(shape)
    last_tile = make_tile(shape._replace(vectors=last, lanes=last_lanes, masked=masked)) if last else tile
    pointer, at, move = ACCESS[shape.real][1], AT[shape.real], MOVE[shape.real]
    lines, pixels, wide, taps, with_mask = shape.groups, shape.per_group, shape.vectors * shape.lanes, shape.taps, end == "mask"

    key = (shape, last, last_lanes, masked)

    @kernel(Correlate, key, f"convolution {lines * pixels}x{shape.vectors}x{shape.lanes} {shape.real.__name__}")
    def correlate(arguments, first, last, worker):
        a = only(arguments)
        c, o = a.channels, a.filters
        n_k, w_row, w, b = a.kernel_w * c // taps, a.kernel_w * c * a.line, at(a.w), at(a.b)
        pixel = o // (a.group_h * a.group_w)
        x_line, x_pixel, y_line, y_pixel = a.x_down * a.x.row, a.x_right * c, a.y_down * a.y.row, a.y_right * pixel
        mask_line = a.y_down * a.mask.row
        x_group, y_group, mask_group, y_step = a.group_h * x_line, a.group_h * y_line, a.group_h * mask_line, a.group_w * y_pixel
        for begin in range(0, o, a.block):
            for n in range(first, last):
                x_image = move(pointer(a.x, n, first, worker), a.x_top * a.x.row + a.x_left * c)
                y_image = move(pointer(a.y, n, first, worker), a.y_top * a.y.row + a.y_left * pixel)
                extra = b
                if with_mask:
                    extra = move(pointer(a.mask, n, first, worker), a.y_top * a.mask.row + a.y_left * pixel)
                for top in range(0, a.height, lines * a.group_h):
                    i = min(top, a.height - lines * a.group_h)  # the last tile overlaps its neighbour
                    # Kernel rows that lie on the border alone are left out.
                    begin_row = max(0, -a.x_top - (i + (lines - 1) * a.group_h) * a.x_down)
                    kernel_rows = min(a.kernel_h, a.x_height - a.x_top - i * a.x_down) - begin_row
                    for left in range(0, a.width, pixels * a.group_w):
                        j = min(left, a.width - pixels * a.group_w)
                        x_at = move(x_image, i * x_line + begin_row * a.x.row + j * x_pixel)
                        y_at = move(y_image, i * y_line + j * y_pixel)
                        for k in range(begin, min(begin + a.block, o), wide):
                            w_at, extra_at = move(w, k // wide * a.panel + begin_row * w_row), move(extra, k)
                            if with_mask:
                                extra_at = move(extra, i * mask_line + j * y_pixel + k)
                            if k + wide <= o:
                                tile(
                                    move(y_at, k), y_group, y_step, x_at, x_group, 0, a.x.row, 1, w_at, w_row, a.line, c * a.line,
                                    kernel_rows, n_k, extra_at, mask_group, y_step, wide, y_line, mask_line,
                                )  # fmt: skip
                            elif last:
                                last_tile(
                                    move(y_at, k), y_group, y_step, x_at, x_group, 0, a.x.row, 1, w_at, w_row, a.line, c * a.line,
                                    kernel_rows, n_k, extra_at, mask_group, y_step, o - k, y_line, mask_line,
                                )  # fmt: skip

    return correlate


def correlate_row(
    program: Program, x: Buffer, w: Buffer | np.ndarray, b: Buffer | np.ndarray | None, y: Buffer,
    kernel_size: tuple[int, int], channels: int, outputs: Outputs,
    x_start: tuple[int, int], x_step: tuple[int, int], y_start: tuple[int, int], y_step: tuple[int, int], size: tuple[int, ...], end: str,
) -> Row:  # fmt: skip
    """Write a correlation down, which may `end` in a relu or in relu's mask; kernel_size: of the wider kernel of a group of outputs."""
    real = x.dtype.type
    columns, rows, filters = outputs.columns, outputs.rows, outputs.filters
    step = outputs.group_w * x_step[1]
    taps, run = outputs.taps, kernel_size[1] * channels // outputs.taps
    shape = Shape(
        real, *rows, columns.vectors, columns.lanes, "zero" if b is None else "extra", a_row=step * channels,
        n_k=run if run <= SHORT_RUN and takes_broadcasts_from_memory() else 0, taps=taps, a_t=channels if taps > 1 else 0,
        parts=outputs.group_h, ahead="tile" if kernel_size == (1, 1) and taps == 1 else "",
    )  # fmt: skip
    reduced = kernel_size[0] * kernel_size[1] * channels
    in_panels = isinstance(w, Buffer)
    block = filters if reduced * filters * np.dtype(real).itemsize <= BLOCK_BYTES else columns.wide
    return program.row(
        correlate_kernel,
        {"shape": shape, "last": columns.last, "last_lanes": columns.last_lanes, "masked": columns.masked, "end": "store"},
        Correlate, ("y",), ends=(end,),
        x=x, y=y, mask=None, w=w, b=b,
        x_top=x_start[0], x_left=x_start[1], x_down=x_step[0], x_right=x_step[1], x_height=x.shape[1],
        y_top=y_start[0], y_left=y_start[1], y_down=y_step[0], y_right=y_step[1],
        height=size[0], width=size[1], kernel_h=kernel_size[0], kernel_w=kernel_size[1], channels=channels, filters=filters,
        group_h=outputs.group_h, group_w=outputs.group_w, block=block,
        line=outputs.panel if in_panels else filters, panel=reduced * outputs.panel if in_panels else columns.wide,
    )  # fmt: skip


def window_border(size: int, output: int, kernel_size: int, stride: int, before: int) -> tuple[int, int]:
    """Pixels of border that windows reach into, in front and behind."""
    return max(0, before), max(0, (output - 1) * stride + kernel_size - before - size)


def image_border(x: Buffer, y: Buffer, kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, top: int, left: int) -> Border:
    """The border of x that the windows of y reach into."""
    above, below = window_border(x.shape[1], y.shape[1], kernel_h, stride_h, top)
    before, behind = window_border(x.shape[2], y.shape[2], kernel_w, stride_w, left)
    return Border(above, before, below, behind)


def conv2d(
    program: Program, x: Buffer, w: np.ndarray, b: np.ndarray, y: Buffer, stride_h: int, stride_w: int, top: int, left: int,
    algorithm: int = AUTO,
) -> None:  # fmt: skip
    """Forward."""
    kernel_h, kernel_w, channels, filters = w.shape
    if way := winograd_way(program, algorithm, w.shape, (stride_h, stride_w), y.shape[1:3]):
        needs_finite(program, y, x, w)
        (winograd_small if way == SMALL else winograd).forward(program, x, w, b, y, top, left)
        return
    image, x = x, program.border(x, image_border(x, y, kernel_h, kernel_w, stride_h, stride_w, top, left))
    size, kernel_size, strides = y.shape[1:3], (kernel_h, kernel_w), (stride_h, stride_w)
    outputs = choose_outputs(x.dtype.type, filters, size, kernel_size, strides, program.assume_finite)
    weights: Buffer | np.ndarray = w
    bias: Buffer | np.ndarray | None = b if b.size else None
    if outputs.together > 1 or (outputs.panels > 1 and w.nbytes > PANEL_BYTES):
        weights = arrange(program, w, (1, 1), outputs, strides)
        bias = repeat(program, b, outputs.together) if b.size and outputs.together > 1 else bias
    if outputs.together > 1:
        needs_finite(program, y, image, w)
    correlate_row(
        program, x, weights, bias, y, outputs.kernel(kernel_size, strides), channels, outputs,
        (-top, -left), strides, (0, 0), (1, 1), size, "relu",
    )  # fmt: skip


def winograd_way(
    program: Program, algorithm: int, w_shape: tuple[int, ...], strides: tuple[int, int], size: tuple[int, ...], grad_input: bool = False
) -> Way | None:
    """The way of Winograd by which outputs are computed, None for the direct sum."""
    if not program.assume_finite or algorithm == DIRECT:
        return None
    if algorithm == AUTO:
        return choose(w_shape, strides, size, grad_input)[0]
    return best(w_shape, size, grad_input)


def needs_finite(program: Program, result: Buffer | np.ndarray, *inputs: Buffer | np.ndarray) -> None:
    """Note that a result holds only if it is finite, or only if its inputs are, where these are far fewer numbers to look at.

    Winograd's way mixes pixels, so that an infinity or NaN spreads over its whole patch, and groups of outputs take products with zeros.
    """
    few = inputs and 2 * sum(array.size for array in inputs) < result.size
    program.only_if_finite += inputs if few else (result,)


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
    program: Program, grad_y: Buffer, w: np.ndarray, grad_x: Buffer, stride_h: int, stride_w: int, top: int, left: int,
    algorithm: int = AUTO,
) -> None:  # fmt: skip
    """Gradient of the input: one correlation a phase."""
    kernel_h, kernel_w, channels, filters = w.shape
    if winograd_way(program, algorithm, w.shape, (stride_h, stride_w), grad_x.shape[1:3], grad_input=True):
        needs_finite(program, grad_x)
        winograd.grad_input(program, grad_y, w, grad_x, top, left)
        return
    down = [Phase(p, grad_x.shape[1], grad_y.shape[1], kernel_h, stride_h, top) for p in range(stride_h)]
    across = [Phase(p, grad_x.shape[2], grad_y.shape[2], kernel_w, stride_w, left) for p in range(stride_w)]
    before, behind = [widest(axis, "before") for axis in (down, across)], [widest(axis, "behind") for axis in (down, across)]
    grad_y = program.border(grad_y, Border(*before, *behind))
    strides = (stride_h, stride_w)
    may_group = program.assume_finite and strides == (1, 1)
    outputs = choose_outputs(grad_y.dtype.type, channels, grad_x.shape[1:3], (kernel_h, kernel_w), (1, 1), may_group)
    turned = arrange(program, w, strides, outputs, (1, 1), turned=True)
    done, rows = 0, []
    for vertical in down:
        for horizontal in across:
            size, taps = (vertical.count, horizontal.count), (vertical.taps, horizontal.taps)
            taps = outputs.kernel(taps, (1, 1)) if 0 not in taps else (0, 0)
            if 0 not in size:
                tiles = outputs if may_group else choose_outputs(grad_y.dtype.type, channels, size, taps, (1, 1), False)
                row = correlate_row(
                    program, grad_y, turned.behind(done), None, grad_x, taps, filters, tiles,
                    (vertical.start, horizontal.start), (1, 1), (vertical.first, horizontal.first), strides, size, "mask",
                )  # fmt: skip
                rows.append(row)
            done += taps[0] * taps[1] * filters * outputs.panels * outputs.panel
    if outputs.together > 1:
        needs_finite(program, grad_x)
    for row in rows:
        row.together = rows


LOWERINGS: dict[str, Callable[..., None]] = {"conv2d": conv2d, "conv2d_grad_input": conv2d_grad_input}
