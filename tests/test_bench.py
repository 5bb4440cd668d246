"""The measuring itself: what is computed from measurements, and processes that take turns."""

import sys

import pytest

from bench.clock import alternate, compare, geometric_mean, seconds_a_call
from bench.kernels import CASES, FIELDS, gigaflop, output_size
from bench.machine import describe
from bench.protocol import Worker
from bench.report import number, table


def test_number():
    assert [number(value) for value in (188_432, 1_000, 999.6, 34.74, 7.621)] == ["188,000", "1,000", "1000", "34.7", "7.62"]


def test_table_is_aligned():
    assert table(["a", "long"], [["wide", "1"]]) == "| a    | long |\n| ---- | ---- |\n| wide | 1    |"


def test_compare_takes_the_better_peer():
    compared = compare({"jitcnn": [6, 8, 7], "slow": [1, 1, 1], "fast": [2, 2, 4]}, "jitcnn")
    assert (compared["best_peer"], compared["ratio"], compared["ratio_least"], compared["ratio_most"]) == ("fast", 3.5, 1.75, 4)
    assert compare({"jitcnn": [1, 2, 3]}, "jitcnn")["medians"] == {"jitcnn": 2}


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


def test_work_of_a_layer():
    case = dict(zip(FIELDS, CASES[0], strict=True))
    assert gigaflop(case) == pytest.approx(2e-9 * 32 * 28 * 28 * 9 * 8)
    assert output_size(112, kernel=7, stride=2) == 56


def test_machine_is_described():
    assert all(describe(threads=2).values())


def test_worker_answers_and_reports_errors():
    worker = Worker("jitcnn", sys.executable, "bench.ours", threads=1)
    try:
        assert worker.ask("peak") > 0.1
        case = dict(zip(FIELDS, (2, 8, 8, 3, 4, 3, 1), strict=True))
        worker.ask("prepare_convolution", case=case)
        assert worker.ask("convolution", part="grad_input", seconds=0.01) > 0
        with pytest.raises(RuntimeError, match=r"jitcnn failed at images(.|\n)*KeyError: 'nothing'"):
            worker.ask("images", name="nothing")
        assert worker.ask("images", name="deep") == 10_000
    finally:
        worker.close()
