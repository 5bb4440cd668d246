"""Exit codes, and the one line that says what was wrong."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from jitcnn import CNN
from tests.cli.conftest import TINY, refused

MODULE = [sys.executable, "-m", "jitcnn"]


WRONG = [
    (["fly"], "No such command 'fly'"),
    (["--fly"], "No such option"),
    (["train", "--fly"], "No such option"),
    (["train", "extra"], "unexpected extra argument"),
    (["train", "--preset", "huge"], "'huge' is not one of 'default', 'fast', 'single-conv'"),
    (["train", "--preset"], "requires an argument"),
    (["train", "--data", "mnits"], "mnits: no such file or folder, and not the name of a known data set (mnist, "),
    (["train", "--data", "empty"], "empty: holds no data: expected a folder of pictures"),
    (["train", "--data", "text.npz"], "expected a folder of IDX files or of pictures, an .npz, .npy or .csv file"),
    (["train", "--preset", "single-conv", "--data", "nan.npz"], "NaN"),
    (["train", "--data", "small.npz"], "conv1"),
    (["train", "--train-limit", "0"], "0 is not in the range x>=1"),
    (["train", "--train-limit", "many"], "'many' is not a valid integer"),
    (["train", "--val-limit", "-1"], "-1 is not in the range x>=0"),
    (["train", "--epochs", "0"], "0 is not in the range x>=1"),
    (["train", "--epochs", "1.5"], "'1.5' is not a valid integer"),
    (["train", "--batch-size", "0"], "0 is not in the range x>=1"),
    (["train", "--lr", "0"], "'0' is not a finite number above 0"),
    (["train", "--lr", "-1"], "'-1' is not a finite number above 0"),
    (["train", "--lr", "nan"], "'nan' is not a finite number above 0"),
    (["train", "--time", "10"], "'10' is not a time such as 90s, 10m or 1.5h"),
    (["train", "--time", "nans"], "'nans' is not a time"),
    (["train", "--time", "-1m"], "'-1m' is not a time"),
    (["train", "--time", "1s", "--epochs", "2"], "give one of them"),
    (["train", "--lr", "automatic"], "'automatic' is not a finite number above 0"),
    (["train", "--preset", "single-conv", "--find-lr", "--out", "x.gif"], "x.gif"),
    (["train", "--lr", "inf"], "'inf' is not a finite number above 0"),
    (["train", "--weight-decay", "-1"], "'-1' is not a finite number of at least 0"),
    (["train", "--weight-decay", "nan"], "'nan' is not a finite number of at least 0"),
    (["train", "--clip-norm", "0"], "'0' is not a finite number above 0"),
    (["train", "--label-smoothing", "1"], "'1' is not a number from 0 up to, not including, 1"),
    (["train", "--class-weights", "equal"], "'equal' is not 'balanced'"),
    (["train", "--on-nan", "hope"], "'hope' is not one of 'stop', 'skip', 'ignore'"),
    (["train", "--best-by", "luck"], "'luck' is none of val_loss, val_accuracy"),
    (["train", "--checkpoint-steps", "0"], "0 is not in the range x>=1"),
    (["train", "--checkpoint-minutes", "nan"], "'nan' is not a finite number above 0"),
    (["train", "--config", "none.toml"], "none.toml: no such file"),
    (["train", "--resume", "empty"], "empty: not the folder of a run"),
    (["train", "--early-stop", "0"], "0 is not in the range x>=1"),
    (["train", "--schedule", "fast"], "'fast' is not one of 'constant', 'step'"),
    (["train", "--lr", "fast"], "'fast' is not a finite number above 0"),
    (["train", "--opt", "lion"], "'lion' is not one of 'sgd', 'momentum'"),
    (["train", "--loss", "hinge"], "'hinge' is not one of 'cross_entropy', 'mse'"),
    (["train", "--seed", "-1"], "-1 is not in the range"),
    (["train", "--seed", "9223372036854775808"], "is not in the range"),
    (["train", "--threads", "0"], "0 is not in the range"),
    (["train", "--threads", "100000"], "100000 is not in the range"),
    (["train", "--engine", "gpu"], "'gpu' is not one of 'fast', 'loops', 'python'"),
    (["train", "--out", "empty"], "empty is a folder"),
    (["train", "--out", "text.npz/model.json"], "text.npz"),
    (["eval"], "Missing argument 'MODEL'"),
    (["eval", "none.json"], "none.json: no such file"),
    (["eval", "empty"], "empty: not the folder of a run"),
    (["eval", "nan.npz"], "has no array 'description'"),
    (["eval", "none.json", "--on", "both"], "'both' is not one of 'test', 'val', 'train'"),
    (["eval", "none.json", "--limit", "0"], "0 is not in the range"),
    (["eval", "none.json", "--threads", "x"], "'x' is not a valid integer"),
    (["summary", "--preset", "huge"], "'huge' is not one of"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_bad_input_is_one_line_and_exit_code_2(run, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("hello")
    images = np.zeros((4, 8, 8), np.float32)
    np.savez(tmp_path / "small.npz", x=images[:, :2, :2], y=np.arange(4))
    images[2, 3, 3] = np.nan
    np.savez(tmp_path / "nan.npz", x=images, y=np.arange(4))
    before = sorted(tmp_path.iterdir())
    line = refused(run(*arguments))
    assert message in line
    assert sorted(tmp_path.iterdir()) in (before, sorted([*before, tmp_path / "runs"]))
    assert not list(tmp_path.glob("runs/*"))


def test_usage_errors_say_where_help_is(run):
    assert refused(run("train", "--epochs", "0")).endswith("(see jitcnn train --help)\n")
    assert refused(run("fly")).endswith("(see jitcnn --help)\n")


@pytest.mark.parametrize(
    "error", [RuntimeError("broken\ninside"), MemoryError(), OSError(errno.ENOSPC, "No space left on device", "model.json")]
)
def test_a_failed_run_is_one_line_and_exit_code_1(run, digits, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(CNN, "save", fail)
    line = run(*TINY, "--data", digits, "--quiet")
    assert any(text in refused(line, 1) for text in ("RuntimeError: broken inside", "not enough memory", "model.json: No space left"))
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("place", ["before", "behind"])
def test_debug_shows_the_traceback_and_keeps_line_and_code(run, place):
    arguments = ["--debug", "eval", "none.json"] if place == "before" else ["eval", "none.json", "--debug"]
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1] == "jitcnn: none.json: no such file or directory"


def test_interrupted(run, digits, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(CNN, "train", interrupt)
    result = run(*TINY, "--data", digits, "--quiet")
    assert result.exit_code == 130
    assert result.stderr.strip() == "jitcnn: interrupted"
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_real_run(tmp_path, digits):
    command = [*MODULE, *TINY, "--data", digits, "--epochs", "1000000", "--out", "model.json"]
    process = subprocess.Popen([str(part) for part in command], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while "epoch" not in (line := process.stderr.readline()):
        assert line, "ended by itself"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines()[-1] == "jitcnn: interrupted, all is saved; go on with: jitcnn train --resume runs/single-conv"
    assert "Traceback" not in stderr
    assert not (tmp_path / "model.json").exists()


def test_a_closed_pipe_is_no_traceback(tmp_path):
    done = subprocess.run(f"'{sys.executable}' -m jitcnn summary --preset deep | true", shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_threads_are_set_before_numba_is_imported():
    script = "from jitcnn_cli.options import allow_threads; allow_threads(3); import numba; print(numba.config.NUMBA_NUM_THREADS)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "3\n"


def test_more_threads_than_numba_started_with(run, digits, trained):
    import numba

    more = numba.config.NUMBA_NUM_THREADS + 1
    assert f"threads is {more}" in refused(run(*TINY, "--data", digits, "--threads", more))
    assert f"threads is {more}" in refused(run("eval", trained, "--threads", more))


def test_the_digest_does_not_depend_on_the_number_of_threads(tmp_path):
    arguments = ["train", "--preset", "conv-pool", "--train-limit", "320", "--epochs", "1", "--out", "model.json", "--no-report", "--quiet"]
    outputs = {
        subprocess.run([*MODULE, *arguments, "--threads", threads], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for threads in ("1", "2", "5")
    }
    assert len(outputs) == 1


def test_a_reader_that_has_read_enough_ends_a_command_without_a_word():
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([sys.executable, "-m", "jitcnn", "summary", "--preset", "deep"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")
