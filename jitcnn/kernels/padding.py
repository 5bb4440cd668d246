"""A border around images as a layer's own pass, and its gradient, a row at a time.

One row of the large image:   before | the pixels of a row of the small one | behind
"""

import functools
from collections.abc import Callable

from jitcnn.forms.codes import EDGE
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

#: small is the image of `height` x `width` pixels, large the padded one.
Pad = record(
    small=Images, large=Images, height=int, width=int, channels=int, large_height=int, large_width=int, top=int, left=int
)  # fmt: skip


@inline()
def nearest(index, size):
    """The valid index closest to `index`."""
    return min(max(index, 0), size - 1)


@functools.cache
def pad_kernel(real: type, edge: bool):
    """Copy every row into the middle of a longer one; the border takes the nearest pixel (edge) or zeros."""
    pointer, move, zero = ACCESS[real][1], MOVE[real], real(0)

    @kernel(Pad, (real.__name__, edge), f"pad2d {'edge' if edge else 'zero'} {real.__name__}")
    def pad2d(arguments, first, last, worker):
        a = only(arguments)
        channels, run, start = a.channels, a.width * a.channels, a.left * a.channels
        behind = (a.large_width - a.left - a.width) * channels
        for n in range(first, last):
            for i in range(a.large_height):
                row = nearest(i - a.top, a.height)
                x = move(pointer(a.small, n, first, worker), row * a.small.row)
                y = move(pointer(a.large, n, first, worker), i * a.large.row)
                middle, end = move(y, start), move(y, start + run)
                if edge or row == i - a.top:
                    for k in range(run):
                        middle[k] = x[k]
                else:
                    for k in range(run):
                        middle[k] = zero
                if edge:
                    last_pixel = move(x, run - channels)
                    for k in range(start):
                        y[k] = x[k % channels]
                    for k in range(behind):
                        end[k] = last_pixel[k % channels]
                else:
                    for k in range(start):
                        y[k] = zero
                    for k in range(behind):
                        end[k] = zero

    return pad2d


@functools.cache
def pad_grad_kernel(real: type, edge: bool):
    """Cut the middle out; with edge, a border's gradients add up on the pixel they were copied from."""
    pointer, move, zero = ACCESS[real][1], MOVE[real], real(0)

    @kernel(Pad, (real.__name__, edge), f"pad2d_grad_input {'edge' if edge else 'zero'} {real.__name__}")
    def pad2d_grad_input(arguments, first, last, worker):
        a = only(arguments)
        channels, run, start = a.channels, a.width * a.channels, a.left * a.channels
        behind = (a.large_width - a.left - a.width) * channels
        for n in range(first, last):
            for i in range(a.height):
                grad_x = move(pointer(a.small, n, first, worker), i * a.small.row)
                middle = move(pointer(a.large, n, first, worker), (i + a.top) * a.large.row + start)
                for k in range(run):
                    grad_x[k] = zero if edge else middle[k]
            if edge:
                for i in range(a.large_height):
                    grad_x = move(pointer(a.small, n, first, worker), nearest(i - a.top, a.height) * a.small.row)
                    grad_y = move(pointer(a.large, n, first, worker), i * a.large.row)
                    middle, end, last_pixel = move(grad_y, start), move(grad_y, start + run), move(grad_x, run - channels)
                    for k in range(start):
                        grad_x[k % channels] += grad_y[k]
                    for k in range(run):
                        grad_x[k] += middle[k]
                    for k in range(behind):
                        last_pixel[k % channels] += end[k]

    return pad2d_grad_input


def pad2d(program: Program, x: Buffer, y: Buffer, top: int, left: int, mode: int) -> None:
    """Forward."""
    _row(program, pad_kernel, x, y, "large", top, left, mode)


def pad2d_grad_input(program: Program, grad_y: Buffer, grad_x: Buffer, top: int, left: int, mode: int) -> None:
    """Gradient of the images that were padded."""
    _row(program, pad_grad_kernel, grad_x, grad_y, "small", top, left, mode)


def _row(program: Program, factory, small: Buffer, large: Buffer, written: str, top: int, left: int, mode: int) -> None:
    _, height, width, channels = small.shape
    program.row(
        factory, {"real": small.dtype.type, "edge": mode == EDGE}, Pad, (written,), small=small, large=large, top=top, left=left,
        height=height, width=width, channels=channels, large_height=large.shape[1], large_width=large.shape[2],
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"pad2d": pad2d, "pad2d_grad_input": pad2d_grad_input}
