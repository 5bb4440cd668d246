"""TOML that is written is read back as it was."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitcnn.runs.toml import dumps

SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8"))
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
KEYS = st.text(st.characters(codec="utf-8"), max_size=5)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(st.dictionaries(KEYS, VALUES | TABLES | st.lists(TABLES, min_size=1, max_size=3), max_size=5))
def test_round_trip(document):
    assert tomllib.loads(dumps(document)) == document


def test_not_a_number():
    assert math.isnan(tomllib.loads(dumps({"loss": math.nan}))["loss"])


def test_as_people_write_it():
    document = {"title": "a", "train": {"lr": 0.1, "gray": True}, "layers": [{"type": "conv2d"}, {"type": "dense", "units": 10}]}
    text = 'title = "a"\n\n[train]\nlr = 0.1\ngray = true\n\n[[layers]]\ntype = "conv2d"\n\n[[layers]]\ntype = "dense"\nunits = 10\n'
    assert dumps(document) == text


@pytest.mark.parametrize("value", [None, b"", {"a": {"b": {"c": 1}}}, object()])
def test_what_toml_does_not_have(value):
    with pytest.raises(ValueError, match="a TOML file holds"):
        dumps({"table": {"key": value}})
