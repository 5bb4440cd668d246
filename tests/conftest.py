"""What all tests share: the option ``--full``, hypothesis' two profiles, and the figures that ``make test-full`` writes."""

import json
from pathlib import Path

import hypothesis
import pytest

FIGURES = Path(__file__).parents[1] / "bench" / "results" / "tests.json"

hypothesis.settings.register_profile("ci", max_examples=20, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("full", max_examples=300, deadline=None, print_blob=True)


def pytest_addoption(parser):
    parser.addoption(
        "--full", action="store_true", help="run the slow tests too, and 300 generated configurations a property instead of 20"
    )


def pytest_configure(config):
    hypothesis.settings.load_profile("full" if config.getoption("--full") else "ci")
    config.figures = {}


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: item.path.name != "test_processors.py")  # what takes longest goes first, so that two processes end together
    if not config.getoption("--full"):
        skip = pytest.mark.skip(reason="slow: make test-full runs it")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


@pytest.fixture
def full(request):
    """True under ``--full``: a test may then take more seeds, sizes or steps."""
    return request.config.getoption("--full")


@pytest.fixture
def figures(request):
    """A dict: what a test measured, by name. ``--full`` prints the figures at the end and writes them to bench/results/tests.json."""
    return request.config.figures


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # one of several processes that share the tests
        session.config.workeroutput["figures"] = session.config.figures


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    node.config.figures.update(getattr(node, "workeroutput", {}).get("figures", {}))


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--full") and config.figures:
        FIGURES.parent.mkdir(parents=True, exist_ok=True)
        FIGURES.write_text(json.dumps(config.figures, indent=1, sort_keys=True) + "\n")
        terminalreporter.section(f"figures, also in {FIGURES}")
        for name, value in sorted(config.figures.items()):
            terminalreporter.write_line(f"{name}: {value}")
