"""Compiled loops are found again by the next process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("jitcnn.kernels.compiling")

PROGRAM = """
import numpy as np
from jitcnn.reference.compiled import compiled
for dtype in (np.float32, np.float64):
    y = np.empty((2, 3), dtype)
    compiled("relu")(np.full((2, 3), -1, dtype), y)
    assert (y == 0).all()
    compiled("dropout")(np.ones((2, 3), dtype), y, 2**31, 1, np.array([1]))
    assert set(y.ravel()) == {0, 2}
variants = [variant for name in ("relu", "dropout") for variant in compiled(name).variants.values()]
print(len(variants), sum(sum(variant.stats.cache_hits.values()) for variant in variants))
"""


def start(folder):
    environment = {**os.environ, "JITCNN_CACHE_DIR": str(folder)}
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-W", "error::UserWarning", "-c", PROGRAM], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_at_once_and_one_afterwards(tmp_path):
    together = [start(tmp_path), start(tmp_path)]
    for process in together:
        process.communicate(timeout=120)
        assert process.returncode == 0
    afterwards = start(tmp_path)
    assert afterwards.communicate(timeout=120)[0].split() == ["4", "4"]
