"""Larger images by repeating every pixel, and the gradient, a row at a time."""

import functools
from collections.abc import Callable

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

#: small is the image of `height` x `width` pixels, large the one `factor_h` x `factor_w` times its size.
Upsample = record(small=Images, large=Images, height=int, width=int, channels=int, factor_h=int)


@functools.cache
def upsample_kernel(real: type, factor_w: int):
    """Repeat every pixel; the factor across is compiled in, so that its loop is written out."""
    pointer, move = ACCESS[real][1], MOVE[real]

    @kernel(Upsample, (real.__name__, factor_w), f"upsample2d {factor_w} {real.__name__}")
    def upsample2d(arguments, first, last, worker):
        a = only(arguments)
        channels = a.channels
        for n in range(first, last):
            for i in range(a.height):
                x = move(pointer(a.small, n, first, worker), i * a.small.row)
                wide = move(pointer(a.large, n, first, worker), i * a.factor_h * a.large.row)
                for j in range(a.width):
                    pixel = move(x, j * channels)
                    for v in range(factor_w):
                        target = move(wide, (j * factor_w + v) * channels)
                        for c in range(channels):
                            target[c] = pixel[c]
                for u in range(1, a.factor_h):
                    copy = move(wide, u * a.large.row)
                    for k in range(a.width * factor_w * channels):
                        copy[k] = wide[k]

    return upsample2d


@functools.cache
def upsample_grad_kernel(real: type, factor_w: int):
    """A pixel collects from its whole block, row after row of it."""
    pointer, move, zero = ACCESS[real][1], MOVE[real], real(0)

    @kernel(Upsample, (real.__name__, factor_w), f"upsample2d_grad_input {factor_w} {real.__name__}")
    def upsample2d_grad_input(arguments, first, last, worker):
        a = only(arguments)
        channels = a.channels
        for n in range(first, last):
            for i in range(a.height):
                grad_x = move(pointer(a.small, n, first, worker), i * a.small.row)
                for k in range(a.width * channels):
                    grad_x[k] = zero
                for u in range(a.factor_h):
                    grad_y = move(pointer(a.large, n, first, worker), (i * a.factor_h + u) * a.large.row)
                    for j in range(a.width):
                        pixel, block = move(grad_x, j * channels), move(grad_y, j * factor_w * channels)
                        for c in range(channels):
                            total = pixel[c]
                            for v in range(factor_w):
                                total += block[v * channels + c]
                            pixel[c] = total

    return upsample2d_grad_input


def upsample2d(program: Program, x: Buffer, y: Buffer, factor_h: int, factor_w: int) -> None:
    """Forward."""
    _row(program, upsample_kernel, x, y, "large", factor_h, factor_w)


def upsample2d_grad_input(program: Program, grad_y: Buffer, grad_x: Buffer, factor_h: int, factor_w: int) -> None:
    """Gradient of the small images."""
    _row(program, upsample_grad_kernel, grad_x, grad_y, "small", factor_h, factor_w)


def _row(program: Program, factory, small: Buffer, large: Buffer, written: str, factor_h: int, factor_w: int) -> None:
    _, height, width, channels = small.shape
    program.row(
        factory, {"real": small.dtype.type, "factor_w": factor_w}, Upsample, (written,),
        small=small, large=large, height=height, width=width, channels=channels, factor_h=factor_h,
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"upsample2d": upsample2d, "upsample2d_grad_input": upsample2d_grad_input}
