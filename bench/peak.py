"""The most that the processor can multiply and add: what every GFLOP/s figure is compared with, measured in the same run."""

import time

import numpy as np
from llvmlite import ir
from numba import get_num_threads, njit, prange, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

FEATURES = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
LANES = 16 if "+avx512f" in FEATURES else 8 if "+avx2" in FEATURES else 4
CHAINS = 12  # independent sums: more than latency times units on any processor, fewer than its registers
ITERATIONS = 2_000_000


@intrinsic
def multiply_and_add(typingctx, factor, iterations):
    """`CHAINS` vectors, each ``v = v * factor + factor`` for `iterations` times, in registers; returns a number that depends on all."""

    def build(context, builder, signature, arguments):
        vector = ir.VectorType(ir.FloatType(), LANES)
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{LANES}f32")
        factors = ir.Constant(vector, ir.Undefined)
        for lane in range(LANES):
            factors = builder.insert_element(factors, arguments[0], ir.IntType(32)(lane))
        before, loop, after = builder.block, builder.append_basic_block("loop"), builder.append_basic_block("after")
        builder.branch(loop)
        builder.position_at_end(loop)
        counter = builder.phi(ir.IntType(64))
        sums = [builder.phi(vector) for _ in range(CHAINS)]
        grown = [builder.call(fma, [value, factors, factors]) for value in sums]
        counted = builder.add(counter, ir.IntType(64)(1))
        builder.cbranch(builder.icmp_signed("<", counted, arguments[1]), loop, after)
        counter.add_incoming(ir.IntType(64)(0), before)
        counter.add_incoming(counted, loop)
        for chain, (value, next_value) in enumerate(zip(sums, grown, strict=True)):
            value.add_incoming(ir.Constant(vector, [float(chain)] * LANES), before)
            value.add_incoming(next_value, loop)
        builder.position_at_end(after)
        total = grown[0]
        for value in grown[1:]:
            total = builder.fadd(total, value)
        return builder.extract_element(total, ir.IntType(32)(0))

    return types.float32(types.float32, types.int64), build


@njit(parallel=True)
def _run(results, iterations):
    for task in prange(results.size):
        results[task] = multiply_and_add(np.float32(0.5), iterations)


def fma_peak() -> float:
    """GFLOP/s in float32, on as many threads as Numba uses; takes a few milliseconds."""
    results = np.zeros(get_num_threads(), np.float32)
    _run(results, 1)
    start = time.perf_counter()
    _run(results, ITERATIONS)
    seconds = time.perf_counter() - start
    return results.size * ITERATIONS * CHAINS * LANES * 2 / seconds / 1e9
