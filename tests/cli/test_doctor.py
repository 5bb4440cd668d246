"""`jitcnn doctor`: what it finds, and what it says about it."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from jitcnn.kernels import compiling
from jitcnn.measuring import health
from tests.cli.conftest import done, refused

WELL = {"threading_layer": "omp", "region_microseconds": 2.0, "cache_folder": "/x", "load": 0.1, "missing": []}


def test_json(run):
    found = done(run("doctor", "--json"))
    assert found["versions"]["numba"] == numba.__version__
    assert found["threading_layer"] in ("omp", "tbb", "workqueue")
    assert found["threads"] == numba.get_num_threads() <= found["cores"]
    assert 0 < found["region_microseconds"] < 1e6
    assert 0.5 < found["peak_gflops"]["one_thread"] < 1e4
    assert found["lanes"] in (4, 8, 16)
    assert found["cache_folder"] == compiling.cache_folder()
    assert found["cache_bytes"] > 1000


def test_report(run):
    lines = run("doctor").stdout.splitlines()
    assert [line.split()[0] for line in lines[:8]] == ["versions", "system", "processor", "vectors", "threads", "peak", "cache", "load"]
    assert all(line.startswith("- ") for line in lines[9:])
    assert len(lines) > 9


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"threading_layer": "workqueue"}, "apt install libgomp1"),
        ({"region_microseconds": 5000.0}, "starting threads takes long"),
        ({"cache_folder": None}, "JITCNN_CACHE_DIR"),
        ({"load": 3.0}, "load 3.0"),
        ({"missing": [["Pillow", "images"]]}, "Pillow is not installed: pip install 'jitcnn[images]'"),
    ],
)
def test_advice(change, text):
    assert health.advice(WELL) == []
    assert health.advice({**WELL, "load": None}) == []
    (said,) = health.advice(WELL | change)
    assert text in said


DIGITS = [
    "train --train-limit 500 --val-limit 100 --epochs 1",
    "train --preset fast --train-limit 600 --epochs 1 --no-report",
    "train --preset deep --train-limit 500 --epochs 1 --augment digits --schedule cosine",
    "train --preset double-conv --train-limit 500 --epochs 1 --opt adamw --weight-decay 0.1 --no-report",
]
COLOURS = "train --data colours.npz --epochs 1 --augment photos"
LATER = """
import sys
from click.testing import CliRunner
from jitcnn_cli.main import main
from jitcnn.kernels import compiling
from jitcnn.measuring import health

health.PICTURES = health.CLASSES = ()
health.warm()
asked = []
load = compiling.Cache.load_overload
compiling.Cache.load_overload = lambda self, *arguments: asked.append(self._impl.filename_base) or load(self, *arguments)
for line in sys.argv[1:]:
    result = CliRunner().invoke(main, line.split())
    assert result.exit_code == 0, result.stderr
print(asked)
"""


@pytest.fixture
def colours(tmp_path):
    """Pictures of the size that folders of photographs become, in three classes."""
    np.savez(tmp_path / "colours.npz", x=np.random.default_rng(0).integers(0, 256, (60, 64, 64, 3), np.uint8), y=np.arange(60) % 3)


def test_after_warming_a_first_training_asks_for_no_other_kernel(tmp_path):
    """A process that has all kernels of `doctor --warm` looks for none in the cache when it trains; here without those for photographs."""
    done = subprocess.run([sys.executable, "-c", LATER, *DIGITS], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.slow
def test_after_warming_a_first_training_compiles_nothing(tmp_path, colours):
    """From an empty cache."""
    environment = os.environ | {"JITCNN_CACHE_DIR": str(tmp_path / "cache")}

    def code():
        return sorted(path.name for path in (tmp_path / "cache").rglob("*.nbc"))

    def call(line):
        command = [sys.executable, "-m", "jitcnn", *line.split()]
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    call("doctor --warm")
    warmed = code()
    assert len(warmed) > 50
    for line in (*DIGITS, COLOURS):
        call(line)
    assert code() == warmed


def test_bad_input(run):
    assert "unexpected extra argument" in refused(run("doctor", "now"))
