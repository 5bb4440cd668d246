"""The examples in the docstrings of all modules; those of `jitcnn.reference` and `jitcnn.forms` are run beside their other tests."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ELSEWHERE = ("jitcnn.reference.", "jitcnn.forms.")


def modules():
    """The names of all modules with an example."""
    paths = [path for path in sorted((ROOT / "jitcnn").rglob("*.py")) if ">>> " in path.read_text()]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return [name for name in names if not name.startswith(ELSEWHERE)]


@pytest.mark.parametrize("name", modules())
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
