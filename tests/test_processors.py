"""Right results where vectors are shorter than here: AVX2, and plain x86-64 with SSE2, which this processor runs as well."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features

from tests import on_a_processor
from tests.kernels.oracle import LOOPS, arrays_of, assert_near

ROOT = Path(__file__).parents[1]
PROCESSORS = {
    "avx2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"},
    "sse2": {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "+sse,+sse2"},
}
FITS = {"avx2": "32 16\n", "sse2": "16 16\n"}  # bytes in a vector, registers
WHOLE = ["tests/kernels", "tests/engine", "tests/layers", "--ignore=tests/kernels/test_spills.py"]


@pytest.fixture(params=PROCESSORS)
def name(request):
    needed = {"avx2": ("avx2", "fma"), "sse2": ("sse2",)}[request.param]
    missing = [feature for feature in needed if not get_host_cpu_features().get(feature)]
    if missing:
        pytest.skip(f"this processor has no {missing[0]}")
    return request.param


def run(name, folder, *arguments):
    """Run a Python child that compiles for this processor."""
    environment = os.environ | PROCESSORS[name] | {"JITCNN_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3600)


@pytest.fixture(scope="module")
def truth():
    """What the loops give, compiled for this processor, in float64."""
    loops = on_a_processor.results(lambda name, *values, **settings: arrays_of(getattr(LOOPS, name)(*values, **settings))[0], np.float64)
    return loops, *on_a_processor.trained("loops", "float64")


def test_kernels_and_two_steps_of_training(name, tmp_path, truth, full):
    """Training takes as many kernels again, and is done for the smallest vectors alone unless all is tested."""
    trains = full or name == "sse2"
    done = run(name, tmp_path / "cache", "tests/on_a_processor.py", str(tmp_path / "found.npz"), *["train"] * trains)
    assert done.returncode == 0, done.stderr
    assert done.stdout == FITS[name]
    kernels, parameters, gradients = truth
    if not trains:
        parameters, gradients = {}, {}
    with np.load(tmp_path / "found.npz") as found:
        assert set(found) == {*kernels, *parameters, *gradients}
        for key, expected in (kernels | gradients).items():
            assert found[key].dtype == np.float32
            assert_near(found[key], expected)
        for key, expected in parameters.items():
            assert np.abs(found[key] - expected).max() <= 1e-6, key  # of the 2e-3 that two steps go


@pytest.mark.slow
def test_all_tests_of_kernels_engine_and_layers(name, tmp_path, figures):
    done = run(name, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *WHOLE)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout.splitlines()[-1])}
    figures[f"tests of kernels, engine and layers compiled for {name}"] = counts
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert counts["passed"] > 500
