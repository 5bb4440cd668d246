"""Kernels that other processes compile: loaded, and compiled here where that went wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import subprocess, sys
import numpy as np
from jitcnn.kernels import ahead
from jitcnn.kernels.activation import LOWERINGS
from jitcnn.kernels.slots import sum_slots_kernel
from jitcnn.kernels.conv_arrange import arrange_kernel, repeat_kernel
from jitcnn.kernels.update import adam_kernel, sgd_kernel

mode = sys.argv[1]
ahead._processors = lambda: 1 if mode == "alone" else 2
if mode == "no room":
    ahead.tempfile.mkdtemp = lambda **settings: open("/nowhere/at/all")
if mode == "full":
    make, ahead.tempfile.mkdtemp = ahead.tempfile.mkdtemp, lambda **settings: make(**settings) + "/not there"
if mode == "broken":
    ahead.sys = type("sys", (), {"executable": "/bin/false"})
started = []
start = subprocess.Popen
subprocess.Popen = lambda *arguments, **settings: started.append(1) or start(*arguments, **settings)
wanted = [(f, {"real": real}) for f in (sum_slots_kernel, repeat_kernel, sgd_kernel, adam_kernel) for real in (np.float32, np.float64)]
kernels = ahead.compile_all(wanted)
assert [kernel is factory(**key) for kernel, (factory, key) in zip(kernels, wanted)] == [True] * len(wanted)
print(len(started), sum(kernel.cache_hits for kernel in kernels))
"""


def run(mode, cache):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JITCNN_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", SCRIPT, mode], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_another_process_compiles_some_of_them(tmp_path):
    started, loaded = run("two", tmp_path)
    assert started == 1 and 0 < loaded < 8
    assert run("two", tmp_path) == [0, 8]  # nothing is missing any more


@pytest.mark.parametrize(("mode", "started"), [("alone", 0), ("broken", 1), ("no room", 0)])
def test_without_its_help(tmp_path, mode, started):
    assert run(mode, tmp_path) == [started, 0]
    assert run("two", tmp_path) == [0, 8]


def test_where_nobody_can_say_what_is_taken(tmp_path):
    assert run("full", tmp_path)[0] == 1
    assert run("two", tmp_path) == [0, 8]
