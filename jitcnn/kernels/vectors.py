"""The processor's vectors, and vector instructions written into LLVM IR."""

import functools
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.core.registry import cpu_target

from jitcnn.kernels.pointers import INT32, INT64

SUFFIX: dict[Any, str] = {np.float32: "f32", np.float64: "f64"}
ELEMENT: dict[Any, Any] = {np.float32: ir.FloatType(), np.float64: ir.DoubleType()}


class Processor(NamedTuple):
    """What the tile has to fit into."""

    vector_bytes: int
    registers: int
    half_vectors: float = 0.5  # how much of the full speed is left with vectors of half the length
    products: int = 2  # full vectors that it multiplies and adds at a time


# With AVX-512 but one unit for it; Sapphire Rapids and later, some of which LLVM takes for the last of these, have two, and AMX.
ONE_UNIT = ("znver4", "cannonlake", "icelake-client", "tigerlake", "rocketlake")


@functools.cache
def processor() -> Processor:
    """Vector registers of the processor that Numba compiles for."""
    triple, name, listed = cpu_target.target_context.codegen().magic_tuple()
    features = set(listed.split(","))
    if "+avx512f" in features:
        half_vectors = 0.875 if name == "znver4" else 0.5  # whose units of 256 bits make one of 512
        return Processor(64, 32, half_vectors, 1 if name in ONE_UNIT and "+amx-tile" not in features else 2)
    if features & {"+avx2", "+avx"}:
        return Processor(32, 16)
    return Processor(16, 16 if triple.startswith(("x86_64", "i686")) else 32)


def takes_broadcasts_from_memory() -> bool:
    """Whether a product spreads a number in memory over its lanes by itself; elsewhere that takes a register."""
    return processor().vector_bytes == 64


def full_lanes(real: type) -> int:
    """Numbers in the widest vector."""
    return processor().vector_bytes // np.dtype(real).itemsize


def integer(value: int) -> ir.Constant:
    """A 64-bit constant."""
    return ir.Constant(INT64, value)


def keep_order(builder) -> None:
    """Keep the compiler from reading or writing memory across here: in long code it would read far ahead, and run out of registers."""
    builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], True)


class Vectors:
    """Vector instructions of one element type and number of lanes, written into a builder."""

    def __init__(self, builder, real: type, lanes: int):
        self.builder, self.kind, self.lanes, self.suffix = builder, real, lanes, SUFFIX[real]
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

    def load_halves(self, pointer, distance):
        """A vector whose second half lies `distance` numbers behind the first."""
        half = Vectors(self.builder, self.kind, self.lanes // 2)
        low, high = half.load(half.at(pointer)), half.load(half.at(pointer, distance))
        return self.builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(INT32, self.lanes), list(range(self.lanes))))

    def store_halves(self, value, pointer, distance):
        """The second half of a vector goes `distance` numbers behind the first."""
        half = Vectors(self.builder, self.kind, self.lanes // 2)
        for place, first in ((half.at(pointer), 0), (half.at(pointer, distance), half.lanes)):
            numbers = ir.Constant(ir.VectorType(INT32, half.lanes), list(range(first, first + half.lanes)))
            half.store(self.builder.shuffle_vector(value, value, numbers), place)

    def load_pairs(self, pointer, width: int):
        """Two vectors from twice their length of memory: the first, third, ... run of `width` numbers, and the second, fourth, ..."""
        halves = self.load(self.at(pointer)), self.load(self.at(pointer, integer(self.lanes)))
        runs = range(0, 2 * self.lanes, 2 * width)
        picks = ([start + shift + i for start in runs for i in range(width)] for shift in (0, width))
        return [self.builder.shuffle_vector(*halves, ir.Constant(ir.VectorType(INT32, self.lanes), pick)) for pick in picks]

    def store_pairs(self, first, second, pointer, width: int):
        """The opposite: runs of `width` numbers of the two vectors by turns."""
        order = [shift + start + i for start in range(0, self.lanes, width) for shift in (0, self.lanes) for i in range(width)]
        for place, part in ((self.at(pointer), order[: self.lanes]), (self.at(pointer, integer(self.lanes)), order[self.lanes :])):
            self.store(self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(INT32, self.lanes), part)), place)

    def mask(self, count):
        """Lanes below `count` (int64, may be negative or large)."""
        lanes = ir.VectorType(INT64, self.lanes)
        numbers = ir.Constant(lanes, list(range(self.lanes)))
        return self.builder.icmp_signed("<", numbers, self._splat(count, lanes))

    def mask_if(self, condition, mask):
        """The mask where a condition holds, else no lane."""
        return self.builder.and_(self._splat(condition, mask.type), mask)

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
