"""The same bits on fewer and on more threads than there are processors, under both threading layers, each in a process of its own."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import hashlib
import numba
import numpy as np
from jitcnn.presets import PRESETS

random = np.random.default_rng(0)
x, y = random.random((70, 28, 28, 1)), random.integers(0, 10, 70)
threads = numba.config.NUMBA_NUM_THREADS
model = PRESETS["deep"].build(seed=1, threads=threads)
model.train(x, y, epochs=1, batch_size=32, progress=False)
digest = hashlib.sha256(b"".join(array.tobytes() for array in model.parameters.values())).hexdigest()
print(digest, threads, numba.threading_layer() if threads > 1 else "serial")
"""


def train(threads, layer):
    settings = {"NUMBA_NUM_THREADS": str(threads), "NUMBA_THREADING_LAYER": layer}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=os.environ | settings, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    digest, used, started = done.stdout.split()
    assert (int(used), started) == (threads, layer if threads > 1 else "serial")
    return digest


@pytest.fixture(scope="module")
def serial():
    """The parameters' digest after convolutions, pooling, dense layers and dropout were trained on one thread."""
    return train(1, "workqueue")


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_workqueue(serial, threads):
    assert train(threads, "workqueue") == serial


@pytest.mark.skipif(sys.platform == "darwin", reason="Numba comes without OpenMP there")
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_openmp(serial, threads):
    assert train(threads, "omp") == serial
