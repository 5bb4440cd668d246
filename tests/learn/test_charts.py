"""Bars and curves made of letters."""

import doctest
import math

from jitcnn.learn import charts


def test_examples():
    result = doctest.testmod(charts)
    assert result.attempted == 2
    assert result.failed == 0


def test_bars_are_as_long_as_asked():
    assert charts.bar(0) == ""
    assert charts.bar(3) == "███"
    assert charts.bar(0.5) == "▌"


def test_curves_go_from_first_to_last_value():
    lines = charts.curves({"right": [3.0, 1.0], "wrong": [3.0, 2.0]}, width=40, height=5).splitlines()
    assert lines[0].startswith("  3.00 |*")
    assert lines[4].startswith("  1.00 |")
    assert lines[4].endswith("o")
    assert lines[2].endswith("x")
    assert max(map(len, lines)) == 40


def test_what_is_no_number_is_left_out():
    text = charts.curves({"right": [3.0, 1.0], "wrong": [2.0, math.nan]}, width=40, height=5)
    assert text.count("x") == 1
