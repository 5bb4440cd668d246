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
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from jitcnn.kernels.pointers import INT32, INT64, REAL

SUFFIX: dict[Any, str] = {np.float32: "f32", np.float64: "f64"}
ELEMENT: dict[Any, Any] = {np.float32: ir.FloatType(), np.float64: ir.DoubleType()}


class Processor(NamedTuple):
    """What the tile has to fit into."""

    vector_bytes: int
    registers: int


@functools.cache
def processor() -> Processor:
    """Vector registers of the processor that Numba compiles for."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" in features.split(","):
        return Processor(64, 32)
    if "+avx2" in features.split(",") or "+avx" in features.split(","):
        return Processor(32, 16)
    return Processor(16, 16 if triple.startswith(("x86_64", "i686")) else 32)


def full_lanes(real: type) -> int:
    """Numbers in the widest vector."""
    return processor().vector_bytes // np.dtype(real).itemsize


def integer(value: int) -> ir.Constant:
    """A 64-bit constant."""
    return ir.Constant(INT64, value)


class Vectors:
    """Vector instructions of one element type and number of lanes, written into a builder."""

    def __init__(self, builder, real: type, lanes: int):
        self.builder, self.lanes, self.suffix = builder, lanes, SUFFIX[real]
        self.element, self.align = ELEMENT[real], np.dtype(real).itemsize
        self.type = ir.VectorType(self.element, lanes)
        self.zero = ir.Constant(self.type, None)

    def _function(self, name: str, result, *arguments):
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def at(self, pointer, *offsets):
        """The address `offsets` elements behind `pointer`, as that of a vector."""
        for offset in offsets:
            pointer = self.builder.gep(pointer, [offset])
        return self.builder.bitcast(pointer, self.type.as_pointer())

    def load(self, address, mask=None):
        """A vector from memory; lanes outside the mask are 0 and are not read."""
        if mask is None:
            return self.builder.load(address, align=self.align)
        masks = mask.type
        name = f"llvm.masked.load.v{self.lanes}{self.suffix}.p0"
        function = self._function(name, self.type, self.type.as_pointer(), INT32, masks, self.type)
        return self.builder.call(function, [address, ir.Constant(INT32, self.align), mask, self.zero])

    def store(self, value, address, mask=None):
        """A vector to memory; lanes outside the mask are not written."""
        if mask is None:
            self.builder.store(value, address, align=self.align)
            return
        name = f"llvm.masked.store.v{self.lanes}{self.suffix}.p0"
        function = self._function(name, ir.VoidType(), self.type, self.type.as_pointer(), INT32, mask.type)
        self.builder.call(function, [value, address, ir.Constant(INT32, self.align), mask])

    def mask(self, count):
        """Lanes below `count` (int64, may be negative or large)."""
        lanes = ir.VectorType(INT64, self.lanes)
        numbers = ir.Constant(lanes, list(range(self.lanes)))
        return self.builder.icmp_signed("<", numbers, self._splat(count, lanes))

    def _splat(self, scalar, kind):
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(INT32, 0))
        return self.builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(INT32, self.lanes), None))

    def broadcast(self, scalar):
        """One number in every lane."""
        return self._splat(scalar, self.type)

    def multiply_add(self, a, b, c):
        """a * b + c."""
        function = self._function(f"llvm.fmuladd.v{self.lanes}{self.suffix}", self.type, *[self.type] * 3)
        return self.builder.call(function, [a, b, c])

    def relu(self, value):
        """max(value, 0); NaN stays NaN."""
        return self.builder.select(self.builder.fcmp_ordered("<", value, self.zero), self.zero, value)

    def where_positive(self, condition, value):
        """`value` where relu's output `condition` lets the gradient through: not where it is <= 0 (a NaN lets it through)."""
        return self.builder.select(self.builder.fcmp_ordered("<=", condition, self.zero), self.zero, value)

    def total(self, value):
        """The sum over all lanes, always in the same order: halves onto halves."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            low, high = (ir.Constant(ir.VectorType(INT32, lanes), [base + i for i in range(lanes)]) for base in (0, lanes))
            value = self.builder.fadd(self.builder.shuffle_vector(value, value, low), self.builder.shuffle_vector(value, value, high))
        return self.builder.extract_element(value, ir.Constant(INT32, 0))


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
