"""Winograd's convolution F(4x2, 3x3) with all sums in registers: the tiles of its forward pass and of the gradient of its weights.

A patch of 4 rows of 2 outputs sees 6x4 pixels. Down the columns, the maps are those of 4 outputs, along the rows those of 2, which are
nothing but sums and differences, at the points 0, 1, -1 and infinity:

    B^T = 1  0 -1  0      G = 1    0   0      A^T = 1  1  1  0
          0  1  1  0          1/2  1/2 1/2          0  1 -1  1
          0 -1  1  0          1/2 -1/2 1/2
          0  1  0 -1          0    0  -1

So 24 products do the work of 72. Patches of 2x2 outputs would take 32 for that, and those of 4x4 have more sums than there are registers.

Sums of products go into the outputs' registers a row of values at a time and are never stored: with few channels, storing 24 of them for 8
outputs would take longer than the sums.
"""

import functools
from typing import NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.vectors import Vectors, integer, keep_order
from jitcnn.kernels.winograd_choice import SMALL
from jitcnn.kernels.winograd_transforms import Arithmetic, inputs

ROWS, COLUMNS = SMALL.rows, SMALL.columns  # outputs of a patch
DOWN, ALONG = ROWS + 2, COLUMNS + 2  # its values
LINES = 3 * DOWN  # of V: for each row of values, what stands at columns 0 and 3, at column 1 and at column 2
AT_COLUMN = (0, 1, 2, 0)  # which of a row's lines holds a column; column 3 stands one pixel further than column 0
#: Which rows of values are computed together, which rows of a patch they go with, and at which point: opposite points have much in common.
PASSES = (((1, 2), (0, 1, 2, 3), 1), ((3, 4), (0, 1, 2, 3), 2), ((0,), (0,), 0), ((5,), (3,), 0))
SHORT_RUN = 4  # channels whose loop is written out; more, and sums leave the registers


@functools.cache
def make_take_lines(real: type, lanes: int):
    """The intrinsic take_lines(x, row, i, height, left, width, zeros, pixel, v, line, count): V of patches at every pixel of a line.

    From the rows i to i + 5 of an image of `height` rows of `width` numbers, `row` apart; patches begin `left` numbers in front of it, and
    outside of it are zeros, of which a row lies at `zeros`.  A pixel's channels are `pixel` numbers.  Values stand where their patch
    begins, in lines of `count` numbers, whose last vectors may be wider than that.
    """

    def build(context, builder, signature, args):
        x, row, i, height, left, width, zeros, pixel, v, line, count = args
        simd = Vectors(builder, real, lanes)
        arithmetic = Arithmetic(simd)
        rows = []
        for below in range(DOWN):
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
                columns.append(inputs(arithmetic, [simd.load(simd.at(each, place), mask) for each in rows]))
            for k in range(DOWN):
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


class Patches(NamedTuple):
    """A tile of neighbouring patches: 4 x 2 outputs of `lanes` filters each."""

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
            place = builder.add(builder.mul(c, integer(ALONG * shape.lanes)), integer((i * shape.channels * ALONG + j) * shape.lanes))
            weights = simd.load(simd.at(u, place))
            values = builder.gep(v, [builder.add(builder.mul(line, integer(3 * i + AT_COLUMN[j])), c)])
            for p in range(shape.patches):
                value = simd.broadcast(builder.load(builder.gep(values, [integer((COLUMNS * p + (j == 3)) * shape.channels)])))
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
        arithmetic = Arithmetic(simd)
        mask = simd.mask(columns) if shape.masked else None
        first = simd.load(simd.at(bias), mask) if shape.with_bias else simd.zero
        y_sums = {(p, r, q): cgutils.alloca_once_value(builder, first) for p in range(count) for r in range(ROWS) for q in range(COLUMNS)}

        def fresh(*columns_of_values):
            nothing = arithmetic.constant(-0.0)  # to which products are added without a register of zeros
            return {(j, p): cgutils.alloca_once_value(builder, nothing) for j in columns_of_values for p in range(count)}

        def along(i, outer):
            """A^T along row i of values, which gives two columns of each patch; what stands at columns 0 and 3 is added to `outer`."""
            keep_order(builder)
            inner = fresh(1, 2)
            add_products(builder, simd, shape, v, line, u, n_k, i, (0, 3), outer)
            add_products(builder, simd, shape, v, line, u, n_k, i, (1, 2), inner)
            found = {}
            for p in range(count):
                one, two = builder.load(inner[1, p]), builder.load(inner[2, p])
                found[p, 0] = builder.fadd(builder.load(outer[0, p]), builder.fadd(one, two))
                found[p, 1] = builder.fadd(builder.load(outer[3, p]), builder.fsub(one, two))
            return found

        for rows, (r, *others), point in PASSES:
            if not others:
                for (p, q), value in along(*rows, {(j, p): y_sums[p, r, j // 3] for j in (0, 3) for p in range(count)}).items():
                    builder.store(value, y_sums[p, r, q])
                continue
            one, opposite = (along(i, fresh(0, 3)) for i in rows)
            for p, q in one:
                even, odd = builder.fadd(one[p, q], opposite[p, q]), builder.fsub(one[p, q], opposite[p, q])
                for r in range(ROWS):
                    total = arithmetic.add(point**r, odd if r % 2 else even, builder.load(y_sums[p, r, q]))
                    builder.store(total, y_sums[p, r, q])
        for (p, r, q), total in y_sums.items():
            out = builder.load(total)
            if shape.end == "relu":
                out = simd.relu(out)
            place = builder.add(builder.mul(y_line, integer(r)), builder.mul(y_pixel, integer(COLUMNS * p + q)))
            simd.store(out, simd.at(y, place), mask)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[shape.real]), types.int64

    @intrinsic
    def patches(typing, y, y_line, y_pixel, v, line, u, n_k, bias, columns):
        return types.void(pointer, n, n, pointer, n, pointer, n, pointer, n), build

    patches._set_uuid(f"jitcnn.winograd_small.patches.{tuple(shape)}")
    return patches


class Sums(NamedTuple):
    """A tile of sums over patches: of `block` channels, whose pixels hold `channels`, times `lanes` filters, at 24 values."""

    real: type
    block: int
    lanes: int
    channels: int
    masked: bool = False


def passes_of(block: int) -> list[tuple]:
    """Which of PASSES are taken together: one channel has registers enough for several, which share what is read of the gradients."""
    return [(PASSES[0], PASSES[2], PASSES[3]), (PASSES[1],)] if block == 1 else [(part,) for part in PASSES]


def values_of(builder, arithmetic: Arithmetic, columns, rows, taken, point):
    """The values of a patch's gradients in some rows, one (row, column, value) after the other; `columns`: of gradients, by their row."""

    def down(column):
        if len(taken) == 1:
            return [column[k] for k in taken]
        even, odd = (arithmetic.add(point**2, column[k + 2], column[k]) for k in (0, 1))
        return even, arithmetic.times(point, odd)

    in_common = [down(column) for column in columns]  # opposite points have sums of the even and of the odd gradients in common
    for i in rows:
        combine = builder.fadd if i % 2 else builder.fsub
        first, second = (halves[0] if len(halves) == 1 else combine(*halves) for halves in in_common)
        yield from ((i, 0, first), (i, 3, second), (i, 1, builder.fadd(first, second)), (i, 2, builder.fsub(first, second)))


@functools.cache
def make_sums(shape: Sums):
    """The intrinsic add_sums(s, value, channel, v, line, group, g, g_line, g_pixel, height, zeros, count, columns).

    s[e * value + c * channel] += V Z over `count` patches in each group of 4 of the gradients' `height` lines, whose V lie `group` numbers
    apart; lines that are missing in the last group are zeros, of which one lies at `zeros`.  Z of a patch's 4x2 gradients, without
    the factors of their maps, which are left to the end.
    """
    lanes, channels, block = shape.lanes, shape.channels, shape.block

    def build(context, builder, signature, args):
        s, value, channel, v, line, group, g, g_line, g_pixel, height, zeros, count, columns = args
        simd = Vectors(builder, shape.real, lanes)
        arithmetic = Arithmetic(simd)
        mask = simd.mask(columns) if shape.masked else None

        for parts in passes_of(block):
            cells = [(i, j, c) for rows, *_ in parts for i in rows for j in range(ALONG) for c in range(block)]
            places = [
                simd.at(s, builder.add(builder.mul(value, integer(ALONG * i + j)), builder.mul(channel, integer(c)))) for i, j, c in cells
            ]
            sums = {cell: cgutils.alloca_once_value(builder, simd.load(place)) for cell, place in zip(cells, places, strict=True)}
            groups = builder.sdiv(builder.add(height, integer(ROWS - 1)), integer(ROWS))
            with cgutils.for_range(builder, groups) as number:
                v_group, lines = builder.gep(v, [builder.mul(number.index, group)]), {}
                for k in parts[0][1]:
                    r = builder.add(builder.mul(number.index, integer(ROWS)), integer(k))
                    lines[k] = builder.select(builder.icmp_signed("<", r, height), builder.gep(g, [builder.mul(g_line, r)]), zeros)
                with cgutils.for_range(builder, count) as p:
                    left = builder.mul(p.index, builder.mul(g_pixel, integer(COLUMNS)))
                    both = [{k: simd.load(simd.at(each, q), mask) for k, each in lines.items()} for q in (left, builder.add(left, g_pixel))]
                    # Each row of Z is made when the one before has been used up: registers are just enough.
                    for i, j, z in (found for part in parts for found in values_of(builder, arithmetic, both, *part)):
                        at_line = builder.mul(line, integer(3 * i + AT_COLUMN[j]))
                        values = builder.gep(v_group, [builder.add(at_line, builder.mul(p.index, integer(COLUMNS * channels)))])
                        for c in range(block):
                            number_of_v = builder.load(builder.gep(values, [integer((j == 3) * channels + c)]))
                            total = simd.multiply_add(simd.broadcast(number_of_v), z, builder.load(sums[i, j, c]))
                            builder.store(total, sums[i, j, c])
            for cell, place in zip(cells, places, strict=True):
                simd.store(builder.load(sums[cell]), place)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[shape.real]), types.int64

    @intrinsic
    def add_sums(typing, s, value, channel, v, line, group, g, g_line, g_pixel, height, zeros, count, columns):
        return types.void(pointer, n, n, pointer, n, n, pointer, n, n, n, pointer, n, n), build

    add_sums._set_uuid(f"jitcnn.winograd_small.sums.{tuple(shape)}")
    return add_sums
