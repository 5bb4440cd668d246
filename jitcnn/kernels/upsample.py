"""Larger images by repeating every pixel, and the gradient, a row at a time."""

import functools

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

#: small is the image of `height` x `width` pixels, large the one `factor_h` x `factor_w` times its size.
Upsample = record(small=Images, large=Images, height=int, width=int, channels=int, factor_h=int)


@functools.cache
def upsample_kernel(real: type, factor_w: int):
    """Repeat every pixel; the factor across is compiled in, so that its loop is written out."""
    line = ACCESS[real][0]

    @kernel(Upsample, (real.__name__, factor_w), f"upsample2d {factor_w} {real.__name__}")
    def upsample2d(arguments, first, last, worker):
        a = only(arguments)
        channels, width = a.channels, a.width * a.channels
        for n in range(first, last):
            for i in range(a.height):
                x = line(a.small, n, first, worker, i, width)
                wide = line(a.large, n, first, worker, i * a.factor_h, width * factor_w)
                for j in range(a.width):
                    for v in range(factor_w):
                        for c in range(channels):
                            wide[(j * factor_w + v) * channels + c] = x[j * channels + c]
                for u in range(1, a.factor_h):
                    copy = line(a.large, n, first, worker, i * a.factor_h + u, width * factor_w)
                    for k in range(width * factor_w):
                        copy[k] = wide[k]

    return upsample2d


@functools.cache
def upsample_grad_kernel(real: type, factor_w: int):
    """A pixel collects from its whole block, row after row of it."""
    line, zero = ACCESS[real][0], real(0)

    @kernel(Upsample, (real.__name__, factor_w), f"upsample2d_grad_input {factor_w} {real.__name__}")
    def upsample2d_grad_input(arguments, first, last, worker):
        a = only(arguments)
        channels, width = a.channels, a.width * a.channels
        for n in range(first, last):
            for i in range(a.height):
                grad_x = line(a.small, n, first, worker, i, width)
                for k in range(width):
                    grad_x[k] = zero
                for u in range(a.factor_h):
                    grad_y = line(a.large, n, first, worker, i * a.factor_h + u, width * factor_w)
                    for j in range(a.width):
                        for c in range(channels):
                            total = grad_x[j * channels + c]
                            for v in range(factor_w):
                                total += grad_y[(j * factor_w + v) * channels + c]
                            grad_x[j * channels + c] = total

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


LOWERINGS = {"upsample2d": upsample2d, "upsample2d_grad_input": upsample2d_grad_input}
