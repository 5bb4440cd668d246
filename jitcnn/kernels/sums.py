"""Two small companions of the tile: dot products, and sums of columns."""

import functools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.vectors import Vectors, full_lanes, integer


@functools.cache
def make_dot(real: type, rows: int, columns: int, relu: bool):
    """The intrinsic dot(c, c_row, a, a_row, b, b_row, n_k, bias): C[m, o] = bias[o] + sum over k of A[m, k] * B[o, k].

    Both operands are contiguous in k.  The order of a sum depends on n_k and the lanes alone, not on rows and columns.
    """
    element, lanes = REAL[real], full_lanes(real)
    cells = [(m, o) for m in range(rows) for o in range(columns)]

    def build(context, builder, signature, args):
        c, c_row, a, a_row, b, b_row, n_k, bias, has_bias = args
        simd = Vectors(builder, real, lanes)
        sums = {cell: cgutils.alloca_once(builder, simd.type) for cell in cells}

        def accumulate(k, mask):
            a_vectors = [simd.load(simd.at(a, k, builder.mul(a_row, integer(m))), mask) for m in range(rows)]
            for o in range(columns):
                b_vector = simd.load(simd.at(b, k, builder.mul(b_row, integer(o))), mask)
                for m in range(rows):
                    builder.store(simd.multiply_add(a_vectors[m], b_vector, builder.load(sums[m, o])), sums[m, o])

        for cell in cells:
            builder.store(simd.zero, sums[cell])
        whole = builder.udiv(n_k, integer(lanes))
        with cgutils.for_range(builder, whole) as step:
            accumulate(builder.mul(step.index, integer(lanes)), None)
        done = builder.mul(whole, integer(lanes))
        with builder.if_then(builder.icmp_signed("<", done, n_k)):
            accumulate(done, simd.mask(builder.sub(n_k, done)))
        for m, o in cells:
            start = cgutils.alloca_once(builder, simd.element)
            builder.store(ir.Constant(simd.element, 0), start)
            with builder.if_then(cgutils.as_bool_bit(builder, has_bias)):
                builder.store(builder.load(builder.gep(bias, [integer(o)])), start)
            out = builder.fadd(simd.total(builder.load(sums[m, o])), builder.load(start))
            if relu:
                zero = ir.Constant(simd.element, 0)
                out = builder.select(builder.fcmp_ordered("<", out, zero), zero, out)
            builder.store(out, builder.gep(c, [builder.add(builder.mul(c_row, integer(m)), integer(o))]))
        return context.get_dummy_value()

    pointer, n = types.CPointer(element), types.int64

    @intrinsic
    def dot(typing, c, c_row, a, a_row, b, b_row, n_k, bias, has_bias):
        return types.void(pointer, n, pointer, n, pointer, n, n, pointer, n), build

    dot._set_uuid(f"jitcnn.dot.{real.__name__}.{rows}.{columns}.{lanes}.{relu}")
    return dot


CHAINS = 4  # sums kept side by side where one alone would wait for each addition to finish


@functools.cache
def make_column_sums(real: type, vectors: int, lanes: int, masked: bool):
    """The intrinsic column_sums(c, b, b_r, b_k, n_r, n_k, columns): C[:] += sum over r < n_r, k < n_k of B[r*b_r + k*b_k + :]."""

    def build(context, builder, signature, args):
        c, b, b_r, b_k, n_r, n_k, columns = args
        simd = Vectors(builder, real, lanes)
        masks = [simd.mask(builder.sub(columns, integer(v * lanes))) if masked else None for v in range(vectors)]
        sums = {(q, v): cgutils.alloca_once(builder, simd.type) for q in range(CHAINS) for v in range(vectors)}
        for slot in sums.values():
            builder.store(simd.zero, slot)

        def add(chain, pointer):
            for v in range(vectors):
                value = simd.load(simd.at(pointer, integer(v * lanes)), masks[v])
                builder.store(builder.fadd(builder.load(sums[chain, v]), value), sums[chain, v])

        whole = builder.udiv(n_k, integer(CHAINS))
        rest = builder.urem(n_k, integer(CHAINS))
        with cgutils.for_range(builder, n_r) as r:
            line = builder.gep(b, [builder.mul(r.index, b_r)])
            with cgutils.for_range(builder, whole) as step:
                for chain in range(CHAINS):
                    k = builder.add(builder.mul(step.index, integer(CHAINS)), integer(chain))
                    add(chain, builder.gep(line, [builder.mul(k, b_k)]))
            with cgutils.for_range(builder, rest) as step:
                k = builder.add(builder.mul(whole, integer(CHAINS)), step.index)
                add(0, builder.gep(line, [builder.mul(k, b_k)]))
        for v in range(vectors):
            c_at = simd.at(c, integer(v * lanes))
            total = simd.load(c_at, masks[v])
            for chain in range(CHAINS):
                total = builder.fadd(total, builder.load(sums[chain, v]))
            simd.store(total, c_at, masks[v])
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[real]), types.int64

    @intrinsic
    def column_sums(typing, c, b, b_r, b_k, n_r, n_k, columns):
        return types.void(pointer, pointer, n, n, n, n, n), build

    column_sums._set_uuid(f"jitcnn.column_sums.{real.__name__}.{vectors}.{lanes}.{masked}")
    return column_sums
