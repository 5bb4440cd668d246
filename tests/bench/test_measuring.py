"""The measuring itself: what is computed from measurements, and processes that take turns."""

import sys

import numba
import numpy as np
import pytest

from bench.protocol import Worker
from jitcnn.measuring import kernels, networks
from jitcnn.measuring.cases import CASES, QUICK, Case
from jitcnn.measuring.clock import alternate, compare, geometric_mean, seconds_a_call
from jitcnn.measuring.machine import describe
from jitcnn.measuring.ours import Here
from jitcnn.measuring.peak import fma_peak
from jitcnn.measuring.report import Table, markdown, number, times

CONV = Case("conv", 2, 8, 9, 3, 4, 3, 2)
DENSE = Case("dense", 4, 1, 1, 20, 5, 1)
POOL = Case("pool", 2, 8, 8, 3, 3, 2, 2)


class Peer:
    """A program that computes nothing and always says the same speeds: `speed` calls, or images, a second."""

    def __init__(self, name, speed):
        self.name, self.speed = name, speed

    def ask(self, request, **arguments):
        return self.speed if request in ("layer", "train") else None


def test_number():
    assert [number(value) for value in (188_432, 1_000, 999.6, 34.74, 7.621)] == ["188,000", "1,000", "1000", "34.7", "7.62"]


def test_table_is_aligned():
    assert markdown(["a", "long"], [["wide", "1"]]) == "| a    | long |\n| ---- | ---- |\n| wide | 1    |"
    assert Table("Title", ["a"], [["b"]], "A note.").markdown() == "## Title\n\n| a |\n| - |\n| b |\n\nA note."


def test_compare_takes_the_better_peer():
    compared = compare({"jitcnn": [6, 8, 7], "slow": [1, 1, 1], "fast": [2, 2, 4]}, "jitcnn")
    assert (compared["best_peer"], compared["ratio"], compared["ratio_least"], compared["ratio_most"]) == ("fast", 3.5, 1.75, 4)
    assert compare({"jitcnn": [1, 2, 3]}, "jitcnn")["medians"] == {"jitcnn": 2}
    assert times(compared) == "3.50 (1.75 to 4.00)"
    assert times(compare({"jitcnn": [1]}, "jitcnn")) == ""


def test_compare_seconds_takes_the_shorter_ones():
    compared = compare({"jitcnn": [1, 2], "slow": [9, 9], "fast": [3, 3]}, "jitcnn", most=False)
    assert (compared["best_peer"], compared["ratio"], compared["ratio_least"], compared["ratio_most"]) == ("fast", 2, 1.5, 3)


def test_programs_take_turns():
    turns = []
    values = alternate({name: lambda name=name: turns.append(name) or 1.0 for name in "ab"}, rounds=3)
    assert turns == list("ababab")
    assert values == {"a": [1.0] * 3, "b": [1.0] * 3}


def test_seconds_a_call_counts_at_least_one():
    calls = []
    assert seconds_a_call(lambda: calls.append(1), 0) > 0
    assert len(calls) == 2


def test_geometric_mean():
    assert geometric_mean([2, 8]) == pytest.approx(4)


def test_cases():
    assert CASES[0].work == pytest.approx(2e-9 * 32 * 28 * 28 * 9 * 8)
    assert (CONV.outputs, CONV.name) == ((4, 5), "2x8x9x3 3x3x3x4 /2")
    assert (DENSE.work, DENSE.name) == (pytest.approx(2e-9 * 4 * 20 * 5), "4x20 20x5")
    assert (POOL.outputs, POOL.name) == ((4, 4), "2x8x8x3 max 2x2")
    with_many = [case.name for case in CASES if case.suits_winograd and case.has_many_channels]
    assert with_many[:2] == ["32x32x32x64 3x3x64x64", "16x56x56x64 3x3x64x64"]
    assert [(case.channels, case.filters) for case in CASES if case.suits_winograd and case.name not in with_many] == [(8, 16), (3, 32)]
    assert len({case.name for case in CASES}) == len(CASES)
    assert set(QUICK) <= set(CASES)


def test_machine_is_described():
    assert all(describe(threads=2).values())


def test_peak_leaves_the_number_of_threads():
    before = numba.get_num_threads()
    assert fma_peak(1) > 0.1
    assert numba.get_num_threads() == before


@pytest.mark.parametrize("case", [CONV, DENSE, POOL], ids=lambda case: case.kind)
def test_what_is_measured_is_the_layer(case):
    """The measured calls give what the functions give without `out`, and of the right shape."""
    from jitcnn.measuring.ours import STATE

    here = Here()
    here.ask("prepare_layer", case=list(case))
    assert set(STATE["calls"]) == set(case.passes)
    y = STATE["calls"]["forward"]()
    y = y[0] if case.kind == "pool" else y
    expected = (case.images, *case.outputs, case.filters) if case.kind != "dense" else (case.images, case.filters)
    assert y.shape == expected
    assert np.isfinite(y).all() and np.ptp(y) > 0
    assert here.ask("layer", part="grad_input", seconds=0) > 0


@pytest.mark.parametrize("part", ["forward", "grad_input", "grad_weights"])
def test_winograd_is_what_is_measured_where_it_is_asked_for(part):
    """Its error is another than that of the direct sum, and small."""
    here = Here()
    here.ask("prepare_layer", case=list(Case("conv", 2, 8, 8, 64, 64, 3)))
    direct, winograd = (here.ask("error", part=part, algorithm=algorithm) for algorithm in ("direct", "winograd"))
    assert direct != winograd
    assert max(direct, winograd) < 2e-5


@pytest.mark.parametrize("part", ["forward", "grad_input", "grad_weights"])
def test_error_is_small_and_that_of_a_wrong_result_large(part):
    from jitcnn.measuring.ours import STATE

    here = Here()
    here.ask("prepare_layer", case=list(CONV))
    assert 0 < here.ask("error", part=part, algorithm="direct") < 1e-6
    call = STATE["calls"][part]
    STATE["calls"][part] = lambda **settings: 1.01 * call(**settings)
    assert here.ask("error", part=part, algorithm="direct") == pytest.approx(0.01, rel=0.01)


def test_suite_kernels():
    peers = [Peer("slow", 1.0), Peer("fast", 2.0)]
    results = kernels.run(Here(), peers, rounds=2, seconds=0, cases=(CONV, DENSE, POOL), say=lambda line: None)
    found = results["layers"]["conv"][CONV.name]["forward"]
    assert found["medians"]["fast"] == pytest.approx(2 * CONV.work)
    assert found["of_peak"] == pytest.approx(found["medians"]["jitcnn"] / found["peak"])
    assert results["summary"]["forward"]["direct"]["least"] == found["ratio"]
    titles = [table.title for table in kernels.tables(results)]
    assert titles[:3] == ["Convolution, forward", "Convolution, gradient of the input", "Convolution, gradient of the weights"]
    assert len(titles) == 8
    assert all(len(row) == len(table.header) for table in kernels.tables(results) for row in table.rows)
    assert "geometric mean" in kernels.tables(results)[0].note
    assert "on one thread" in kernels.tables(results)[-1].note


def test_suite_networks():
    results = networks.run(Here(), [Peer("fixed", 100.0)], 2, 0, ["conv-pool"], (1000,), say=lambda line: None)
    found = results["networks"]["1000"]["conv-pool"]
    assert found["ratio"] == pytest.approx(found["medians"]["jitcnn"] / 100)
    assert results["geometric_mean"]["1000"] == pytest.approx(found["ratio"])
    (table,) = networks.tables(results)
    assert [row[:2] for row in table.rows] == [["conv-pool", "1000"]]
    assert networks.epoch_size(5_000, 1) == 1_000
    assert networks.epoch_size(5_000, 32) == 5_000
    assert networks.epoch_size(5_000, 1024) == 10_240


class WithWinograd(Peer):
    """A program that computes convolutions in two ways, the second one three times as fast."""

    def ask(self, request, **arguments):
        answers = {"error": 2e-6, "peak": 1000.0}
        return answers[request] if request in answers else self.speed * (3 if arguments.get("algorithm") == "winograd" else 1)


def test_winograd_stands_beside_the_direct_sum():
    case, few = Case("conv", 1, 8, 8, 64, 64, 3), Case("conv", 1, 8, 8, 3, 32, 3)
    results = kernels.run(WithWinograd("jitcnn", 10.0), [Peer("other", 5.0)], 1, 0, cases=(case, CONV, few), say=lambda line: None)
    table = kernels.tables(results)[0]
    assert table.header == ["layer", "jitcnn GFLOP/s", "of peak", "other", "ratio", "Winograd", "ratio", "error"]
    speeds = [number(speed * case.work) for speed in (10, 5, 30)]
    assert table.rows[0][:2] + table.rows[0][3:] == [case.name, speeds[0], speeds[1], "2.00", speeds[2], "6.00", "2.0e-06"]
    assert table.rows[1][5:] == ["", "", ""] and table.rows[2][6] == "6.00"
    results["layers"]["conv"][few.name]["forward"]["winograd"]["ratio"] = 0.1  # which does not count among those of many channels
    assert kernels.summarize(results["layers"]["conv"])["forward"]["winograd"]["least"] == pytest.approx(6)
    assert table.note.startswith("Ratios, direct: geometric mean 2.00, least 2.00; winograd: geometric mean 6.00, least 6.00.")


def test_work_of_training():
    """Forward and both gradients, but that of the images: single-conv."""
    conv, dense = 26 * 26 * 9 * 8, 26 * 26 * 8 * 10
    assert Here().ask("work", name="single-conv") == pytest.approx(2e-9 * (2 * conv + 3 * dense))


def test_worker_answers_and_reports_errors():
    worker = Worker("jitcnn", sys.executable, "bench.ours", threads=1)
    try:
        assert worker.ask("peak") > 0.1
        worker.ask("prepare_layer", case=list(CONV))
        assert worker.ask("layer", part="grad_input", seconds=0.01) > 0
        with pytest.raises(RuntimeError, match=r"jitcnn failed at images(.|\n)*KeyError: 'nothing'"):
            worker.ask("images", name="nothing")
        assert worker.ask("images", name="deep") == 10_000
    finally:
        worker.close()
