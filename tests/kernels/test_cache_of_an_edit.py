"""Machine code is never taken for that of other sources: an edit of the tile shows in the next process, and undone, so does that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import numpy as np
from jitcnn import kernels

print(kernels.conv2d(np.ones((40, 6, 6, 2), np.float32), np.ones((3, 3, 2, 16), np.float32), algorithm="direct")[0, 0, 0, 0])
"""


def result(folder):
    environment = os.environ | {"PYTHONPATH": str(folder), "JITCNN_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_an_edit_of_the_tile_makes_a_new_folder(tmp_path):
    shutil.copytree(ROOT / "jitcnn", tmp_path / "jitcnn", ignore=shutil.ignore_patterns("__pycache__", "mnist"))
    tile = tmp_path / "jitcnn" / "kernels" / "tile.py"
    source = tile.read_text()
    assert result(tmp_path) == 18
    edited = source.replace("simd.multiply_add(a_value, ", "simd.multiply_add(builder.fneg(a_value), ")
    assert edited != source
    tile.write_text(edited)
    assert result(tmp_path) == -18
    assert len(list((tmp_path / "cache").iterdir())) == 2
    tile.write_text(source)
    assert result(tmp_path) == 18
    assert len(list((tmp_path / "cache").iterdir())) == 2
