"""What all tests share: the option ``--full``, hypothesis' two profiles, and the figures that ``make test-full`` writes."""

import json
import signal
from pathlib import Path

import hypothesis
import pytest

FIGURES = Path(__file__).parents[1] / "bench" / "results" / "tests.json"
#: Files that go first: what compiles most of what others load, then what takes longest, so that two processes end together.
LONGEST = ["test_doctor", "test_processors", "test_readme", "test_help", "test_overloads", "test_engines_agree"]
LONGEST += ["test_spills", "test_generated", "test_winograd", "test_digits", "test_page", "test_suites"]

hypothesis.settings.register_profile("ci", max_examples=20, deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("full", max_examples=300, deadline=None, print_blob=True)


def pytest_addoption(parser):
    parser.addoption(
        "--full", action="store_true", help="run the slow tests too, and 300 generated configurations a property instead of 20 or fewer"
    )


def pytest_configure(config):
    hypothesis.settings.load_profile("full" if config.getoption("--full") else "ci")
    config.figures = {}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and what tests start would too


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
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
def few_digits(full, monkeypatch):
    """Unless ``--full``, the digits that come along are only the first thousands: commands as people write them then take less time."""
    if full:
        return
    from jitcnn.data import loading

    read, most = loading._from_folder, (4000, 1000)

    def read_few(folder, name, *limits):
        return read(folder, name, *(few if limit is None else min(limit, few) for limit, few in zip(limits, most, strict=True)))

    monkeypatch.setattr(loading, "_from_folder", read_few)


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
        known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}  # of tests that are not run this time
        FIGURES.write_text(json.dumps(known | config.figures, indent=1, sort_keys=True) + "\n")
        terminalreporter.section(f"figures, also in {FIGURES}")
        for name, value in sorted(config.figures.items()):
            terminalreporter.write_line(f"{name}: {value}")
