"""What one process has compiled, the next one loads: every kernel that a program of the engine "fast" calls."""

import os
import shutil
import subprocess
import sys

from jitcnn.kernels import compiling

TRAIN = """
import numpy as np
from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d, Upsample

random = np.random.default_rng(0)
x, y = random.random((64, 12, 12, 2)), random.integers(0, 3, 64)
layers = [Conv2d(4, padding="edge", activation="tanh", input_shape=(12, 12, 2)), Pool2d(), Upsample()]
layers += [Conv2d(8, stride=2, activation="sigmoid"), Pool2d(kind="average"), Dropout(0.1), Flatten()]
layers += [Dense(16), Activation("relu"), Dense(3, activation="softmax")]
model = CNN(layers, seed=1, normalize="per-image")
model.compile()
model.train(x, y, epochs=1, batch_size=32, validation=0.25, progress=False)
model.predict(x)
"""


def test_second_process_compiles_nothing(tmp_path, full):
    """With --full from an empty cache, else from what others have compiled, without some of it."""
    if not full:
        shutil.copytree(compiling.cache_folder(), tmp_path / compiling.digest())
        for path in tmp_path.rglob("dropout*"):
            path.unlink()
    compiled = []
    for hash_seed in ("1", "2"):  # the order of a set must not enter a key
        settings = {"JITCNN_CACHE_DIR": str(tmp_path), "NUMBA_DEBUG_CACHE": "1", "PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", TRAIN], env=os.environ | settings, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        compiled.append(sorted(line.rpartition("/")[2] for line in done.stdout.splitlines() if "data saved to" in line))
    assert compiled[0]
    assert not compiled[1]
