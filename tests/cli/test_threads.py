"""More threads than there are cores, asked for on the command line, which starts Numba with that many."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import TINY

ROOT = Path(__file__).parents[2]


def digest(digits, threads):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "jitcnn", *TINY, "--data", digits, "--json", "--threads", str(threads), "--out", f"{threads}.json"]
    done = subprocess.run(command, cwd=digits.parent, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["digest"]


def test_same_bits_on_more_threads_than_cores(digits):
    many = 2 * (os.cpu_count() or 1) + 1
    assert digest(digits, 1) == digest(digits, many)


@pytest.mark.parametrize("threads", [0, 5000])
def test_threads_out_of_range(run, threads):
    result = run(*TINY, "--threads", threads)
    assert result.exit_code == 2
    assert f"Invalid value for '--threads': {threads} is not in the range 1<=x<=1024." in result.stderr
