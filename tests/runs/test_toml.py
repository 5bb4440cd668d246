"""TOML that is written is read back as it was."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitcnn.runs.toml import dumps, read

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


@pytest.mark.parametrize("key", ["a" + ".a" * 40, '"a b"' + " . 'c'" * 40, "[" + "a." * 40 + "a]\nb", "a" * 500_000 + ".b" * 40])
def test_keys_of_many_parts(tmp_path, key):
    """Half a million of them would take hours."""
    (tmp_path / "a.toml").write_text(f"{key} = 1\n")
    with pytest.raises(ValueError, match=r"a\.toml: not a TOML file: a key of more than 32 parts"):
        read(tmp_path / "a.toml")


def test_what_is_no_key_of_many_parts(tmp_path):
    text = f"a = [{', '.join(['0.5'] * 2000)}]\nb = '{'x' * 900_000}'\n{'.'.join('k1b2c3')} = 1\n"
    (tmp_path / "a.toml").write_text(text)
    assert read(tmp_path / "a.toml") == tomllib.loads(text)


def test_a_number_of_many_digits(tmp_path):
    (tmp_path / "a.toml").write_text(f"a = {'9' * 10_000}\n")
    with pytest.raises(ValueError, match=r"a\.toml: not a TOML file"):
        read(tmp_path / "a.toml")
