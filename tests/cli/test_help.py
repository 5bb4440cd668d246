"""Help, and what it promises: every command, its example, the choices; and that it comes at once."""

import os
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

import click
import numpy as np
import pytest
from jitcnn_cli import learn_race, options
from jitcnn_cli.main import SECTIONS, main
from PIL import Image

from jitcnn import presets
from jitcnn.engine import ENGINES
from jitcnn.learn import experiment, race
from jitcnn.losses import LOSSES
from jitcnn.measuring import cases
from jitcnn.optimizers import OPTIMIZERS
from jitcnn.play.server import Server
from jitcnn.schedules import SCHEDULES
from jitcnn.watch import ON_NAN

COMMANDS = [
    [],
    ["train"],
    ["eval"],
    ["predict"],
    ["summary"],
    ["play"],
    ["convert"],
    ["bench"],
    ["doctor"],
    ["learn"],
    ["learn", "bugs"],
    ["learn", "explain"],
    ["learn", "lesson"],
    ["learn", "race"],
    ["plot"],
    ["report"],
    ["replay"],
    ["why"],
    ["data"],
    *(["data", name] for name in ("list", "info", "download", "preview", "check")),
]
MODULE = [sys.executable, "-m", "jitcnn"]


def find(names, command=main):
    """The command of these names."""
    return find(names[1:], command.commands[names[0]]) if names else command


def walk(command, names=()):
    """The names of a command and of all within it."""
    yield list(names)
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*names, name))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(run, command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "\nExample:\n  jitcnn " in result.stdout


def test_examples_run_as_written(run, kept, full, few_digits, tmp_path, monkeypatch):
    """In the order of the help texts: what the first ones write, the later ones read. What is only timed is timed for a moment, of layers
    one, and no page is served. Unless --full, plain Python takes no part in the race, and a bug is trained for two epochs."""
    monkeypatch.setattr(cases, "QUICK", cases.QUICK[:1])
    monkeypatch.setattr(learn_race, "SECONDS", 0.01)
    if not full:
        monkeypatch.setattr(race, "ways", lambda ways=race.ways: ways()[1:])
        monkeypatch.setattr(experiment, "EPOCHS", 2)
    monkeypatch.setattr(Server, "serve_forever", lambda server: None)
    monkeypatch.setattr(webbrowser, "open", lambda address: None)
    examples = dict.fromkeys(line for names in COMMANDS for line in find(names).example.splitlines())
    (tmp_path / "runs" / "default").mkdir(parents=True)
    picture = np.full((90, 60), 220, np.uint8)
    picture[20:70, 28:33] = 30
    Image.fromarray(picture).save("photo.png")
    kept("fashion-mnist")  # so that nothing is downloaded: tests/data/test_download.py does that
    for line in examples:
        result = run(*line.split()[1:])
        assert result.exit_code == 0, f"{line}\n{result.stderr}"
        if (tmp_path / "digits.json").exists():
            shutil.copy(tmp_path / "digits.json", tmp_path / "runs" / "default" / "best.json")


def test_every_command_is_tested_here():
    assert sorted(walk(main)) == sorted(COMMANDS)


def test_choices_are_those_of_the_package():
    assert set(options.PRESETS) == set(presets.PRESETS)
    assert set(options.OPTIMIZERS) == set(OPTIMIZERS)
    assert set(options.LOSSES) == set(LOSSES)
    assert set(options.SCHEDULES) == set(SCHEDULES)
    assert set(options.ENGINES) == set(ENGINES)
    assert set(options.ON_NAN) == set(ON_NAN)


def test_no_command_shows_the_help(run):
    assert run().stdout == run("--help").stdout


@pytest.mark.parametrize("arguments", [["train", "--help"], ["--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(arguments):
    script = (
        f"import sys; sys.argv = ['jitcnn', *{arguments}]\n"
        "from jitcnn_cli.main import main\n"
        "try: main()\n"
        "finally: print([name for name in ('numpy', 'numba', 'tqdm', 'jitcnn.model') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_help_answers_at_once():
    def seconds(*command):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()  # the processor's time: that of the clock depends on who else is working
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds(*MODULE, "train", "--help") for _ in range(5)) < 0.2
    assert min(seconds(*MODULE, "--help") for _ in range(5)) < 0.2


def test_help_lists_every_command_under_its_purpose(run):
    text = run("--help").stdout
    places = [text.index(f"\n{heading}:\n") for heading in SECTIONS]
    assert places == sorted(places)
    for heading, names in SECTIONS.items():
        part = text[text.index(f"\n{heading}:\n") + len(heading) + 3 :].split("\n\n")[0]
        assert [line.split()[0] for line in part.splitlines()] == list(names)
        assert all(line.rstrip().endswith(".") for line in part.splitlines())


def test_a_command_imports_no_other():
    script = "import sys\nfrom jitcnn_cli.main import main\nmain.commands['summary']\nprint('jitcnn_cli.train' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(run, monkeypatch, shell):
    monkeypatch.setenv("_JITCNN_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "jitcnn su")
    monkeypatch.setenv("COMP_CWORD", "su" if shell == "fish" else "1")
    completed = run().stdout
    assert "summary" in completed
    assert "train" not in completed


def test_python_m_jitcnn_is_jitcnn(tmp_path):
    script = Path(sys.executable).with_name("jitcnn")
    if not script.exists():
        pytest.skip("the package is not installed here")
    for arguments in (["--help"], ["train", "--help"], ["summary", "--preset", "deep"], ["summary"], ["--version"]):
        ours, module = (subprocess.run([*start, *arguments], capture_output=True, text=True, cwd=tmp_path) for start in ([script], MODULE))
        assert (ours.returncode, ours.stdout, ours.stderr) == (module.returncode, module.stdout, module.stderr)


def test_version(run):
    assert run("--version").stdout.startswith("jitcnn ")


def test_main_is_a_click_group():
    assert isinstance(main, click.Group)
