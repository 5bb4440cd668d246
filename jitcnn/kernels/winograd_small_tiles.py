"""Winograd's convolution F(2x2, 3x3) with all sums in registers: the tiles of its forward pass and of the gradient of its weights.

A patch of 2x2 outputs sees 4x4 pixels.  Their 16 values V are sums and differences of four pixels, at most, and so are the 16 values of
the filter U but for halves: 16 products do the work of 36.  The maps are those of the points 0, 1, -1 and infinity:

    V = B^T d B     B^T = 1  0 -1  0      U = G w G^T     G = 1    0   0      y = A^T (U V) A     A^T = 1  1  1  0
                          0  1  1  0                          1/2  1/2 1/2                              0  1 -1  1
                          0 -1  1  0                          1/2 -1/2 1/2
                          0  1  0 -1                          0    0  -1

Sums of products go into the outputs' registers a row of values at a time and are never stored: with few channels, storing 16 of them for 4
outputs would take longer than the sums.
"""

import functools
from typing import NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.vectors import Vectors, integer

POINTS = 4  # along an axis
LINES = 12  # of V: for each of its 4 rows, what stands at columns 0 and 3, at column 1 and at column 2
AT_COLUMN = (0, 1, 2, 0)  # which of a row's lines holds a column; column 3 stands one pixel further than column 0
SHORT_RUN = 4  # channels whose loop is written out; more, and sums leave the registers


@functools.cache
def make_take_lines(real: type, lanes: int):
    """The intrinsic take_lines(x, row, i, height, left, width, zeros, pixel, v, line, count): V of patches at every pixel of a line.

    From the rows i to i + 3 of an image of `height` rows of `width` numbers, `row` apart; patches begin `left` numbers in front of it, and
    outside of it are zeros, of which a row lies at `zeros`.  A pixel's channels are `pixel` numbers.  Values stand where their patch
    begins, in lines of `count` numbers, whose last vectors may be wider than that.
    """

    def build(context, builder, signature, args):
        x, row, i, height, left, width, zeros, pixel, v, line, count = args
        simd = Vectors(builder, real, lanes)
        rows = []
        for below in range(POINTS):
            number = builder.add(i, integer(below))
            inside = builder.and_(builder.icmp_signed(">=", number, integer(0)), builder.icmp_signed("<", number, height))
            rows.append(builder.select(inside, builder.gep(x, [builder.mul(row, number)]), zeros))

        def values(start, masked):
            columns = []
            for column in range(3):
                place = builder.sub(builder.add(start, builder.mul(pixel, integer(column))), left)
                mask = None
                if masked:
                    mask = builder.xor(simd.mask(builder.sub(width, place)), simd.mask(builder.neg(place)))
                columns.append(down(builder, [simd.load(simd.at(each, place), mask) for each in rows]))
            for k in range(POINTS):
                first, second, third = (column[k] for column in columns)
                outer, total, difference = builder.fsub(first, third), builder.fadd(second, third), builder.fsub(third, second)
                for n, value in enumerate((outer, total, difference)):
                    simd.store(value, simd.at(v, builder.add(start, builder.mul(line, integer(3 * k + n)))))

        vectors = builder.sdiv(builder.add(count, integer(lanes - 1)), integer(lanes))
        with cgutils.for_range(builder, vectors) as vector:
            start = builder.mul(vector.index, integer(lanes))
            end = builder.sub(builder.add(start, builder.add(builder.mul(pixel, integer(2)), integer(lanes))), left)
            inside = builder.and_(builder.icmp_signed(">=", start, left), builder.icmp_signed("<=", end, width))
            with builder.if_else(inside) as (then, otherwise):
                with then:
                    values(start, False)
                with otherwise:
                    values(start, True)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def take_lines(typing, x, row, i, height, left, width, zeros, pixel, v, line, count):
        return types.void(pointer, n, n, n, n, n, pointer, n, pointer, n, n), build

    take_lines._set_uuid(f"jitcnn.winograd_small.take_lines.{real.__name__}.{lanes}")
    return take_lines


def down(builder, d):
    """B^T of four rows."""
    return [builder.fsub(d[0], d[2]), builder.fadd(d[1], d[2]), builder.fsub(d[2], d[1]), builder.fsub(d[1], d[3])]


class Patches(NamedTuple):
    """A tile of neighbouring patches: 2 x 2 outputs of `lanes` filters each."""

    real: type
    patches: int
    lanes: int
    channels: int
    with_bias: bool = False
    end: str = "store"  # "store" or "relu"
    masked: bool = False  # whether only the first `columns` filters count


def add_products(builder, simd: Vectors, shape: Patches, v, line, u, n_k, i: int, columns: tuple[int, int], sums) -> None:
    """Write: to sums[column, patch] add U V of two columns of row i, over the channels."""

    def step(c):
        for j in columns:
            place = builder.add(builder.mul(c, integer(POINTS * shape.lanes)), integer((i * shape.channels * POINTS + j) * shape.lanes))
            weights = simd.load(simd.at(u, place))
            values = builder.gep(v, [builder.add(builder.mul(line, integer(3 * i + AT_COLUMN[j])), c)])
            for p in range(shape.patches):
                value = simd.broadcast(builder.load(builder.gep(values, [integer((2 * p + (j == 3)) * shape.channels)])))
                builder.store(simd.multiply_add(value, weights, builder.load(sums[j, p])), sums[j, p])

    if shape.channels <= SHORT_RUN:
        for c in range(shape.channels):
            step(integer(c))
    else:
        with cgutils.for_range(builder, n_k) as channel:
            step(channel.index)


@functools.cache
def make_patches(shape: Patches):
    """The intrinsic patches(y, y_line, y_pixel, v, line, u, n_k, bias, columns): y of patches side by side, from their V and from U.

    n_k: channels again, for a loop that the compiler does not write out.
    """
    count = shape.patches

    def build(context, builder, signature, args):
        y, y_line, y_pixel, v, line, u, n_k, bias, columns = args
        simd = Vectors(builder, shape.real, shape.lanes)
        mask = simd.mask(columns) if shape.masked else None
        first = simd.load(simd.at(bias), mask) if shape.with_bias else simd.zero
        cells = [(p, r, q) for p in range(count) for r in range(2) for q in range(2)]
        y_sums = {cell: cgutils.alloca_once_value(builder, first) for cell in cells}

        def add(total, value, sign=1):
            builder.store((builder.fadd if sign > 0 else builder.fsub)(builder.load(total), value), total)

        def products(i, columns_of_values, sums):
            add_products(builder, simd, shape, v, line, u, n_k, i, columns_of_values, sums)

        def fresh(*columns_of_values):
            return {(j, p): cgutils.alloca_once_value(builder, simd.zero) for j in columns_of_values for p in range(count)}

        for i in range(POINTS):
            rows = {0: [(0, 1)], 1: [(0, 1), (1, 1)], 2: [(0, 1), (1, -1)], 3: [(1, 1)]}[i]  # of y that it goes into, and signs
            inner, outer = fresh(1, 2), fresh(0, 3)
            if len(rows) == 1:
                outer = {(j, p): y_sums[p, rows[0][0], j // 3] for j, p in outer}
            products(i, (0, 3), outer)
            products(i, (1, 2), inner)
            for p in range(count):
                one, two = builder.load(inner[1, p]), builder.load(inner[2, p])
                add(outer[0, p], builder.fadd(one, two))
                add(outer[3, p], builder.fsub(one, two))
            if len(rows) == 2:
                for (j, p), total in outer.items():
                    for r, sign in rows:
                        add(y_sums[p, r, j // 3], builder.load(total), sign)
        for p, r, q in cells:
            out = builder.load(y_sums[p, r, q])
            if shape.end == "relu":
                out = simd.relu(out)
            simd.store(out, simd.at(y, builder.add(builder.mul(y_line, integer(r)), builder.mul(y_pixel, integer(2 * p + q)))), mask)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[shape.real]), types.int64

    @intrinsic
    def patches(typing, y, y_line, y_pixel, v, line, u, n_k, bias, columns):
        return types.void(pointer, n, n, pointer, n, pointer, n, pointer, n), build

    patches._set_uuid(f"jitcnn.winograd_small.patches.{tuple(shape)}")
    return patches


class Sums(NamedTuple):
    """A tile of sums over patches: of `block` channels, whose pixels hold `channels`, times `lanes` filters, at 16 values."""

    real: type
    block: int
    lanes: int
    channels: int
    masked: bool = False


@functools.cache
def make_sums(shape: Sums):
    """The intrinsic add_sums(s, value, channel, v, line, pair, g, g_line, g_pixel, pairs, count, columns).

    s[e * value + c * channel] += V Z over `count` patches in each of so many pairs of lines.  Z of a patch's 2x2 gradients g, which are
    sums and differences too; halves are left to the end.
    """
    lanes, channels, block = shape.lanes, shape.channels, shape.block

    def build(context, builder, signature, args):
        s, value, channel, v, line, pair, g, g_line, g_pixel, pairs, count, columns = args
        simd = Vectors(builder, shape.real, lanes)
        mask = simd.mask(columns) if shape.masked else None

        def gradient(at, r, q):
            return simd.load(simd.at(at, builder.add(builder.mul(g_line, integer(r)), builder.mul(g_pixel, integer(q)))), mask)

        def halves(at, i):
            """The values of row i at the patch's two columns."""
            if i in (0, 3):
                return [gradient(at, i // 3, q) for q in range(2)]
            combine = builder.fadd if i == 1 else builder.fsub
            return [combine(gradient(at, 0, q), gradient(at, 1, q)) for q in range(2)]

        for i in range(POINTS):
            cells = [(j, c) for j in range(POINTS) for c in range(block)]
            places = {
                (j, c): simd.at(s, builder.add(builder.mul(value, integer(POINTS * i + j)), builder.mul(channel, integer(c))))
                for j, c in cells
            }
            sums = {cell: cgutils.alloca_once(builder, simd.type) for cell in cells}
            for cell in cells:
                builder.store(simd.load(places[cell]), sums[cell])
            with cgutils.for_range(builder, pairs) as r:
                v_pair = builder.gep(v, [builder.add(builder.mul(r.index, pair), builder.mul(line, integer(3 * i)))])
                g_pair = builder.gep(g, [builder.mul(r.index, builder.mul(g_line, integer(2)))])
                with cgutils.for_range(builder, count) as p:
                    at = builder.gep(g_pair, [builder.mul(p.index, builder.mul(g_pixel, integer(2)))])
                    first, second = halves(at, i)
                    z = [first, builder.fadd(first, second), builder.fsub(first, second), second]
                    values = builder.gep(v_pair, [builder.mul(p.index, integer(2 * channels))])
                    for j in range(POINTS):
                        from_here = builder.gep(values, [builder.mul(line, integer(AT_COLUMN[j]))])
                        for c in range(block):
                            number = builder.load(builder.gep(from_here, [integer((j == 3) * channels + c)]))
                            total = simd.multiply_add(simd.broadcast(number), z[j], builder.load(sums[j, c]))
                            builder.store(total, sums[j, c])
            for cell in cells:
                simd.store(builder.load(sums[cell]), places[cell])
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[shape.real]), types.int64

    @intrinsic
    def add_sums(typing, s, value, channel, v, line, pair, g, g_line, g_pixel, pairs, count, columns):
        return types.void(pointer, n, n, pointer, n, n, pointer, n, n, n, n, n), build

    add_sums._set_uuid(f"jitcnn.winograd_small.sums.{tuple(shape)}")
    return add_sums
