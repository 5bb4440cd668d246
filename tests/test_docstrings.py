"""The examples in the docstrings of everything above the kernels."""

import doctest
import importlib

import pytest

MODULES = [
    "jitcnn",
    "jitcnn.gradient_check",
    "jitcnn.initializers",
    "jitcnn.labels",
    "jitcnn.layers.base",
    "jitcnn.layers.geometry",
    "jitcnn.model",
    "jitcnn.plots.style",
    "jitcnn.plots.tiles",
    "jitcnn.progress",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
