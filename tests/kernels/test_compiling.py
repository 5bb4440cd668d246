"""Kernels are loaded from the cache by the next process, announced by name, and compiled in memory where no folder can be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from jitcnn import kernels
from jitcnn.kernels import compiling, lowering

names = []
compiling.listeners.append(lambda name, coming: names.append(name))
if "nowhere" in sys.argv:
    compiling.digest()
    compiling._PACKAGE = Path("/dev/null/package")
    assert compiling.cache_folder() == ""
rng = np.random.default_rng(0)
x, w = rng.normal(size=(40, 6, 6, 2)).astype(np.float32), rng.normal(size=(3, 3, 2, 8)).astype(np.float32)
y = kernels.conv2d(x, w, activation="tanh")
assert abs(y[1, 2, 3, 4] - np.tanh((x[1, 2:5, 3:6, :, None] * w).sum((0, 1, 2))[4])) < 1e-5
kernels.conv2d_grad_weights(y, x, w.shape)
kernels.pool2d(y, 2)
kernels.conv2d(x[:7], w, activation="tanh")
lists = [kept for single in lowering._programs.values() for kept in single.program.kept if isinstance(kept, list)]
found = {id(kernel): kernel for kernels in lists for kernel in kernels if hasattr(kernel, "cache_hits")}
print(len(found), sum(kernel.cache_hits for kernel in found.values()))
print(*names, sep="\\n")
"""
ROOT = Path(__file__).parents[2]


def start(*arguments, **environment):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)


def finish(process):
    """(kernels in use, of those loaded from the cache, names announced)."""
    output = process.communicate(timeout=300)[0].splitlines()
    assert process.returncode == 0
    return *map(int, output[0].split()), output[1:]


def check_names(names):
    for word in ("convolution", "gradient of weights", "pool 2x2 float32", "tanh float32", "runner"):
        assert any(name.startswith(word) for name in names), f"nobody heard of {word}"


def test_two_processes_at_once_and_one_afterwards(tmp_path):
    together = [start(JITCNN_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    for used, _, names in map(finish, together):
        assert used >= 5
        check_names(names)
    used, loaded, names = finish(start(JITCNN_CACHE_DIR=str(tmp_path)))
    assert loaded == used
    check_names(names)


@pytest.mark.skipif(os.name != "posix", reason="needs /dev/null")
def test_without_a_folder_to_write_in():
    used, loaded, _ = finish(start("nowhere", JITCNN_CACHE_DIR="/dev/null/cache", HOME="/dev/null"))
    assert used >= 5
    assert loaded == 0
