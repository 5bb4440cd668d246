"""The register tile: the only place that writes LLVM IR for arithmetic, and the inner loop of every convolution and dense pass.

    C[m, :] = end(start + sum over r < n_r, k < n_k of A[g*a_group + j*a_row + r*a_r + k*a_k] * B[r*b_r + k*b_k + :])

with row m = g*per_group + j, and ':' over vectors * lanes numbers, of which the first `columns` count.

        A: one number a row              B: vectors of lanes
        +--+                             +----------+----------+
        |a0| broadcast ---- times -----> |    b0    |    b1    |   one step of k
        |a1|                             +----------+----------+
        |a2|        plus into  C: rows x vectors sums, which stay in registers through both loops
        +--+

Numba leaves LLVM's vectoriser for straight-line code off, and scalar sums unrolled by hand do not become vectors: hence vector
instructions written out, with the whole loop nest in one intrinsic.  llvm.fmuladd is one instruction where the processor has
it, and a product and a sum elsewhere (llvm.fma would call the C library there).
"""

import functools
from typing import NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from jitcnn.kernels.pointers import REAL
from jitcnn.kernels.vectors import Vectors, integer


class Shape(NamedTuple):
    """The size of a tile and what it does before and after the reduction.

    `a_row` and `n_k` may be given here already, instead of when the tile runs: then the rows of A lie at constant distances from one
    pointer, where distances known late cost a register each, and a short inner loop is unrolled.
    """

    real: type
    groups: int
    per_group: int
    vectors: int
    lanes: int
    start: str = "zero"  # "zero"; "extra": the vector at `extra`, for every row; "load": what C holds
    end: str = "store"  # "store"; "relu"; "mask": 0 where `extra`, laid out like C, is <= 0
    masked: bool = False  # whether only the first `columns` columns count
    a_row: int = 0
    n_k: int = 0


@functools.cache
def make_tile(shape: Shape):
    """The intrinsic tile(c, c_group, c_row, a, a_group, a_row, a_r, a_k, b, b_r, b_k, n_r, n_k, extra, extra_group, extra_row, columns)."""
    real, groups, per_group, vectors, lanes, start, end, masked, known_a_row, known_n_k = shape
    element = REAL[real]
    rows = groups * per_group
    cells = [(m, v) for m in range(rows) for v in range(vectors)]

    def build(context, builder, signature, args):
        c, c_group, c_row, a, a_group, a_row, a_r, a_k, b, b_r, b_k, n_r, n_k, extra, extra_group, extra_row, columns = args
        simd = Vectors(builder, real, lanes)
        a_row = integer(known_a_row) if known_a_row else a_row
        n_k = integer(known_n_k) if known_n_k else n_k

        def offset_of(row, group_stride, row_stride):
            group, inside = divmod(row, per_group)
            return builder.add(builder.mul(group_stride, integer(group)), builder.mul(row_stride, integer(inside)))

        masks = [simd.mask(builder.sub(columns, integer(v * lanes))) if masked else None for v in range(vectors)]
        c_at = {(m, v): simd.at(c, offset_of(m, c_group, c_row), integer(v * lanes)) for m, v in cells}
        a_offset = [offset_of(m, a_group, a_row) for m in range(rows)]
        sums = {cell: cgutils.alloca_once(builder, simd.type) for cell in cells}
        for m, v in cells:
            if start == "extra":
                first = simd.load(simd.at(extra, integer(v * lanes)), masks[v])
            elif start == "load":
                first = simd.load(c_at[m, v], masks[v])
            else:
                first = simd.zero
            builder.store(first, sums[m, v])
        with cgutils.for_range(builder, n_r) as r:
            a_block, b_block = builder.gep(a, [builder.mul(r.index, a_r)]), builder.gep(b, [builder.mul(r.index, b_r)])
            with cgutils.for_range(builder, n_k) as k:
                a_column, b_line = builder.gep(a_block, [builder.mul(k.index, a_k)]), builder.gep(b_block, [builder.mul(k.index, b_k)])
                b_vectors = [simd.load(simd.at(b_line, integer(v * lanes)), masks[v]) for v in range(vectors)]
                for m in range(rows):
                    a_value = simd.broadcast(builder.load(builder.gep(a_column, [a_offset[m]])))
                    for v in range(vectors):
                        builder.store(simd.multiply_add(a_value, b_vectors[v], builder.load(sums[m, v])), sums[m, v])
        for m, v in cells:
            out = builder.load(sums[m, v])
            if end == "relu":
                out = simd.relu(out)
            elif end == "mask":
                activation = simd.at(extra, offset_of(m, extra_group, extra_row), integer(v * lanes))
                out = simd.where_positive(simd.load(activation, masks[v]), out)
            simd.store(out, c_at[m, v], masks[v])
        return context.get_dummy_value()

    pointer, n = types.CPointer(element), types.int64

    @intrinsic
    def tile(typing, c, c_group, c_row, a, a_group, a_row, a_r, a_k, b, b_r, b_k, n_r, n_k, extra, extra_group, extra_row, columns):
        return types.void(pointer, n, n, pointer, n, n, n, n, pointer, n, n, n, n, pointer, n, n, n), build

    tile._set_uuid(f"jitcnn.tile.{tuple(shape)}")
    return tile
