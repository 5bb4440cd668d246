"""Winograd's convolution F(4x2, 3x3) in registers, forward, for few channels.

Patches of 4x4 outputs (`winograd.py`) store 36 values a filter and read them again, which takes long where sums over few channels lie
between.  Here V of a line of patches is taken from six rows of the image at a time, into the first-level cache, and the tile makes outputs
of it in one go, with 24 products where the direct sum has 72.
"""

import functools

import numpy as np

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.vectors import full_lanes, takes_broadcasts_from_memory
from jitcnn.kernels.winograd_arrange import Places, arranged_weights
from jitcnn.kernels.winograd_patches import plane_of
from jitcnn.kernels.winograd_small_tiles import ALONG, COLUMNS, DOWN, LINES, ROWS, Patches, make_patches, make_take_lines

#: top, left: pixels in front of the image at which the first patch begins.  line: numbers from one line of V to the next.  zeros: a row.
Convolve = record(
    x=Images, y=Images, u=int, b=int, scratch=int, scratch_size=int, line=int, zeros=int,
    top=int, left=int, x_height=int, x_width=int, height=int, width=int, channels=int, filters=int,
)  # fmt: skip


@functools.cache
def convolve_kernel(shape: Patches, masked: bool, end: str):
    """y = end(bias + x * w) for each image; the last line of patches, and a line's last ones, overlap their neighbours.

    masked: filters do not fill the last vector.
    """
    shape = shape._replace(end=end)
    tile, last_tile = make_patches(shape), make_patches(shape._replace(masked=masked))
    real, lanes, channels, across = shape.real, shape.lanes, shape.channels, COLUMNS * shape.patches
    take_lines, panel = make_take_lines(real, lanes), DOWN * ALONG * channels * lanes
    pointer, at, move, itemsize = ACCESS[real][1], AT[real], MOVE[real], np.dtype(real).itemsize

    @kernel(Convolve, (shape, masked), f"small Winograd {shape.patches}x{lanes}, {channels} channels, {real.__name__}")
    def convolve(arguments, first, last, worker):
        a = only(arguments)
        v, o, y_row = at(a.scratch + worker * a.scratch_size * itemsize), a.filters, a.y.row
        for n in range(first, last):
            x, y_image = pointer(a.x, n, first, worker), pointer(a.y, n, first, worker)
            for top in range(0, a.height, ROWS):
                i = min(top, a.height - ROWS)
                take_lines(
                    x, a.x.row, i - a.top, a.x_height, a.left * channels, a.x_width * channels, at(a.zeros), channels,
                    v, a.line, a.width * channels,
                )  # fmt: skip
                for left in range(0, a.width, across):
                    j = min(left, a.width - across)
                    y_at, values = move(y_image, i * y_row + j * o), move(v, j * channels)
                    for k in range(0, o, lanes):  # within, so that a pixel's filters are written one after the other
                        u, bias, y = move(at(a.u), k // lanes * panel), move(at(a.b), k), move(y_at, k)
                        if not masked or k + lanes <= o:
                            tile(y, y_row, o, values, a.line, u, a.channels, bias, lanes)
                        else:
                            last_tile(y, y_row, o, values, a.line, u, a.channels, bias, o - k)

    return convolve


def most_patches() -> int:
    """Patches of a tile, which share what is read of U, if there are registers enough."""
    return 2 if takes_broadcasts_from_memory() else 1


def zeros_of(program: Program, *images: Buffer) -> Buffer:
    """A row of zeros, as wide as those of the images and a patch more."""
    widest = max((image.shape[2] + COLUMNS) * image.shape[3] for image in images)
    return program.whole((1, widest + full_lanes(images[0].dtype.type)), images[0].dtype)


def forward(program: Program, x: Buffer, w: np.ndarray, b: np.ndarray, y: Buffer, top: int, left: int) -> None:
    """Write down y = bias + x * w, which may end in a relu."""
    *_, channels, filters = w.shape
    real = x.dtype.type
    lanes = full_lanes(real)
    places = Places(lanes, DOWN * ALONG * channels * lanes, ALONG * lanes, ALONG * channels * lanes, lanes)
    u = arranged_weights(program, w, False, "small weights", lanes, places, places.panel * -(-filters // lanes))
    line = plane_of(real, y.shape[2] * channels)
    scratch = program.scratch(LINES * line, real)
    shape = Patches(real, min(most_patches(), y.shape[2] // COLUMNS), lanes, channels, with_bias=b.size > 0)
    program.row(
        convolve_kernel, {"shape": shape, "masked": filters % lanes != 0, "end": "store"}, Convolve, ("y", "scratch"), ends=("relu",),
        x=x, y=y, u=u, b=b if b.size else None, scratch=scratch, scratch_size=scratch.shape[1], line=line, zeros=zeros_of(program, x),
        top=top, left=left, x_height=x.shape[1], x_width=x.shape[2], height=y.shape[1], width=y.shape[2],
        channels=channels, filters=filters,
    )  # fmt: skip
