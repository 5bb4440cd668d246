"""`jitcnn learn …`."""

import pytest

from jitcnn.learn import experiment
from jitcnn.learn.mistakes import MISTAKES
from tests.cli.conftest import refused


def test_no_command_shows_the_help(run):
    assert run("learn").stdout == run("learn", "--help").stdout


def test_unknown_command(run):
    assert "No such command 'bug'" in refused(run("learn", "bug"))


# Mistakes


def test_bugs_are_listed(run):
    result = run("learn", "bugs")
    assert [line.split()[0] for line in result.stdout.split("\n\n")[0].splitlines()] == list(MISTAKES)
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", ["activation-after", "bias-last-image"])
def test_one_bug(run, monkeypatch, name):
    monkeypatch.setattr(experiment, "EPOCHS", 2)
    monkeypatch.setenv("COLUMNS", "80")
    result = run("learn", "bugs", name)
    assert result.exit_code == 0
    text = result.stdout
    assert MISTAKES[name].place in text
    for line in MISTAKES[name].right.splitlines():
        assert line.strip() in text
    assert "right  passes" in text and "wrong  FAILS" in text and "hint" in text
    assert "After 2 epochs the loss is" in text
    assert max(len(line) for line in text.splitlines() if "[n, " not in line) <= 80  # lines of source are not broken


def test_unknown_bug(run):
    assert "name is 'none', expected one of 'relu-derivative'" in refused(run("learn", "bugs", "none"))
