"""Nothing is imported before it is used: what a process has not loaded tells why it started at once."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "numba", "llvmlite", "scipy", "matplotlib", "PIL", "tqdm", "requests", "pooch")
HELP = """
from jitcnn_cli.main import main

try:
    main({arguments})
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded(code):
    """Those of the heavy packages that a process has imported once the code ran."""
    report = f"import sys; print('loaded', *[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    word, *names = done.stdout.splitlines()[-1].split()
    assert word == "loaded"
    return set(names)


def test_the_package_alone_imports_none():
    assert loaded("import jitcnn; dir(jitcnn)") == set()


@pytest.mark.parametrize(
    "command", [[], ["train"], ["eval"], ["summary"], ["convert"], ["data"], ["bench"], ["learn"], ["plot"], ["report"], ["play"]]
)
def test_help_imports_none(command):
    assert loaded(HELP.format(arguments=[*command, "--help"])) == set()


def test_reading_digits_compiles_nothing():
    assert loaded("from jitcnn.data import mnist; mnist.load()") == {"numpy"}


def test_a_model_imports_what_trains_it_and_no_extra():
    assert loaded("import jitcnn; jitcnn.CNN") & {"matplotlib", "PIL", "requests", "pooch", "scipy"} == set()
