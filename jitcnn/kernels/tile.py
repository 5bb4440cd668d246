"""The register tile: the only place that writes LLVM IR for arithmetic, and the inner loop of every convolution and dense pass.

    C[m, :] = end(start + sum over r < n_r, k < n_k, t < taps of
                  A[g*a_group + j*a_row + r*a_r + k*a_k + t*a_t] * B[r*b_r + k*b_k + t*b_t + :])

with row m = g*per_group + j, and ':' over vectors * lanes numbers, of which the first `columns` count.

        A: one number a row              B: vectors of lanes
        +--+                             +----------+----------+
        |a0| broadcast ---- times -----> |    b0    |    b1    |   one step of k
        |a1|                             +----------+----------+
        |a2|        plus into  C: rows x vectors sums, which stay in registers through all loops
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

from jitcnn.kernels.pointers import REAL, write_prefetch
from jitcnn.kernels.vectors import Vectors, integer


class Shape(NamedTuple):
    """The size of a tile and what it does before and after the reduction.

    `a_row` and `n_k` may be given here already, instead of when the tile runs: then the rows of A lie at constant distances from one
    pointer, where distances known late cost a register each, and a short inner loop is unrolled.

    `taps`, the innermost loop, is written out, and takes a known `a_row`.  Where a row's number of A at one tap is its neighbour's at the
    next, it is read once: a tile of one vector would otherwise read a number for every product, and reading is what it would wait for.
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
    taps: int = 1
    a_t: int = 0
    ahead: str = ""  # what memory is asked for meanwhile: A of the next "tile", whose rows follow these, or of the next n_r steps of "r"
    parts: int = 1  # 2: the second half of a row of C lies `c_part` behind the first, and of `extra` `extra_part`

    @property
    def rows(self) -> int:
        """Rows of C."""
        return self.groups * self.per_group


def numbers_of_a(shape: Shape) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """What one step of k reads of A: (group, distance inside it) -> the rows and taps that it is for.

    The distance is in rows where that between two rows is not known, else in numbers.
    """
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for t in range(shape.taps):
        for m in range(shape.rows):
            group, inside = divmod(m, shape.per_group)
            found.setdefault((group, inside * (shape.a_row or 1) + t * shape.a_t), []).append((m, t))
    return dict(sorted(found.items()))


def reduce(builder, simd: Vectors, shape: Shape, sums, masks, a, a_group, a_row, a_r, a_k, b, b_r, b_k, b_t, n_r, n_k) -> None:
    """Write the loops over r, k and taps."""
    columns = [integer(v * shape.lanes) for v in range(shape.vectors)]
    with cgutils.for_range(builder, n_r) as r:
        a_block, b_block = builder.gep(a, [builder.mul(r.index, a_r)]), builder.gep(b, [builder.mul(r.index, b_r)])
        with cgutils.for_range(builder, integer(shape.n_k) if shape.n_k else n_k) as k:
            a_column, b_line = builder.gep(a_block, [builder.mul(k.index, a_k)]), builder.gep(b_block, [builder.mul(k.index, b_k)])
            if shape.ahead == "tile":
                distance = builder.add(builder.mul(k.index, integer(shape.lanes)), integer(shape.per_group * shape.a_row))
                write_prefetch(builder, builder.gep(a_block, [distance]), write=False)
            elif shape.ahead == "r":
                write_prefetch(builder, builder.gep(a_column, [builder.mul(a_r, n_r)]), write=False)
            b_vectors = [
                [
                    simd.load(simd.at(b_line, builder.mul(b_t, integer(t)), column), mask)
                    for column, mask in zip(columns, masks, strict=True)
                ]
                for t in range(shape.taps)
            ]
            for (group, inside), products in numbers_of_a(shape).items():
                distance = integer(inside) if shape.a_row else builder.mul(a_row, integer(inside))
                place = builder.add(builder.mul(a_group, integer(group)), distance)
                a_value = simd.broadcast(builder.load(builder.gep(a_column, [place])))
                for m, t in products:
                    for v, b_vector in enumerate(b_vectors[t]):
                        builder.store(simd.multiply_add(a_value, b_vector, builder.load(sums[m, v])), sums[m, v])


@functools.cache
def make_tile(shape: Shape):
    """The intrinsic `tile`, whose arguments are those of the formula: pointers c, a, b and extra, and integers."""

    def build(context, builder, signature, args):
        c, c_group, c_row, *operands, extra, extra_group, extra_row, columns, c_part, extra_part = args
        simd = Vectors(builder, shape.real, shape.lanes)

        def row_of(pointer, m, group_stride, row_stride):
            group, inside = divmod(m, shape.per_group)
            return builder.gep(pointer, [builder.add(builder.mul(group_stride, integer(group)), builder.mul(row_stride, integer(inside)))])

        wide = [integer(v * shape.lanes) for v in range(shape.vectors)]
        masks = [simd.mask(builder.sub(columns, start)) if shape.masked else None for start in wide]
        cells = [(m, v) for m in range(shape.rows) for v in range(shape.vectors)]
        c_at = {(m, v): simd.at(row_of(c, m, c_group, c_row), wide[v]) for m, v in cells}
        sums = {cell: cgutils.alloca_once(builder, simd.type) for cell in cells}
        for m, v in cells:
            if shape.start == "extra":
                first = simd.load(simd.at(extra, wide[v]), masks[v])
            elif shape.start == "load":
                first = simd.load(c_at[m, v], masks[v])
            else:
                first = simd.zero
            builder.store(first, sums[m, v])
        reduce(builder, simd, shape, sums, masks, *operands)
        for m, v in cells:
            out = builder.load(sums[m, v])
            if shape.end == "relu":
                out = simd.relu(out)
            elif shape.end == "mask":
                at = row_of(extra, m, extra_group, extra_row)
                activation = simd.load_halves(at, extra_part) if shape.parts == 2 else simd.load(simd.at(at, wide[v]), masks[v])
                out = simd.where_positive(activation, out)
            if shape.parts == 2:
                simd.store_halves(out, row_of(c, m, c_group, c_row), c_part)
            else:
                simd.store(out, c_at[m, v], masks[v])
        return context.get_dummy_value()

    pointer, n = types.CPointer(REAL[shape.real]), types.int64

    @intrinsic
    def tile(
        typing, c, c_group, c_row, a, a_group, a_row, a_r, a_k, b, b_r, b_k, b_t, n_r, n_k,
        extra, extra_group, extra_row, columns, c_part, extra_part,
    ):  # fmt: skip
        return types.void(pointer, n, n, pointer, n, n, n, n, pointer, n, n, n, n, n, pointer, n, n, n, n, n), build

    tile._set_uuid(f"jitcnn.tile.{tuple(shape)}")
    return tile
