"""`examples/blog.py`."""

import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "blog.py"


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", [str(EXAMPLE), *arguments])
    runpy.run_path(str(EXAMPLE), run_name="__main__")


def test_short_version(monkeypatch, capsys):
    run(monkeypatch, "--short", "3", "1")
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("Total 16 batches, most batch has 32 samples.") == 2
    assert [line.split()[:3] for line in lines[-3:-1]] == [["3", "500", "1,641"], ["1", "500", "310"]]


@pytest.mark.parametrize(("arguments", "message"), [(["--epochs", "1"], "--epochs must be 2 or more"), (["5"], "there is no test 5")])
def test_refuses(arguments, message, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, *arguments)
    assert message in capsys.readouterr().err
