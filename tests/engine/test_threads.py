"""The same bits on any number of threads, more than cores too, on each of Numba's layers; and Python threads beside each other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAIN = """
import sys
import numba
import numpy as np
from jitcnn.presets import PRESETS

generator = np.random.default_rng(4)
x, y = generator.integers(0, 256, (160, 28, 28, 1)).astype(np.uint8), generator.integers(0, 10, 160)
model = PRESETS["conv-pool"].build(seed=3, threads=int(sys.argv[1]))
model.train(x, y, epochs=1, batch_size=32, progress=False)
print(model.digest(), numba.threading_layer() if sys.argv[1] != "1" else "none")
"""
TWO_AT_ONCE = """
import threading
import numpy as np
from jitcnn.presets import PRESETS

x = np.random.default_rng(4).integers(0, 256, (64, 28, 28, 1)).astype(np.uint8)
models = [PRESETS["conv-pool"].build(seed=3, engine=engine, threads=threads) for engine in ("fast", "loops") for threads in (2, 2)]
expected = [model.predict(x) for model in models]
equal = []


def predict(model, truth):
    equal.extend((model.predict(x) == truth).all() for _ in range(5))


threads = [threading.Thread(target=predict, args=pair) for pair in zip(models, expected)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(equal), all(equal))
"""


def run(script, *arguments, threads, layer="omp"):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": str(threads), "NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return done.stdout.split()


@pytest.fixture(scope="module")
def on_one_thread():
    return run(TRAIN, 1, threads=1)[0]


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_same_bits(on_one_thread, threads, layer):
    if layer == "omp":
        pytest.importorskip("numba.np.ufunc.omppool", reason="libgomp is not installed", exc_type=ImportError)
    assert run(TRAIN, threads, threads=threads, layer=layer) == [on_one_thread, layer]


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_python_threads_beside_each_other(layer):
    """Numba's workqueue layer ends the process where two threads enter it at once."""
    assert run(TWO_AT_ONCE, threads=2, layer=layer) == ["20", "True"]
