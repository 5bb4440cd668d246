"""Kernels run with every buffer against a page that nobody may touch, behind it and before it: JITCNN_GUARD=1 and JITCNN_GUARD=start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARES_ROOM = "tests/kernels/test_program.py::test_scratch_is_used_again"  # which is what this mode takes away
ONE_TOO_FAR = """
import sys
import numpy as np
from jitcnn.kernels.lowering import LOWERINGS
from jitcnn.kernels.program import Program

where, words = sys.argv[1:]
x, y = np.ones((3, 2, 2, 1)), np.zeros((3, 2, 2, 1))
program = Program(3, 1)
inside = program.buffer(x.shape, x.dtype)
program.copy(program.external(x), inside)
LOWERINGS["relu"](program, inside, inside)
program.copy(inside, program.external(y))
program.finish()
reading, _, writing = (row for part in program.parts for segment in part.segments for chain in segment.chains for row in chain)
arguments, name = {"array": (reading.arguments, "x"), "buffer": (writing.arguments, "x")}[where]
if words == "behind":
    arguments["width"] += 1
elif words == "before":
    arguments[name]["data"] -= 8
program.run()
assert (y == 1).all()
"""


def run(mode, *command):
    environment = os.environ | {"JITCNN_GUARD": mode, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3600)


@pytest.mark.parametrize("where", ["array", "buffer"])
@pytest.mark.parametrize(("mode", "words"), [("1", "behind"), ("start", "before")])
def test_one_number_too_far_ends_the_process(mode, words, where):
    done = run(mode, "-c", ONE_TOO_FAR, where, words)
    assert done.returncode == -signal.SIGSEGV, done.stderr


@pytest.mark.parametrize("mode", ["1", "start"])
def test_what_stays_inside_runs(mode):
    done = run(mode, "-c", ONE_TOO_FAR, "array", "nowhere")
    assert done.returncode == 0, done.stderr


def test_unknown_mode():
    done = run("end", "-c", "import jitcnn.guard")
    assert "JITCNN_GUARD is 'end', expected '1' or 'start', or nothing" in done.stderr


@pytest.mark.parametrize("mode", ["1", "start"])
def test_the_suite(mode, full, figures):
    """Whatever is read or written outside of its buffer ends the process that runs these tests."""
    reduced = [f"tests/kernels/test_{name}.py" for name in ("program", "program_borders", "program_relu", "hostile_arguments")]
    chosen = ["tests/engine", "tests/kernels", "tests/layers"] if full else reduced
    done = run(mode, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, "--deselect", SHARES_ROOM, "--ignore", Path(__file__))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures[f"tests with JITCNN_GUARD={mode}"] = done.stdout.splitlines()[-1]
