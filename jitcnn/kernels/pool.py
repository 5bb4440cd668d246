"""Pooling: windows in the image by `windows.py`, a vector at a time; windows that reach into the padding one by one."""

import functools
from collections.abc import Callable
from typing import Any

from numba import carray

from jitcnn.forms.codes import AVERAGE, MAX
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.pointers import MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.vectors import full_lanes
from jitcnn.kernels.windows import make_window, make_window_gradient

SIZES = {
    "height": int, "width": int, "channels": int, "out_height": int, "out_width": int,
    "kernel_h": int, "kernel_w": int, "stride_h": int, "stride_w": int, "top": int, "left": int,
}  # fmt: skip
Pool = record(x=Images, y=Images, **SIZES)
PoolGradient = record(grad_y=Images, x=Images, grad_x=Images, clear=int, **SIZES)

MOST_TAPS = 36  # larger windows are not written out


def choose_lanes(real: type, channels: int) -> tuple[int, bool]:
    """Lanes for a vector of channels, and whether the last vector is masked."""
    full = full_lanes(real)
    dividing = [full >> shift for shift in range(full.bit_length()) if channels % (full >> shift) == 0]
    if dividing[0] >= min(4, full) or channels == 1:
        return dividing[0], False
    return min((n for n in (2, 4, 8, 16) if n >= min(channels, full)), default=full), True


@inline()
def whole(outputs, stride, before, kernel_size, size):
    """(first, end) of the windows that lie in the image altogether, of one axis."""
    first = min(-(-before // stride), outputs)
    return first, max(first, min((size + before - kernel_size) // stride + 1, outputs))


@inline()
def inside(start, kernel_size, size):
    """(first, end) of a window's positions that are in the image."""
    return max(start, 0), min(start + kernel_size, size)


def make_plain(real: type, kind: int):
    """The same for one channel of any window, and its gradient: plain loops."""
    zero = real(0)
    is_average, is_max = kind == AVERAGE, kind == MAX

    @inline((real.__name__, kind))
    def wins(value, best):
        return (value > best if is_max else value < best) or (value != value and best == best)

    @inline((real.__name__, kind))
    def reduce(x, i0, i1, j0, j1, c):
        result = zero if is_average else x[i0, j0, c]
        for i in range(i0, i1):
            for j in range(j0, j1):
                if is_average:
                    result += x[i, j, c]
                elif wins(x[i, j, c], result):
                    result = x[i, j, c]
        return result / real((i1 - i0) * (j1 - j0)) if is_average else result

    @inline((real.__name__, kind))
    def spread(x, i0, i1, j0, j1, c, gradient, grad_x, masked):
        share = gradient / real((i1 - i0) * (j1 - j0)) if is_average else zero
        best_i, best_j = i0, j0
        for i in range(i0, i1):
            for j in range(j0, j1):
                if is_average:
                    if not (masked and x[i, j, c] <= zero):
                        grad_x[i, j, c] += share
                elif wins(x[i, j, c], x[best_i, best_j, c]):
                    best_i, best_j = i, j
        if not is_average and not (masked and x[best_i, best_j, c] <= zero):
            grad_x[best_i, best_j, c] += gradient

    return reduce, spread


@functools.cache
def pool_kernel(real: type, kernel_h: int, kernel_w: int, kind: int, lanes: int, masked: bool, written_out: bool, beside: int):
    """Forward."""
    key = (real.__name__, kernel_h, kernel_w, kind, lanes, masked, written_out, beside)
    taps = (kernel_h, kernel_w) if written_out else (1, 1)
    window, last_window = make_window(real, *taps, kind, lanes, False), make_window(real, *taps, kind, lanes, masked)
    several = make_window(real, *taps, kind, lanes, False, beside)
    reduce, _ = make_plain(real, kind)
    pointer, move = ACCESS[real][1], MOVE[real]

    @kernel(Pool, key, f"pool {kernel_h}x{kernel_w} {real.__name__}")
    def pool(arguments, first, last, worker):
        a = only(arguments)
        c, row = a.channels, a.x.row
        top, bottom = whole(a.out_height, a.stride_h, a.top, a.kernel_h, a.height)
        left, right = whole(a.out_width, a.stride_w, a.left, a.kernel_w, a.width)
        for n in range(first, last):
            x, y = pointer(a.x, n, first, worker), pointer(a.y, n, first, worker)
            pixels = lines_of(x, a.height, row, c)
            for p in range(a.out_height):
                i = p * a.stride_h - a.top
                is_whole = written_out and top <= p < bottom
                q = 0
                while q < a.out_width:
                    j = q * a.stride_w - a.left
                    x_at, y_at = move(x, i * row + j * c), move(y, p * a.y.row + q * c)
                    if is_whole and left <= q < right:
                        if beside > 1 and q + beside <= right:
                            several(x_at, row, c, y_at, lanes)
                            q += beside
                            continue
                        for k in range(0, c, lanes):
                            if k + lanes <= c:
                                window(move(x_at, k), row, c, move(y_at, k), lanes)
                            elif masked:
                                last_window(move(x_at, k), row, c, move(y_at, k), c - k)
                    else:
                        i0, i1 = inside(i, a.kernel_h, a.height)
                        j0, j1 = inside(j, a.kernel_w, a.width)
                        for k in range(c):
                            y_at[k] = reduce(pixels, i0, i1, j0, j1, k)
                    q += 1

    return pool


@inline()
def lines_of(pointer, height, row, channels):
    """An image as (rows, columns, channels), its border's columns included behind the last."""
    return carray(pointer, (height, row // channels, channels))


@functools.cache
def pool_gradient_kernel(
    real: type, kernel_h: int, kernel_w: int, kind: int, lanes: int, masked: bool, written_out: bool, beside: int, adds: bool, end: str
):
    """Gradient of the input."""
    with_mask = end == "mask of x"
    key = (real.__name__, kernel_h, kernel_w, kind, lanes, masked, written_out, beside, adds, with_mask)
    taps = (kernel_h, kernel_w) if written_out else (1, 1)
    window = make_window_gradient(real, *taps, kind, lanes, False, adds, with_mask)
    last_window = make_window_gradient(real, *taps, kind, lanes, masked, adds, with_mask)
    several = make_window_gradient(real, *taps, kind, lanes, False, adds, with_mask, beside)
    _, spread = make_plain(real, kind)
    (line, pointer), move, zero = ACCESS[real], MOVE[real], real(0)

    @kernel(PoolGradient, key, f"gradient of pool {kernel_h}x{kernel_w} {real.__name__}")
    def pool_gradient(arguments, first, last, worker):
        a = only(arguments)
        c, row, grad_row = a.channels, a.x.row, a.grad_x.row
        top, bottom = whole(a.out_height, a.stride_h, a.top, a.kernel_h, a.height)
        left, right = whole(a.out_width, a.stride_w, a.left, a.kernel_w, a.width)
        for n in range(first, last):
            x, grad_x, grad_y = pointer(a.x, n, first, worker), pointer(a.grad_x, n, first, worker), pointer(a.grad_y, n, first, worker)
            if a.clear:
                for r in range(a.height):
                    cleared = line(a.grad_x, n, first, worker, r, a.width * c)
                    for i in range(a.width * c):
                        cleared[i] = zero
            pixels, grad_pixels = lines_of(x, a.height, row, c), lines_of(grad_x, a.height, grad_row, c)
            for p in range(a.out_height):
                i = p * a.stride_h - a.top
                is_whole = written_out and top <= p < bottom
                q = 0
                while q < a.out_width:
                    j = q * a.stride_w - a.left
                    x_at, grad_at = move(x, i * row + j * c), move(grad_x, i * grad_row + j * c)
                    g_at = move(grad_y, p * a.grad_y.row + q * c)
                    if is_whole and left <= q < right:
                        if beside > 1 and q + beside <= right:
                            several(x_at, row, c, g_at, grad_at, grad_row, lanes)
                            q += beside
                            continue
                        for k in range(0, c, lanes):
                            if k + lanes <= c:
                                window(move(x_at, k), row, c, move(g_at, k), move(grad_at, k), grad_row, lanes)
                            elif masked:
                                last_window(move(x_at, k), row, c, move(g_at, k), move(grad_at, k), grad_row, c - k)
                    else:
                        i0, i1 = inside(i, a.kernel_h, a.height)
                        j0, j1 = inside(j, a.kernel_w, a.width)
                        for k in range(c):
                            spread(pixels, i0, i1, j0, j1, k, g_at[k], grad_pixels, with_mask)
                    q += 1

    return pool_gradient


def sizes_of(x: Buffer, y: Buffer, kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, top: int, left: int) -> dict[str, Any]:
    """The integers of both records."""
    _, height, width, channels = x.shape
    return {
        "height": height, "width": width, "channels": channels, "out_height": y.shape[1], "out_width": y.shape[2],
        "kernel_h": kernel_h, "kernel_w": kernel_w, "stride_h": stride_h, "stride_w": stride_w, "top": top, "left": left,
    }  # fmt: skip


def window_key(x: Buffer, kernel_h: int, kernel_w: int, stride_w: int, kind: int) -> dict[str, int | bool | type]:
    """What both kernels are compiled for."""
    real = x.dtype.type
    lanes, masked = choose_lanes(real, x.shape[3])
    written_out = kernel_h * kernel_w <= MOST_TAPS
    size = (kernel_h, kernel_w) if written_out else (0, 0)
    beside = full_lanes(real) // lanes if written_out and lanes == x.shape[3] and kernel_w == stride_w == 2 else 1
    return {
        "real": real, "kernel_h": size[0], "kernel_w": size[1], "kind": kind, "lanes": lanes, "masked": masked, "written_out": written_out,
        "beside": beside,
    }  # fmt: skip


def pool2d(
    program: Program, x: Buffer, y: Buffer, kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, top: int, left: int, kind: int
) -> None:
    """Forward."""
    program.row(
        pool_kernel, window_key(x, kernel_h, kernel_w, stride_w, kind), Pool, ("y",), x=x, y=y,
        **sizes_of(x, y, kernel_h, kernel_w, stride_h, stride_w, top, left),
    )  # fmt: skip


def pool2d_grad_input(
    program: Program, grad_y: Buffer, x: Buffer, y: Buffer, grad_x: Buffer,
    kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, top: int, left: int, kind: int,
) -> None:  # fmt: skip
    """Gradient of the input; the winners are found again in x."""
    _, height, width, _ = x.shape
    apart = stride_h >= kernel_h and stride_w >= kernel_w and kernel_h * kernel_w <= MOST_TAPS
    padded = top > 0 or left > 0 or (y.shape[1] - 1) * stride_h + kernel_h > height or (y.shape[2] - 1) * stride_w + kernel_w > width
    covered = (stride_h, stride_w) == (kernel_h, kernel_w) and (y.shape[1] * stride_h, y.shape[2] * stride_w) == (height, width)
    adds = not apart or padded
    program.row(
        pool_gradient_kernel, window_key(x, kernel_h, kernel_w, stride_w, kind) | {"adds": adds, "end": "store"},
        PoolGradient, ("grad_x",), ends=("mask of x",), grad_y=grad_y, x=x, grad_x=grad_x, clear=adds or not covered,
        **sizes_of(x, y, kernel_h, kernel_w, stride_h, stride_w, top, left),
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"pool2d": pool2d, "pool2d_grad_input": pool2d_grad_input}
