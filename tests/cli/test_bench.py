"""`jitcnn bench`: tables on stdout, or one JSON object; how it goes on is said on stderr."""

import numba

from tests.cli.conftest import done, refused


def test_kernels(run):
    result = run("bench", "kernels", "--quick", "--rounds", 1, "--only", "1x8")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[:2] == ["Convolution, forward", "layer               jitcnn GFLOP/s  of peak"]
    assert lines[2].startswith("32x28x28x1 3x3x1x8 ") and lines[2].endswith("%")
    assert lines[-1].startswith("Peak, GFLOP/s: ")
    assert "processor: " in result.stderr
    assert "32x28x28x1 3x3x1x8: forward " in result.stderr


def test_networks(run):
    result = run("bench", "networks", "--quick", "--rounds", 1, "--only", "conv-pool", "--threads", 1, "--json")
    found = done(result)
    assert list(found) == ["machine", "networks"]
    assert found["machine"]["threads"] == "1"
    assert found["networks"]["networks"]["32"]["conv-pool"]["medians"]["jitcnn"] > 0
    assert numba.get_num_threads() == numba.config.NUMBA_NUM_THREADS


def test_bad_input(run):
    assert "'layers' is not one of 'kernels', 'networks'" in refused(run("bench", "layers"))
    assert "0 is not in the range" in refused(run("bench", "--rounds", 0))
    assert "no layer's or network's name holds 'nothing'" in refused(run("bench", "--only", "nothing"))
    more = numba.config.NUMBA_NUM_THREADS + 1
    assert f"threads is {more}" in refused(run("bench", "--threads", more))
