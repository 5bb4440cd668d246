"""`jitcnn report`, and the page that `jitcnn train` leaves."""

import sys

import pytest
from jitcnn_cli import train_run

from jitcnn import plots, report
from jitcnn.runs.folder import Run
from tests.cli.conftest import TINY, done, refused

pytest.importorskip("matplotlib")

WITH_PAGE = [option for option in TINY if option != "--no-report"]


@pytest.fixture
def folder(run, digits, tmp_path):
    """A run that has no page yet."""
    assert done(run(*TINY, "--data", digits, "--name", "first", "--json"))["report"] is None
    return tmp_path / "runs" / "first"


@pytest.fixture
def undrawn(monkeypatch):
    """As where matplotlib is not installed; drawing takes its time."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def test_train_leaves_what_report_makes_again(run, digits, tmp_path):
    result = run(*WITH_PAGE, "--data", digits, "--name", "first")
    assert result.exit_code == 0
    assert "run runs/first, page runs/first/report.html\n" in result.stdout
    page = tmp_path / "runs" / "first" / "report.html"
    first = page.read_bytes()
    assert first.count(b"data:image/png") == 2 * 6 and b"jitcnn train --config runs/first/config.toml" in first
    page.unlink()
    again = run("report", "runs/first")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "runs/first/report.html\n", "")
    assert page.read_bytes() == first


def test_without_matplotlib_train_leaves_a_page_all_the_same(run, digits, tmp_path, undrawn):
    result = done(run(*WITH_PAGE, "--data", digits, "--name", "first", "--json"))
    assert result["report"] == "runs/first/report.html"
    assert "pip install &#x27;jitcnn[plots]&#x27;" in (tmp_path / "runs" / "first" / "report.html").read_text()
    assert "without pictures, which need matplotlib: pip install 'jitcnn[plots]'" in run("report", "runs/first").stderr


def test_a_page_that_fails_does_not_undo_the_run(run, digits, tmp_path, monkeypatch):
    def fail(*arguments, **settings):
        raise OSError(28, "No space left on device", "report.html")

    monkeypatch.setattr(report, "write", fail)
    result = run(*WITH_PAGE, "--data", digits, "--name", "first")
    assert result.exit_code == 0
    assert "warning: no page about the run could be written: report.html: No space left on device\n" in result.stderr
    assert "run runs/first\n" in result.stdout and (tmp_path / "runs" / "first" / "last.json").is_file()


def test_data_that_have_moved(run, folder, digits, undrawn):
    digits.rename(digits.with_name("moved.npz"))
    result = run("report", folder)
    assert result.exit_code == 0 and "without the data's part, say with --data where they are: " in result.stderr
    assert "Confusion" not in (folder / "report.html").read_text()
    assert "--data" not in run("report", folder, "--data", "moved.npz").stderr
    assert "Confusion" in (folder / "report.html").read_text()
    assert "none.npz" in refused(run("report", folder, "--data", "none.npz"))


def test_no_run(run, tmp_path, digits):
    assert "no such folder" in refused(run("report", "runs/none"))
    assert "not a folder" in refused(run("report", digits))
    assert "there is no config.toml" in refused(run("report", tmp_path))


def test_pictures_of_a_run(run, folder, tmp_path):
    for name in (folder, folder / "best.json"):
        assert run("plot", name, "history").stdout == "history.png\n"
        plots.save(plots.history(Run(folder).history), tmp_path / "expected.png")
        assert (tmp_path / "history.png").read_bytes() == (tmp_path / "expected.png").read_bytes()
    assert run("plot", folder, "graph").exit_code == 0
    (folder / "history.csv").unlink()
    assert "there is no history of training to draw" in refused(run("plot", folder, "history"))


def test_a_model_apart_from_its_run_has_no_history(run, trained):
    assert "the history is not here: give the folder of a run" in refused(run("plot", trained, "history"))
    assert "none.json: no such file or folder" in refused(run("plot", "none.json", "history"))


def test_option_reaches_the_page(run, digits, monkeypatch):
    given = {}
    monkeypatch.setattr(train_run, "write_page", lambda folder, plan, output: given.update(threads=output.threads))
    run(*WITH_PAGE, "--data", digits, "--threads", 1)
    assert given == {"threads": 1}
