"""The same bits, of every preset and every kind of layer, on any number of threads and each of Numba's layers; Python threads together."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jitcnn.kernels.pace import ALL, ONE, Pace
from jitcnn.kernels.threads import num_threads
from jitcnn.presets import PRESETS

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
AT_ONCE = """
import threading
import numpy as np
from jitcnn.presets import PRESETS

generator = np.random.default_rng(4)
x, y = generator.integers(0, 256, (64, 28, 28, 1)).astype(np.uint8), generator.integers(0, 10, 64)
made = [("conv-pool", "fast", 2), ("single-conv", "fast", 2), ("conv-pool", "loops", 2), ("conv-pool", "loops", 1)]


def models():
    return [PRESETS[name].build(seed=3, engine=engine, threads=threads) for name, engine, threads in made]


def work(model):
    model.train(x, y, epochs=2, progress=False)
    model.outputs = [model.predict(x).tobytes() for _ in range(5)]


together, alone = models(), models()
threads = [threading.Thread(target=work, args=(model,)) for model in together]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for model in alone:
    work(model)
print(*(one.digest() == other.digest() and one.outputs == other.outputs for one, other in zip(together, alone)))
"""

FORK = """
import os
import sys
import numba
import numpy as np
from jitcnn.presets import PRESETS

x = np.random.default_rng(4).integers(0, 256, (64, 28, 28, 1)).astype(np.uint8)
model, twin = (PRESETS["conv-pool"].build(seed=3, engine=sys.argv[1], threads=2) for _ in range(2))
serial = PRESETS["conv-pool"].build(seed=3, threads=1)
if sys.argv[2] == "trained":
    model.train(x, np.arange(64) % 10, epochs=1, progress=False)
else:
    numba.get_num_threads()  # starts Numba's threads
expected = serial.predict(x)
if os.fork() == 0:
    try:
        twin.train(x, np.arange(64) % 10, epochs=1, progress=False)
        print("trained" if twin.digest() == model.digest() else "differs", end=" ")
    except RuntimeError as error:
        print("refused" if "forked" in str(error) and "spawn" in str(error) else error, end=" ")
    print((serial.predict(x) == expected).all(), flush=True)
    os._exit(0)
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
    """Each trains a model of its own; Numba's workqueue layer ends the process where two threads enter it at once."""
    assert run(AT_ONCE, threads=2, layer=layer) == ["True"] * 4


@pytest.mark.parametrize(
    ("layer", "engine", "before", "answer"),
    [
        ("omp", "fast", "trained", "refused"),
        ("omp", "loops", "trained", "refused"),
        ("omp", "fast", "started threads", "refused"),
        ("workqueue", "fast", "trained", "trained"),
    ],
)
def test_after_a_fork(layer, engine, before, answer):
    """GNU OpenMP's threads do not survive it: without a check the child would hang, or be killed. One thread works."""
    if layer == "omp":
        pytest.importorskip("numba.np.ufunc.omppool", reason="libgomp is not installed", exc_type=ImportError)
    assert run(FORK, engine, before, threads=2, layer=layer) == [answer, "True", "0"]


@pytest.mark.parametrize("name", ["double-conv", "deep", "fast"])
def test_the_number_of_threads_may_change_from_step_to_step(monkeypatch, name):
    """Steps on one thread and on all by turns, three at a time: as training goes where one is sometimes faster."""
    if num_threads() < 2:
        pytest.skip("one thread")
    generator = np.random.default_rng(4)
    x, y = generator.integers(0, 256, (168, 28, 28, 1)).astype(np.uint8), generator.integers(0, 10, 168)
    ways = []

    def by_turns(self, perform, steps):
        while steps:
            ways.append(ALL if ways[-1:] == [ONE] else ONE)
            perform(ways[-1], min(steps, 3))
            steps -= min(steps, 3)

    monkeypatch.setattr(Pace, "run", by_turns)
    models = [PRESETS[name].build(seed=3, threads=threads) for threads in (None, 1)]
    for model in models:
        model.train(x, y, epochs=2, batch_size=8, progress=False)
        model.outputs = [model.predict(x).tobytes() for _ in range(4)]
    assert models[0].digest() == models[1].digest()
    assert models[0].outputs == models[1].outputs == models[1].outputs[:1] * 4
    assert {ALL, ONE} == set(ways)
