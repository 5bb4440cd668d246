"""The linear maps of Winograd's convolution F(4x4, 3x3), over vectors of channels.

A line of 4 outputs of a filter of 3 taps takes 12 products.  Read as polynomials, inputs and taps can be multiplied value by value at 6
points instead (0, 1, -1, 2, -2 and infinity): B^T d gives the inputs' values, G w the filter's, and A^T brings the 6 products back to
4 outputs.  In two dimensions the maps go over rows and then over columns, and 36 products do the work of 144
(Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015).

The same 6 points serve the gradient of the weights, where 6 inputs meet 4 gradients in 3 taps: B^T as before, G and A^T for 4 and 3.

F(4x2, 3x3), for few channels, takes these maps down the columns, and along the rows those of 2 outputs, at the points 0, 1, -1 and
infinity; of these, the maps of weights and their sums are here too, and `winograd_small_tiles.py` has the others.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.vectors import Vectors, integer


class Arithmetic:
    """Sums and multiples of vectors."""

    def __init__(self, simd: Vectors):
        self.simd, self.builder = simd, simd.builder

    def times(self, factor: float, value):
        """factor * value."""
        return value if factor == 1 else self.builder.fmul(self.constant(factor), value)

    def plus(self, *values):
        """Their sum."""
        return functools.reduce(self.builder.fadd, values)

    def minus(self, a, b):
        """a - b."""
        return self.builder.fsub(a, b)

    def add(self, factor: float, value, to):
        """factor * value + to; the compiler, which would find the factor 1 too late, would run out of registers."""
        return self.builder.fadd(value, to) if factor == 1 else self.simd.multiply_add(self.constant(factor), value, to)

    def constant(self, value: float):
        """A vector of that number."""
        return ir.Constant(self.simd.type, [ir.Constant(self.simd.element, value)] * self.simd.lanes)


def inputs(m: Arithmetic, d: list[Any]) -> list[Any]:
    """B^T: 6 -> 6."""
    even, odd = m.add(-4, d[2], d[4]), m.add(-4, d[1], d[3])
    rest_even, rest_odd = m.minus(d[4], d[2]), m.minus(d[3], d[1])
    return [
        m.add(4, d[0], m.add(-5, d[2], d[4])),
        m.plus(even, odd),
        m.minus(even, odd),
        m.add(2, rest_odd, rest_even),
        m.add(-2, rest_odd, rest_even),
        m.add(4, d[1], m.add(-5, d[3], d[5])),
    ]


def weights(m: Arithmetic, w: list[Any]) -> list[Any]:
    """G: 3 -> 6."""
    ends, quarter = m.times(-1 / 6, m.plus(w[0], w[2])), m.times(1 / 24, m.add(4, w[2], w[0]))
    return [
        m.times(1 / 4, w[0]),
        m.add(-1 / 6, w[1], ends),
        m.add(1 / 6, w[1], ends),
        m.add(1 / 12, w[1], quarter),
        m.add(-1 / 12, w[1], quarter),
        w[2],
    ]


def outputs(m: Arithmetic, p: list[Any]) -> list[Any]:
    """A^T: 6 -> 4."""
    sum_1, difference_1, sum_2, difference_2 = m.plus(p[1], p[2]), m.minus(p[1], p[2]), m.plus(p[3], p[4]), m.minus(p[3], p[4])
    return [
        m.plus(p[0], sum_1, sum_2),
        m.add(2, difference_2, difference_1),
        m.add(4, sum_2, sum_1),
        m.plus(m.add(8, difference_2, difference_1), p[5]),
    ]


def gradients(m: Arithmetic, g: list[Any]) -> list[Any]:
    """G for 4 gradients: 4 -> 6."""
    even_1, odd_1 = m.times(-1 / 6, m.plus(g[0], g[2])), m.plus(g[1], g[3])
    even_2, odd_2 = m.times(1 / 24, m.add(4, g[2], g[0])), m.add(4, g[3], g[1])
    return [
        m.times(1 / 4, g[0]),
        m.add(-1 / 6, odd_1, even_1),
        m.add(1 / 6, odd_1, even_1),
        m.add(1 / 12, odd_2, even_2),
        m.add(-1 / 12, odd_2, even_2),
        g[3],
    ]


def weight_sums(m: Arithmetic, p: list[Any]) -> list[Any]:
    """A^T for 3 taps: 6 -> 3."""
    sum_1, difference_1, sum_2, difference_2 = m.plus(p[1], p[2]), m.minus(p[1], p[2]), m.plus(p[3], p[4]), m.minus(p[3], p[4])
    return [m.plus(p[0], sum_1, sum_2), m.add(2, difference_2, difference_1), m.plus(m.add(4, sum_2, sum_1), p[5])]


def bare_weight_sums(m: Arithmetic, p: list[Any]) -> list[Any]:
    """A^T for 3 taps where gradients were summed without the factors of their G: 6 -> 3."""
    factors = (1 / 4, -1 / 6, -1 / 6, 1 / 24, 1 / 24, 1)
    return weight_sums(m, [m.times(factor, value) for factor, value in zip(factors, p, strict=True)])


def weights_of_two(m: Arithmetic, w: list[Any]) -> list[Any]:
    """G for 2 outputs: 3 -> 4, the last one with the sign that its outputs want."""
    half_ends, half = m.times(1 / 2, m.plus(w[0], w[2])), m.times(1 / 2, w[1])
    return [w[0], m.plus(half_ends, half), m.minus(half_ends, half), m.times(-1, w[2])]


def weight_sums_of_two(m: Arithmetic, p: list[Any]) -> list[Any]:
    """A^T for 3 taps of 2 gradients, with the halves that they were not multiplied with: 4 -> 3."""
    half_total, half_difference = m.times(1 / 2, m.plus(p[1], p[2])), m.times(1 / 2, m.minus(p[1], p[2]))
    return [m.plus(p[0], half_total), half_difference, m.minus(half_total, p[3])]


class Map(NamedTuple):
    """A map and how many numbers it takes."""

    of: Callable[[Arithmetic, list[Any]], list[Any]]
    takes: int


MAPS: dict[str, tuple[Map, Map]] = {  # by name: down the columns, then along the rows
    "inputs": (Map(inputs, 6),) * 2,
    "weights": (Map(weights, 3),) * 2,
    "outputs": (Map(outputs, 6),) * 2,
    "gradients": (Map(gradients, 4),) * 2,
    "weight sums": (Map(weight_sums, 6),) * 2,
    "small weights": (Map(weights, 3), Map(weights_of_two, 3)),
    "small weight sums": (Map(bare_weight_sums, 6), Map(weight_sums_of_two, 4)),
}


@functools.cache
def make_transform(name: str, real: type, lanes: int, masked: str):
    """The intrinsic transform(source, row, column, target, target_row, target_column, count): a map down the columns, then along the rows.

    One vector of channels of each pixel; masked: "source" or "target", of which only the first `count` lanes are read or written, or "",
    or "edge": as "source", and four more arguments say which rows, first to last, and which columns are read; the others are zeros.
    """
    down, along = MAPS[name]

    def build(context, builder, signature, args):
        source, row, column, target, target_row, target_column, count, *bounds = args
        simd = Vectors(builder, real, lanes)
        arithmetic = Arithmetic(simd)
        mask = simd.mask(count) if masked else None
        source_mask = mask if masked in ("source", "edge") else None

        def within(number, first, last):
            return builder.and_(builder.icmp_signed("<=", first, integer(number)), builder.icmp_signed("<", integer(number), last))

        if bounds:
            rows = [within(n, *bounds[:2]) for n in range(down.takes)]
            columns_there = [within(n, *bounds[2:]) for n in range(along.takes)]

        def mask_of(i, j):
            return simd.mask_if(builder.and_(rows[i], columns_there[j]), mask) if bounds else source_mask

        def place(pointer, i, j, row, column):
            return simd.at(pointer, builder.add(builder.mul(row, integer(i)), builder.mul(column, integer(j))))

        columns = []
        for j in range(along.takes):
            pixels = [simd.load(place(source, i, j, row, column), mask_of(i, j)) for i in range(down.takes)]
            columns.append(down.of(arithmetic, pixels))
        for i in range(len(columns[0])):
            for j, value in enumerate(along.of(arithmetic, [column[i] for column in columns])):
                simd.store(value, place(target, i, j, target_row, target_column), mask if masked == "target" else None)
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def transform(typing, source, row, column, target, target_row, target_column, count):
        return types.void(pointer, n, n, pointer, n, n, n), build

    @intrinsic
    def transform_at_edge(
        typing, source, row, column, target, target_row, target_column, count, first_row, last_row, first_column, last_column
    ):
        return types.void(pointer, n, n, pointer, n, n, n, n, n, n, n), build

    if masked == "edge":
        transform = transform_at_edge
    transform._set_uuid(f"jitcnn.winograd.{name}.{real.__name__}.{lanes}.{masked}")
    return transform


@functools.cache
def make_finish(real: type, lanes: int, masked: bool, end: str):
    """The intrinsic finish(source, target, start, extra, count): target = end(source + start), one vector of channels.

    start: the bias, or a null address; end: "store"; "relu"; "mask": 0 where `extra` is <= 0.
    """

    def build(context, builder, signature, args):
        source, target, start, has_start, extra, count = args
        simd = Vectors(builder, real, lanes)
        mask = simd.mask(count) if masked else None
        value = simd.load(simd.at(source))
        with_start = builder.fadd(value, simd.load(simd.at(builder.select(has_start, start, source)), mask))
        value = builder.select(has_start, with_start, value)
        if end == "relu":
            value = simd.relu(value)
        elif end == "mask":
            value = simd.where_positive(simd.load(simd.at(extra), mask), value)
        simd.store(value, simd.at(target), mask)
        return context.get_dummy_value()

    pointer = types.CPointer(REAL[real])

    @intrinsic
    def finish(typing, source, target, start, has_start, extra, count):
        return types.void(pointer, pointer, pointer, types.boolean, pointer, types.int64), build

    finish._set_uuid(f"jitcnn.winograd.finish.{real.__name__}.{lanes}.{masked}.{end}")
    return finish
