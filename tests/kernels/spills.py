"""Run by test_spills.py, under settings of NUMBA_CPU_NAME or for aarch64: what the inner loops of the chosen tiles are made of, as JSON.

Nothing of what is compiled here runs, so that it may be for another processor.
"""

import json
import re
import sys
from dataclasses import asdict

import llvmlite.binding as llvm
import numpy as np
from numba.core.registry import cpu_target

from jitcnn.forms.codes import DIRECT, WINOGRAD
from jitcnn.kernels.lowering import LOWERINGS
from jitcnn.kernels.program import Program
from jitcnn.kernels.vectors import processor
from jitcnn.kernels.winograd_choice import SMALL, choose
from jitcnn.learn.assembly import innermost_loop

ARM = "aarch64-unknown-linux-gnu"
FOR_ARM = ARM in sys.argv
if FOR_ARM:  # tiles are chosen for it, and Numba's intermediate code, which is much the same for all, is turned into its machine code
    cpu_target.target_context.codegen().magic_tuple = lambda: (ARM, "generic", "+neon")

# channels, filters, kernel size, size of the image, dtype
LAYERS = [(1, 8, 3, 28, "float32"), (24, 40, 3, 29, "float32"), (3, 32, 3, 32, "float32")]
if "--full" in sys.argv:
    LAYERS += [
        (4, 8, 3, 26, "float32"), (8, 16, 3, 26, "float32"), (64, 64, 3, 14, "float32"),
        (32, 64, 5, 14, "float32"), (64, 256, 1, 14, "float32"), (1, 4, 3, 28, "float32"), (1, 8, 3, 28, "float64"),
        (5, 7, 2, 11, "float64"),
    ]  # fmt: skip


def rows(channels, filters, size, image, dtype, algorithm):
    """What a forward pass, a gradient of the input and one of the weights are recorded as."""
    result = image - size + 1
    x, w = np.ones((4, image, image, channels), dtype), np.ones((size, size, channels, filters), dtype)
    y, b = np.ones((4, result, result, filters), dtype), np.ones(filters, dtype)
    for name in ("conv2d", "conv2d_grad_input", "conv2d_grad_weights"):
        program = Program(4, 1, assume_finite=True)
        x_buffer, y_buffer = program.external(x), program.external(y)
        arrays = {
            "conv2d": (x_buffer, w, b, y_buffer),
            "conv2d_grad_input": (y_buffer, w, x_buffer),
            "conv2d_grad_weights": (y_buffer, x_buffer, w),
        }[name]
        LOWERINGS[name](program, *arrays, 1, 1, 0, 0, algorithm)
        yield from ((name, row) for row in program.rows if "shape" in row.key or "vectors" in row.key)


def for_arm(code, name):
    """Machine code for aarch64 of Numba's optimised intermediate code, of one function and what it calls."""
    code = re.sub("(?m)^target (triple|datalayout) = .*$", "", code)
    module = llvm.parse_assembly(f'target triple = "{ARM}"\n{code}')
    machine = llvm.Target.from_triple(ARM).create_target_machine(opt=3)
    for function in module.functions:
        if not function.is_declaration and function.name != name:
            function.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return machine.emit_assembly(module)


llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()
found = {}
for layer in LAYERS:
    channels, filters, size, image, _ = layer
    small = choose((size, size, channels, filters), (1, 1), (image - size + 1,) * 2)[0] == SMALL
    for algorithm in (DIRECT, WINOGRAD) if small or (size == 3 and min(channels, filters) >= 24) else (DIRECT,):
        for name, row in rows(*layer, algorithm):
            kernel = row.factory(**row.key)
            if kernel._wrapper_name in found:
                continue
            library = kernel._library
            loop = innermost_loop(for_arm(library.get_llvm_str(), kernel._wrapper_name) if FOR_ARM else library.get_asm_str())
            found[kernel._wrapper_name] = asdict(loop) | {"for": f"{name} of {layer}, algorithm {algorithm}: {row.key}"}
print(json.dumps({"processor": processor()[:2], "loops": list(found.values())}))
