"""The sums of every tile stay in registers through its inner loop, on each family of processors that tiles are chosen for."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir

from jitcnn.kernels import dense
from jitcnn.kernels.pointers import FLUSH, INT64, read_control, write_control, write_pause

ROOT = Path(__file__).parents[2]
SSE2 = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "+sse,+sse2"}
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}
AVX512 = {
    "NUMBA_CPU_NAME": "skylake-avx512",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+avx512f,+avx512vl,+avx512dq,+avx512bw,+avx512cd",
}
ARM = "aarch64-unknown-linux-gnu"
LOAD_OF_MASK = re.compile(r"vmovdq[au]\d*\s+\d+\(%rsp\), %ymm\d+$")


def loops(folder, settings, *arguments):
    """(bytes in a vector, registers) that tiles were chosen for, and the inner loops of their kernels."""
    command = [sys.executable, str(Path(__file__).with_name("spills.py")), *arguments]
    environment = os.environ | settings | {"JITCNN_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return tuple(found["processor"]), found["loops"]


@pytest.mark.parametrize(
    ("settings", "arguments", "expected", "register", "fused"),
    [
        pytest.param(AVX512, (), (64, 32), "%zmm", True, id="avx512", marks=pytest.mark.slow),
        pytest.param(AVX2, (), (32, 16), "%ymm", True, id="avx2"),
        pytest.param(SSE2, (), (16, 16), "%xmm", False, id="sse2", marks=pytest.mark.slow),
        pytest.param(SSE2, (ARM,), (16, 32), "v", True, id="aarch64"),  # which Numba's code of the plainest x86 is turned into
    ],
)
def test_no_sum_leaves_the_registers(tmp_path, full, settings, arguments, expected, register, fused):
    processor, found = loops(tmp_path, settings, *arguments, *["--full"] * full)
    assert processor == expected
    assert len(found) >= 9
    for loop in found:
        text = "\n".join([loop["for"], *loop["lines"]])
        on_stack = [line for line in loop["lines"] if re.search(r"\(%rsp\)|\[sp\b", line) and re.search(r"%[xyz]mm|\b[qv]\d", line)]
        if register == "%ymm":  # where a mask lies in a vector register, one that finds no room is read anew each time
            on_stack = [line for line in on_stack if not LOAD_OF_MASK.search(line)]
        assert not on_stack, text
        assert loop["fused"] == fused, text
        if "Patches(" in loop["for"]:  # written out: sums wander from register to register
            continue
        assert len(loop["accumulators"]) >= 6, text
        of_gradients = 4 if "Sums(" in loop["for"] else 0  # in the map of a patch's gradients
        assert (loop["sums"] - of_gradients) % len(loop["accumulators"]) == 0, text
    assert any(register in line for loop in found for line in loop["lines"])


def assembly_for_arm(write):
    """Machine code of a function whose body write(builder) writes."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = ir.Module()
    module.triple = ARM
    builder = ir.IRBuilder(ir.Function(module, ir.FunctionType(INT64, []), "f").append_basic_block())
    builder.ret(write(builder))
    return llvm.Target.from_triple(ARM).create_target_machine().emit_assembly(llvm.parse_assembly(str(module)))


@pytest.mark.parametrize("processor", ["aarch64", "arm64"])
def test_denormals_are_flushed_on_arm_too(processor):
    def flush(builder):
        old = read_control(builder, processor)
        write_control(builder, processor, builder.or_(old, ir.Constant(INT64, FLUSH[processor])))
        return old

    text = assembly_for_arm(flush).lower()
    assert re.search(r"mrs\s+x\d+, fpcr", text)
    assert re.search(r"orr\s+x\d+, x\d+, #0x1000000\b", text)
    assert re.search(r"msr\s+fpcr, x\d+", text)


@pytest.mark.parametrize("processor", ["aarch64", "arm64"])
def test_waiting_threads_pause_on_arm_too(processor):
    def wait(builder):
        write_pause(builder, processor)
        return ir.Constant(INT64, 0)

    assert re.search(r"^\s+isb$", assembly_for_arm(wait), re.MULTILINE)


def test_denormals_count_as_zero_inside_kernels_only():
    tiny = np.full((1, 7), 1e-40, np.float32)
    assert dense(tiny, np.ones((7, 1), np.float32)) == 0
    assert tiny.sum() > 0
