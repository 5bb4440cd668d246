"""The same bits, of every preset and every kind of layer, on any number of threads and each of Numba's layers; Python threads together."""

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
from tests.engine.test_engines_agree import mixed

generator = np.random.default_rng(4)
x, y = generator.integers(0, 256, (72, 28, 28, 1)).astype(np.uint8), generator.integers(0, 10, 72)
small, kinds = generator.normal(size=(72, 11, 10, 2)).astype(np.float32), generator.integers(0, 3, 72)
threads = int(sys.argv[1])
models = [(preset.build(seed=3, threads=threads), x, y) for preset in PRESETS.values()] + [(mixed(threads=threads), small, kinds)]
for model, images, labels in models:
    model.train(images, labels, epochs=1, batch_size=32, progress=False)
    print(model.digest())
print(numba.threading_layer() if threads != 1 else "none")
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

FORK = """
import os
import numpy as np
from jitcnn.presets import PRESETS

x = np.random.default_rng(4).integers(0, 256, (64, 28, 28, 1)).astype(np.uint8)
model, serial = (PRESETS["conv-pool"].build(seed=3, threads=threads) for threads in (2, 1))
model.train(x, np.arange(64) % 10, epochs=1, progress=False)
expected = serial.predict(x)
if os.fork() == 0:
    status = 1
    try:
        model.train(x, np.arange(64) % 10, epochs=1, progress=False)
    except RuntimeError as error:
        status = 0 if "forked" in str(error) and "spawn" in str(error) and (serial.predict(x) == expected).all() else 2
    os._exit(status)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def run(script, *arguments, threads, layer="omp"):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": str(threads), "NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    return done.stdout.split()


@pytest.fixture(scope="module")
def on_one_thread():
    return run(TRAIN, 1, threads=1)[:-1]


@pytest.mark.parametrize(("threads", "layer"), [(2, "omp"), (5, "omp"), (3, "workqueue")])
def test_same_bits(on_one_thread, threads, layer):
    if layer == "omp":
        pytest.importorskip("numba.np.ufunc.omppool", reason="libgomp is not installed", exc_type=ImportError)
    assert run(TRAIN, threads, threads=threads, layer=layer) == [*on_one_thread, layer]


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_python_threads_beside_each_other(layer):
    """Numba's workqueue layer ends the process where two threads enter it at once."""
    assert run(TWO_AT_ONCE, threads=2, layer=layer) == ["20", "True"]


def test_after_a_fork_parallel_kernels_say_so_and_one_thread_works():
    """GNU OpenMP's threads do not survive a fork: without a check the child would hang, or be killed."""
    pytest.importorskip("numba.np.ufunc.omppool", reason="libgomp is not installed", exc_type=ImportError)
    assert run(FORK, threads=2) == ["0"]
