"""One pooling window over vectors of channels, with the window's size known when it is compiled.

The loops over a window are written out, so that its values stay in registers.  For windows that lie in the image; those that reach
into the padding take the plain way in `pool.py`.

Few channels do not fill a vector: then it holds all channels of several windows `beside` each other, two columns wide and two apart.
"""

import functools

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from jitcnn.forms.codes import AVERAGE, MAX
from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.vectors import Vectors, integer


def _better(builder, kind: int, value, best):
    """Whether `value` is larger (smaller); a NaN is neither."""
    return builder.fcmp_ordered(">" if kind == MAX else "<", value, best)


def _wins(builder, kind: int, value, best):
    """Whether `value` replaces `best`: larger (smaller), or a NaN where best is none."""
    is_nan, best_is_number = builder.fcmp_unordered("uno", value, value), builder.fcmp_ordered("ord", best, best)
    return builder.or_(_better(builder, kind, value, best), builder.and_(is_nan, best_is_number))


def _any_nan(builder, values):
    """Whether there is a NaN in any lane of any value: NaN is rare, and heeding it in every comparison costs half of the time."""
    pairs = zip(values[::2], [*values[1::2], values[-1]][: len(values[::2])], strict=True)
    found = [builder.fcmp_unordered("uno", a, b) for a, b in pairs]
    lanes = functools.reduce(builder.or_, found)
    bits = builder.bitcast(lanes, ir.IntType(lanes.type.count))
    return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))


def _extreme(builder, kind: int, values, wins):
    """The window's maximum or minimum."""
    return functools.reduce(lambda best, value: builder.select(wins(builder, kind, value, best), value, best), values)


def _offset(builder, i: int, j: int, row, column):
    return builder.add(builder.mul(row, integer(i)), builder.mul(column, integer(j)))


def _values(simd, taps, x, row, column, mask, beside: int):
    """What a window sees, tap by tap."""
    if beside == 1:
        return [simd.load(simd.at(x, _offset(simd.builder, i, j, row, column)), mask) for i, j in taps]
    rows = [simd.builder.gep(x, [_offset(simd.builder, i, 0, row, column)]) for i, j in taps if j == 0]
    return [value for at in rows for value in simd.load_pairs(at, simd.lanes // beside)]


@functools.cache
def make_window(real: type, kernel_h: int, kernel_w: int, kind: int, lanes: int, masked: bool, beside: int = 1):
    """The intrinsic window(x, row, column, y, count): y[:] = the maximum, minimum or mean over the window at x, for `count` channels."""
    taps = [(i, j) for i in range(kernel_h) for j in range(kernel_w)]

    def build(context, builder, signature, args):
        x, row, column, y, count = args
        simd = Vectors(builder, real, lanes * beside)
        mask = simd.mask(count) if masked else None
        values = _values(simd, taps, x, row, column, mask, beside)
        if kind == AVERAGE:
            total = functools.reduce(builder.fadd, values)
            simd.store(builder.fmul(total, simd.broadcast(ir.Constant(simd.element, 1 / len(taps)))), simd.at(y), mask)
            return context.get_dummy_value()
        with builder.if_else(_any_nan(builder, values), likely=False) as (with_nan, without):
            with with_nan:
                simd.store(_extreme(builder, kind, values, _wins), simd.at(y), mask)
            with without:
                simd.store(_extreme(builder, kind, values, _better), simd.at(y), mask)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def window(typing, x, row, column, y, count):
        return types.void(pointer, n, n, pointer, n), build

    window._set_uuid(f"jitcnn.window.{real.__name__}.{kernel_h}.{kernel_w}.{kind}.{lanes}.{masked}.{beside}")
    return window


@functools.cache
def make_window_gradient(
    real: type, kernel_h: int, kernel_w: int, kind: int, lanes: int, masked: bool, adds: bool, with_mask: bool, beside: int = 1
):
    """The intrinsic window_gradient(x, row, column, grad_y, grad_x, grad_row, count).

    The first of the window's winners takes grad_y, the others 0; an average shares it out.  adds: to what grad_x holds, since
    windows overlap, which those beside each other do not.  with_mask: x is a relu's output, and the gradient goes through that relu too.
    """
    taps = [(i, j) for i in range(kernel_h) for j in range(kernel_w)]

    def build(context, builder, signature, args):
        x, row, column, grad_y, grad_x, grad_row, count = args
        simd = Vectors(builder, real, lanes * beside)
        mask = simd.mask(count) if masked else None
        gradient = simd.load(simd.at(grad_y), mask)
        values = _values(simd, taps, x, row, column, mask, beside) if kind != AVERAGE or with_mask else []

        def give(shares):
            if beside > 1:
                held = _values(simd, taps, grad_x, grad_row, column, mask, beside) if adds else [simd.zero] * len(taps)
                sums = [builder.fadd(old, share) if adds else share for old, share in zip(held, shares, strict=True)]
                for i in range(kernel_h):
                    simd.store_pairs(*sums[2 * i : 2 * i + 2], builder.gep(grad_x, [_offset(builder, i, 0, grad_row, column)]), lanes)
                return
            for (i, j), share in zip(taps, shares, strict=True):
                target = simd.at(grad_x, _offset(builder, i, j, grad_row, column))
                simd.store(builder.fadd(simd.load(target, mask), share) if adds else share, target, mask)

        def to_winner(wins, equal):
            best = _extreme(builder, kind, values, wins)
            left = simd.where_positive(best, gradient) if with_mask else gradient
            for value in values:  # what the first winner takes is no longer left for the next
                hit = equal(value, best)
                yield builder.select(hit, left, simd.zero)
                left = builder.select(hit, simd.zero, left)

        def same(value, best):
            both_nan = builder.and_(builder.fcmp_unordered("uno", value, value), builder.fcmp_unordered("uno", best, best))
            return builder.or_(builder.fcmp_ordered("==", value, best), both_nan)

        if kind == AVERAGE:
            share = builder.fmul(gradient, simd.broadcast(ir.Constant(simd.element, 1 / len(taps))))
            give([simd.where_positive(value, share) for value in values] if with_mask else [share] * len(taps))
            return context.get_dummy_value()
        with builder.if_else(_any_nan(builder, values), likely=False) as (with_nan, without):
            with with_nan:
                give(list(to_winner(_wins, same)))
            with without:
                give(list(to_winner(_better, lambda value, best: builder.fcmp_ordered("==", value, best))))
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def window_gradient(typing, x, row, column, grad_y, grad_x, grad_row, count):
        return types.void(pointer, n, n, pointer, pointer, n, n), build

    key = (real.__name__, kernel_h, kernel_w, kind, lanes, masked, adds, with_mask, beside)
    window_gradient._set_uuid(f"jitcnn.window_gradient.{key}")
    return window_gradient
