"""Loops in assembly: found, and what they do is counted right."""

import textwrap

import numpy as np
import pytest

from jitcnn.kernels.conv import correlate_kernel
from jitcnn.kernels.tile import Shape
from jitcnn.kernels.vectors import full_lanes, processor
from jitcnn.learn.assembly import innermost_loop
from jitcnn.learn.explain import compiled_anew

X86 = """
    f:
    \tpushq\t%rbp
    .LBB0_1:
    \txorl\t%eax, %eax
    \t.p2align\t4
    .LBB0_2:
    \tvmovups\t(%rsi,%rax), %ymm0
    \tvbroadcastss\t(%rdi), %ymm1
    \tvfmadd231ps\t%ymm0, %ymm1, %ymm2
    \tvfmadd231ps\t4(%rdi){1to8}, %ymm0, %ymm3
    \tvfmadd231ps\t%ymm0, %ymm1, %ymm2
    \tvmovaps\t%ymm4, 32(%rsp)
    \tmovq\t8(%rsp), %rdi
    \taddq\t$32, %rax
    \tjne\t.LBB0_2
    \tvfmadd231ps\t%ymm0, %ymm1, %ymm7
    \tdecq\t%rcx
    \tjne\t.LBB0_1
    \tjmp\t.LBB0_9
    .LBB0_9:
    \tretq
"""
ARM = """
    f:
    .LBB0_3:
    \tldr\tq0, [x1], #16
    \tld1r\t{ v1.4s }, [x0]
    \tfmla\tv2.4s, v1.4s, v0.4s
    \tfmla\tv3.4s, v0.4s, v1.s[1]
    \tldr\tq4, [sp, #48]
    \tsubs\tx8, x8, #1
    \tb.ne\t.LBB0_3
    \tret
"""
TRANSFORM_AND_SUM = """
    f:
    .LBB0_1:
    \tvmovups\t(%rsi), %zmm0
    \tvmovups\t(%rdi), %zmm1
    \tvmovups\t(%rdx), %zmm2
    \tvfmadd231ps\t%zmm9, %zmm8, %zmm0
    \tvfmadd231ps\t%zmm9, %zmm8, %zmm1
    \tvfmadd231ps\t%zmm9, %zmm8, %zmm2
    \tvmovups\t%zmm0, (%rsi)
    \tjne\t.LBB0_1
    .LBB0_2:
    \tvfmadd231ps\t(%rsi), %zmm1, %zmm2 {%k1}
    \tjne\t.LBB0_2
"""
SSE = """
    f:
    .LBB0_3:
    \tmovups\t(%rsi), %xmm0
    \tmulps\t%xmm1, %xmm0
    \taddps\t%xmm0, %xmm2
    \tjne\t.LBB0_3
"""


def loop(text):
    return innermost_loop(textwrap.dedent(text))


def test_x86():
    found = loop(X86)
    assert found.sums == 3
    assert found.accumulators == ("ymm2", "ymm3")
    assert found.spills == 1
    assert found.fused
    assert len(found.lines) == 9
    assert found.lines[-1].endswith("jne\t.LBB0_2")


def test_arm():
    found = loop(ARM)
    assert (found.sums, found.accumulators, found.spills, found.fused) == (2, ("v2", "v3"), 1, True)


def test_without_an_instruction_for_product_and_sum():
    found = loop(SSE)
    assert (found.sums, found.accumulators, found.spills, found.fused) == (1, ("xmm2",), 0, False)


def test_a_loop_that_adds_up_is_preferred_to_one_that_only_multiplies():
    found = loop(TRANSFORM_AND_SUM)
    assert (found.sums, found.accumulators) == (1, ("zmm2",))


def test_a_sum_that_wanders():
    found = loop("""
        .LBB0_3:
        \tvmovups\t(%rsi), %zmm1
        \tvfmadd132ps\t(%rdi){1to16}, %zmm2, %zmm1
        \tvmovups\t64(%rsi), %zmm2
        \tvfmadd132ps\t4(%rdi){1to16}, %zmm1, %zmm2
        \tjne\t.LBB0_3
    """)
    assert (found.sums, found.accumulators, found.spills) == (2, ("zmm2",), 0)


def test_no_loop():
    with pytest.raises(ValueError, match="no loop with sums of vectors"):
        loop("f:\n\tvfmadd231ps\t%ymm0, %ymm1, %ymm2\n\tretq\n")


def of_tile(rows, vectors):
    shape = Shape(np.float32, 1, rows, vectors, full_lanes(np.float32), a_row=64)
    return innermost_loop(compiled_anew(correlate_kernel(shape, 0, shape.lanes, False, "store")))


def test_a_tile_that_fits_lies_in_registers():
    found = of_tile(4, 2)
    assert len(found.accumulators) == 8
    assert found.sums % 8 == 0
    assert found.spills == 0


def test_a_tile_that_does_not_fit_is_seen():
    assert of_tile(processor().registers, 2).spills > 0
