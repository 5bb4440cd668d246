"""One pooling window over vectors of channels, with the window's size known when it is compiled.

The loops over a window are written out, so that its values stay in registers.  For windows that lie in the image; those that reach
into the padding take the plain way in `pool.py`.
"""

import functools

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from jitcnn.forms.codes import AVERAGE, MAX
from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.tile import Vectors, integer


def _wins(builder, kind: int, value, best):
    """Whether `value` replaces `best`: larger (smaller), or a NaN where best is none."""
    better = builder.fcmp_ordered(">" if kind == MAX else "<", value, best)
    is_nan, best_is_number = builder.fcmp_unordered("uno", value, value), builder.fcmp_ordered("ord", best, best)
    return builder.or_(better, builder.and_(is_nan, best_is_number))


def _offset(builder, i: int, j: int, row, column):
    return builder.add(builder.mul(row, integer(i)), builder.mul(column, integer(j)))


@functools.cache
def make_window(real: type, kernel_h: int, kernel_w: int, kind: int, lanes: int, masked: bool):
    """The intrinsic window(x, row, column, y, count): y[:] = the maximum, minimum or mean over the window at x, for `count` channels."""
    taps = [(i, j) for i in range(kernel_h) for j in range(kernel_w)]

    def build(context, builder, signature, args):
        x, row, column, y, count = args
        simd = Vectors(builder, real, lanes)
        mask = simd.mask(count) if masked else None
        values = [simd.load(simd.at(x, _offset(builder, i, j, row, column)), mask) for i, j in taps]
        result = values[0]
        for value in values[1:]:
            result = builder.fadd(result, value) if kind == AVERAGE else builder.select(_wins(builder, kind, value, result), value, result)
        if kind == AVERAGE:
            result = builder.fmul(result, simd.broadcast(ir.Constant(simd.element, 1 / len(taps))))
        simd.store(result, simd.at(y), mask)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def window(typing, x, row, column, y, count):
        return types.void(pointer, n, n, pointer, n), build

    window._set_uuid(f"jitcnn.window.{real.__name__}.{kernel_h}.{kernel_w}.{kind}.{lanes}.{masked}")
    return window


@functools.cache
def make_window_gradient(real: type, kernel_h: int, kernel_w: int, kind: int, lanes: int, masked: bool, adds: bool, with_mask: bool):
    """The intrinsic window_gradient(x, row, column, grad_y, grad_x, grad_row, count).

    The first of the window's winners takes grad_y, the others 0; an average shares it out.  adds: to what grad_x holds, since
    windows overlap.  with_mask: x is a relu's output, and the gradient goes through that relu too.
    """
    taps = [(i, j) for i in range(kernel_h) for j in range(kernel_w)]

    def build(context, builder, signature, args):
        x, row, column, grad_y, grad_x, grad_row, count = args
        simd = Vectors(builder, real, lanes)
        mask = simd.mask(count) if masked else None
        bits = ir.Constant(ir.VectorType(ir.IntType(1), lanes), [0] * lanes)
        gradient = simd.load(simd.at(grad_y), mask)
        values = [simd.load(simd.at(x, _offset(builder, i, j, row, column)), mask) for i, j in taps] if kind != AVERAGE or with_mask else []
        shares = []
        if kind == AVERAGE:
            share = builder.fmul(gradient, simd.broadcast(ir.Constant(simd.element, 1 / len(taps))))
            shares = [simd.where_positive(value, share) for value in values] if with_mask else [share] * len(taps)
        else:
            best = values[0]
            for value in values[1:]:
                best = builder.select(_wins(builder, kind, value, best), value, best)
            if with_mask:
                gradient = simd.where_positive(best, gradient)
            best_is_nan, taken = builder.fcmp_unordered("uno", best, best), bits
            for value in values:
                is_nan = builder.fcmp_unordered("uno", value, value)
                equal = builder.or_(builder.fcmp_ordered("==", value, best), builder.and_(best_is_nan, is_nan))
                hit = builder.and_(equal, builder.not_(taken))
                shares.append(builder.select(hit, gradient, simd.zero))
                taken = builder.or_(taken, hit)
        for (i, j), share in zip(taps, shares, strict=True):
            target = simd.at(grad_x, _offset(builder, i, j, grad_row, column))
            simd.store(builder.fadd(simd.load(target, mask), share) if adds else share, target, mask)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def window_gradient(typing, x, row, column, grad_y, grad_x, grad_row, count):
        return types.void(pointer, n, n, pointer, pointer, n, n), build

    window_gradient._set_uuid(
        f"jitcnn.window_gradient.{real.__name__}.{kernel_h}.{kernel_w}.{kind}.{lanes}.{masked}.{adds}.{with_mask}"
    )
    return window_gradient


