"""`jitcnn learn …`."""

import inspect
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from jitcnn_cli import learn_explain, learn_lesson, learn_race

from jitcnn.forms.codes import ALGORITHMS
from jitcnn.kernels.vectors import processor
from jitcnn.learn import experiment, explain, race
from jitcnn.learn.charts import BLOCKS
from jitcnn.learn.lessons import LESSONS
from jitcnn.learn.mistakes import MISTAKES
from jitcnn.reference.prepared import PREPARED
from tests.cli.conftest import refused

SOLUTIONS = Path(__file__).parents[1] / "learn" / "solutions"


def test_no_command_shows_the_help(run):
    assert run("learn").stdout == run("learn", "--help").stdout


def test_unknown_command(run):
    assert "No such command 'bug'" in refused(run("learn", "bug"))


# Lessons


@pytest.fixture
def quick(monkeypatch):
    """Measure for a moment only."""
    monkeypatch.setattr(learn_lesson, "SECONDS", 0.01)
    monkeypatch.setenv("COLUMNS", "80")


def test_lessons_are_listed(run):
    lines = run("learn", "lesson").stdout.splitlines()
    assert [line.split()[0] for line in lines[:8]] == list("12345678")


def test_a_lesson_is_written_and_never_overwritten(run, tmp_path):
    result = run("learn", "lesson", 3)
    assert result.exit_code == 0
    assert "jitcnn learn lesson 3 --check\n" in result.stdout
    assert (tmp_path / "lesson3.py").read_text() == LESSONS[2].text
    (tmp_path / "lesson3.py").write_text("mine")
    assert "lesson3.py is there already and is kept" in refused(run("learn", "lesson", 3))
    assert (tmp_path / "lesson3.py").read_text() == "mine"
    assert "--check other.py\n" in run("learn", "lesson", 3, "--out", "other.py").stdout
    assert (tmp_path / "other.py").read_text() == LESSONS[2].text


@pytest.mark.parametrize("number", range(1, 9))
def test_check_of_the_file_as_it_is_written(run, number):
    run("learn", "lesson", number)
    assert f"{LESSONS[number - 1].functions[0]} is still empty: write it" in refused(run("learn", "lesson", number, "--check"), 1)


@pytest.mark.parametrize("number", [2, 8])
def test_check_of_a_solution(run, tmp_path, quick, number):
    shutil.copy(SOLUTIONS / f"lesson{number}.py", tmp_path)
    result = run("learn", "lesson", number, "--check")
    assert result.exit_code == 0
    assert result.stdout.startswith("  right  ")
    assert "yours" in result.stdout and "reference" in result.stdout and "jitcnn.kernels" in result.stdout
    assert result.stdout.splitlines()[-1] in ("Next: jitcnn learn lesson 3", "That was the last lesson.")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_check_of_a_wrong_solution(run, tmp_path):
    (tmp_path / "mine.py").write_text("def dense(x, w, b):\n    return x @ w\n")
    result = run("learn", "lesson", 1, "--check", "mine.py")
    assert result.exit_code == 1
    assert "  WRONG  y[" in result.stdout
    assert "  hint   the bias is missing\n" in result.stdout
    assert result.stderr == "jitcnn: mine.py does not solve lesson 1 yet\n"


def test_check_of_a_file_with_an_error(run, tmp_path):
    (tmp_path / "mine.py").write_text("def dense(x, w, b):\n    return x @ v\n")
    assert refused(run("learn", "lesson", 1, "--check", "mine.py"), 1) == "jitcnn: mine.py, line 2: NameError: name 'v' is not defined\n"


def test_lessons_that_cannot_be(run, tmp_path):
    assert "9 is not in the range" in refused(run("learn", "lesson", 9))
    assert "lesson4.py: no such file; jitcnn learn lesson 4 writes one" in refused(run("learn", "lesson", 4, "--check"))
    assert "Is a directory" in refused(run("learn", "lesson", 4, "--check", "."))
    assert "No such file or directory" in refused(run("learn", "lesson", 4, "--out", "none/lesson.py"))
    assert "give one of them" in refused(run("learn", "lesson", 4, "--out", "a.py", "--check"))
    assert "Give the number of a lesson" in refused(run("learn", "lesson", "--check"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_an_endless_loop(tmp_path):
    (tmp_path / "mine.py").write_text("def dense(x, w, b):\n    print('begun', flush=True)\n    while True:\n        pass\n")
    command = [sys.executable, "-m", "jitcnn", "learn", "lesson", "1", "--check", "mine.py"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "jitcnn: interrupted"
    assert "Traceback" not in stderr


# The race


@pytest.fixture
def short(monkeypatch):
    """A race without the way that takes seconds, and of a moment each."""
    ways = race.ways
    monkeypatch.setattr(race, "ways", lambda: ways()[1:])
    monkeypatch.setattr(learn_race, "SECONDS", 0.01)
    monkeypatch.setenv("COLUMNS", "80")


def test_race(run, tmp_path, short):
    result = run("learn", "race", "--plot", "race.svg", "--threads", 1)
    assert result.exit_code == 0
    assert result.stderr == "picture in race.svg\n"
    names = [name for name, _, _ in race.ways()]
    lines = result.stdout.splitlines()
    rates = {line.split()[0]: float(line.split()[1].replace(",", "")) for line in lines if "images/s" in line}
    assert list(rates) == names
    assert rates["tile"] > rates["@njit"]
    assert result.stdout.count("timed on ") == len(names)
    assert sum(set(line.strip()) <= set(BLOCKS) for line in lines if line.strip()) == len(names)
    assert "logarithmic" in result.stdout
    assert max(map(len, lines)) <= 80
    assert "images a second, logarithmic scale" in (tmp_path / "race.svg").read_text()


def test_who_gives_other_numbers_does_not_race(run, short, monkeypatch):
    ways = race.ways()
    wrong = ("wrong", "", lambda x, w: ways[0][2](x, w) * 1.001)
    monkeypatch.setattr(race, "ways", lambda: [ways[0], wrong])
    result = run("learn", "race")
    assert result.exit_code == 1
    assert "wrong gives other numbers than the rest, by 0.001 of the largest" in result.stderr


def test_pictures_that_cannot_be(run):
    assert "expected a name that ends in .png" in refused(run("learn", "race", "--plot", "race.txt"))
    assert "there is no folder none" in refused(run("learn", "race", "--plot", "none/race.png"))


# Explanations

LAYER = ["learn", "explain", "conv2d", "--shape", "2,12,12,16", "--filters", "32", "--kernel", "3"]


@pytest.mark.parametrize("kind", ["forward", "grad-input", "grad-weights"])
def test_explain(run, monkeypatch, kind):
    monkeypatch.setattr(explain, "SECONDS", 0.01)
    monkeypatch.setenv("COLUMNS", "80")
    result = run(*LAYER, "--padding", "1", "--pass", kind, "--threads", 1)
    assert result.exit_code == 0
    assert result.stderr == ""
    text = result.stdout
    assert "2 images of 12 x 12 x 16 and 32 filters of 3 x 3 x 16 give 12 x 12 x 32" in " ".join(text.split())
    assert inspect.getsource(PREPARED[explain.PASSES[kind]]).splitlines()[-1].strip() in text  # the last line of the reference's loop
    assert '"""' not in text
    assert "2 x 2 x 12 x 12 x 3 x 3 x 16 x 32 = 2.65 MFLOP" in text
    assert "registers hold sums all the while" in text
    assert "GFLOP/s on 1 thread, " in text
    assert "  algorithm  " in text
    prose = [line for line in text.splitlines() if line[:4].strip()]
    assert max(map(len, prose)) <= 80


def test_explain_strides_and_few_filters(run, monkeypatch):
    monkeypatch.setattr(explain, "SECONDS", 0.01)
    text = run(*LAYER, "--stride", "2", "--pass", "grad-input").stdout
    assert "falls into 4 such parts" in " ".join(text.split())


def test_explain_winograd(run, monkeypatch):
    monkeypatch.setattr(explain, "SECONDS", 0.01)
    text = " ".join(run(*LAYER, "--padding", "1", "--algorithm", "winograd").stdout.split())
    assert "36 products where the loops above take 16 x 9 = 144" in text
    assert "A row is a patch of 4 x 4 output pixels" in text
    assert "algorithm winograd: asked for; left to itself it would be" in text


def test_explain_small_patches(run, monkeypatch):
    monkeypatch.setattr(explain, "SECONDS", 0.01)
    if processor().registers < 32:
        pytest.skip("this processor has too few registers for small patches")
    layer = ["learn", "explain", "conv2d", "--shape", "2,12,12,3", "--filters", "32", "--kernel", "3", "--padding", "1"]
    text = " ".join(run(*layer).stdout.split())
    assert "24 products where the loops above take 8 x 9 = 72" in text and "2 patches of 4 x 2 outputs stay in registers" in text
    assert "does about a third of it" in text and "algorithm winograd: 24 products instead of 72" in text
    text = " ".join(run(*layer, "--pass", "grad-weights").stdout.split())
    assert "of 3 channels and" in text and "24 of the patch's 4 x 2 gradients" in text


WRONG_LAYERS = [
    (["--kernel", "5", "--algorithm", "winograd"], "algorithm 'winograd' takes kernels of 3 x 3 at stride 1"),
    (["--algorithm", "fft"], "'fft' is not one of 'auto', 'direct', 'winograd'"),
    (["--shape", "2,12,12"], "'2,12,12', expected 4 whole numbers of at least 1"),
    (["--shape", "2,12,0,1"], "expected 4 whole numbers of at least 1"),
    (["--kernel", "3,3,3"], "'3,3,3', expected 1 or 2 whole numbers"),
    (["--kernel", "13"], "the kernel has 13 rows, the image only 12"),
    (["--padding", "-1"], "expected 1 or 2 whole numbers of at least 0"),
    (["--stride", "half"], "'half', expected 1 or 2 whole numbers of at least 1"),
    (["--filters", "0"], "0 is not in the range"),
    (["--pass", "sideways"], "'sideways' is not one of 'forward', 'grad-input', 'grad-weights'"),
    (["--shape", "1000000,100,100,1"], "take fewer images"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG_LAYERS)
def test_layers_that_cannot_be(run, arguments, message):
    assert message in refused(run(*LAYER, *arguments))


def test_choices_are_those_of_the_package():
    assert set(learn_explain.PASSES) == set(explain.PASSES)
    assert set(learn_explain.ALGORITHMS) == set(ALGORITHMS)
    assert len(LESSONS) == learn_lesson.NUMBERS


# Mistakes


def test_bugs_are_listed(run):
    result = run("learn", "bugs")
    assert [line.split()[0] for line in result.stdout.split("\n\n")[0].splitlines()] == list(MISTAKES)
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", ["activation-after", pytest.param("bias-last-image", marks=pytest.mark.slow)])
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
