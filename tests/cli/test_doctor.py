"""`jitcnn doctor`: what it finds, and what it says about it."""

import numba
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


@pytest.mark.slow
def test_warm(run):
    result = run("doctor", "--warm", "--json")
    assert "networks need" in result.stderr
    assert done(result)["cache_bytes"] > 1000


def test_bad_input(run):
    assert "unexpected extra argument" in refused(run("doctor", "now"))
