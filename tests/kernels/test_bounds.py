"""The loops and the kernels' Python code with Numba's check of every index switched on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = """
import sys
import pytest

unraisable = []
sys.unraisablehook = lambda report: unraisable.append(repr(report.exc_value))  # where an exception inside a kernel ends


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if unraisable:
        print("exceptions inside kernels:", *unraisable[:5])
        session.exitstatus = 1
"""


def run(folder, *arguments):
    (folder / "watching.py").write_text(PLUGIN)
    path = os.pathsep.join([str(ROOT), str(folder)])
    settings = {"NUMBA_BOUNDSCHECK": "1", "JITCNN_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": path}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "watching", "-p", "no:unraisableexception", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, timeout=3600)


def test_an_index_out_of_bounds_is_seen(tmp_path):
    (tmp_path / "test_wrong.py").write_text(
        "import ctypes, numba, numpy as np\n"
        "@numba.cfunc('void(CPointer(int64))')\n"
        "def wrong(pointer):\n"
        "    numbers = numba.carray(pointer, 2)\n"
        "    numbers[numbers[0]] = 1\n"
        "def test():\n"
        "    numbers = np.full(9, 5)\n"
        "    wrong.ctypes(numbers.ctypes.data_as(ctypes.POINTER(ctypes.c_int64)))\n"
    )
    done = run(tmp_path, tmp_path / "test_wrong.py")
    assert done.returncode == 1, done.stdout
    assert "IndexError" in done.stdout


@pytest.mark.slow
def test_reference_and_convolutions(tmp_path):
    done = run(tmp_path, "tests/reference", "tests/kernels/test_conv.py")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
