"""The worked examples in the docstrings are right, and every prepared form has one."""

import doctest
import importlib
import pkgutil
import sys

import pytest

import jitcnn.reference
from jitcnn.reference.prepared import PREPARED

MODULES = [module.name for module in pkgutil.iter_modules(jitcnn.reference.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module(name):
    # Not getattr(jitcnn.reference, name): `dense` and `dropout` are functions there.
    module = importlib.import_module(f"jitcnn.reference.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", PREPARED)
def test_every_prepared_form_explains_itself(name):
    loops = PREPARED[name]
    assert ">>>" in loops.__doc__, f"{name} has no worked example"
    assert "Parameters" in loops.__doc__
    assert len(sys.modules[loops.__module__].__doc__.splitlines()) > 3, f"{loops.__module__} has no formula and picture"
