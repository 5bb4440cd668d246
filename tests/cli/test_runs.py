"""Runs that are interrupted, continued and repeated, through the command line."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from jitcnn.runs.folder import Run
from jitcnn.storage.checkpoints import read_checkpoint
from tests.cli.conftest import TINY, done, refused
from tests.interruption import once_saved

SETTINGS = [
    "--no-report",
    "--epochs",
    4,
    "--schedule",
    "cosine",
    "--augment",
    "light",
    "--seed",
    3,
    "--early-stop",
    4,
    "--weight-decay",
    0.01,
]
FOLDER = "runs/single-conv"


@pytest.fixture
def whole(run, digits):
    """The digest and the history of a run that nothing interrupted."""
    found = done(run(*TINY, "--data", digits, *SETTINGS, "--name", "whole", "--json"))
    return outcome(found)


def outcome(found):
    return found["digest"], {name: values for name, values in found["history"].items() if name != "seconds"}, found["best"]["epoch"]


def bits_of(folder):
    """What came out of a finished run."""
    run = Run(folder)
    return run.config["result"]["digest"], {name: values for name, values in run.history.items() if name != "seconds"}


def until_an_epoch(lines):
    """What a command says up to its first epoch, or its end."""
    said = ""
    while "epoch " not in (line := lines.readline()) and line:
        said += line
    return said + line


def interrupted(run, digits, monkeypatch, action, steps, *settings):
    """Train, and do something as soon as so many steps are saved."""
    with once_saved(monkeypatch, steps, action):
        return run(*TINY, "--data", digits, *SETTINGS, "--checkpoint-steps", 1, "--quiet", *settings)


@pytest.mark.parametrize(("number", "word", "code"), [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)])
@pytest.mark.parametrize("steps", [2, 10])
def test_a_signal_saves_and_says_how_to_go_on(run, digits, monkeypatch, whole, number, word, code, steps):
    before = signal.getsignal(signal.SIGTERM)
    line = refused(interrupted(run, digits, monkeypatch, lambda: os.kill(os.getpid(), number), steps), code)
    assert line == f"jitcnn: {word}, all is saved; go on with: jitcnn train --resume {FOLDER}\n"
    assert signal.getsignal(signal.SIGTERM) is before
    assert read_checkpoint(Run(FOLDER).checkpoint).state["steps"] <= steps + 1
    assert "result" not in Run(FOLDER).config
    result = run("train", "--no-report", "--resume", FOLDER, "--json")
    assert outcome(done(result)) == whole
    assert re.search(rf"going on with {FOLDER} after \d of 4 epochs", result.stderr)
    history = {name: values for name, values in Run(FOLDER).history.items() if name != "seconds"}
    assert history == whole[1]
    assert Run(FOLDER).config["result"]["digest"] == whole[0]
    assert Run(FOLDER).config["train"]["checkpoint-steps"] == 1


def test_a_full_disk_keeps_what_was_saved(run, digits, monkeypatch, whole):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        result = interrupted(run, digits, monkeypatch, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1])), 8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    line = refused(result, 1)
    assert "File too large, so that training stopped; the last good checkpoint: after 1 epoch and 24 images of the next;" in line
    assert line.endswith(f"go on with: jitcnn train --resume {FOLDER}\n")
    assert outcome(done(run("train", "--no-report", "--resume", FOLDER, "--json"))) == whole


@pytest.mark.parametrize("file", ["history.csv", "best.json", "log.txt", "last.json"])
def test_a_file_that_cannot_be_written_keeps_what_was_saved(run, digits, monkeypatch, whole, file):
    """A folder in its place, which no user, not even root, can write to as a file."""

    def block():
        path = Run(FOLDER).path / file
        path.unlink(missing_ok=True)
        path.mkdir()

    result = interrupted(run, digits, monkeypatch, block, 7)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.stderr and file in result.stderr and result.stderr.count("\n") == 1
    (Run(FOLDER).path / file).rmdir()
    assert outcome(done(run("train", "--no-report", "--resume", FOLDER, "--json"))) == whole


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become another user")
def test_a_read_only_folder_keeps_what_was_saved(run, digits, monkeypatch, whole, tmp_path):
    """Another user, who may only read, goes on with the run."""
    refused(interrupted(run, digits, monkeypatch, lambda: os.kill(os.getpid(), signal.SIGINT), 7), 130)
    for path in (*tmp_path.rglob("*"), tmp_path, *tmp_path.parents):
        path.chmod(path.stat().st_mode | 0o055)
    before = {path.name: path.read_bytes() for path in Run(FOLDER).path.iterdir()}
    try:
        os.seteuid(65534)
        line = refused(run("train", "--no-report", "--resume", FOLDER, "--quiet"), 1)
    finally:
        os.seteuid(0)
    assert "Permission denied" in line and f"what was saved is in {FOLDER}" in line
    assert {path.name: path.read_bytes() for path in Run(FOLDER).path.iterdir()} == before
    assert outcome(done(run("train", "--no-report", "--resume", FOLDER, "--json"))) == whole


def test_killed_at_any_moment(digits, tmp_path, full, figures):
    """SIGKILL at random moments; each process goes on where the last one was killed, and every run ends with the bits of one in one go."""
    start = [sys.executable, "-m", "jitcnn", "train"]
    settings = [*TINY[1:], "--data", str(digits), "--schedule", "cosine", "--epochs", "300", "--checkpoint-steps", "3", "--threads", "1"]
    subprocess.run([*start, *settings, "--name", "whole"], cwd=tmp_path, capture_output=True, check=True)
    random = np.random.default_rng()
    kills, runs, wanted, said = 0, 0, 200 if full else 2, ""
    while kills < wanted:
        runs += 1
        folder, command = f"runs/killed-{runs}", [*start, *settings, "--name", f"killed-{runs}"]
        while True:
            process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if kills < wanted:
                said = until_an_epoch(process.stderr)
                time.sleep(random.uniform(0, 0.3))
                process.kill()
            errors = process.communicate()[1]
            if process.returncode != -signal.SIGKILL:
                break
            kills += 1
            command = [*start, "--resume", folder, "--no-report"]
        assert process.returncode == 0 or "is finished" in said + errors, said + errors  # killed when all was written
        assert bits_of(tmp_path / folder) == bits_of(tmp_path / "runs" / "whole")
    figures["command lines killed with SIGKILL and continued to the same bits"] = f"{kills}, in {runs} runs that came to their end"


def test_an_interruption_before_anything_is_saved(run, digits, whole, tmp_path):
    """What SIGKILL leaves in the first epoch: settings, and no checkpoint."""
    shutil.copytree("runs/whole", FOLDER)
    config = (tmp_path / FOLDER / "config.toml").read_text()
    for path in (tmp_path / FOLDER).iterdir():
        path.unlink()
    (tmp_path / FOLDER / "config.toml").write_text(config[: config.index("[result]")])
    result = run("train", "--no-report", "--resume", FOLDER, "--json")
    assert outcome(done(result)) == whole
    assert "interrupted before anything was saved: it begins anew" in result.stderr


def test_a_finished_run_goes_on(run, digits, tmp_path):
    """In a folder of its own; with a constant rate to the bits of one go, else it says that they differ."""
    base = [*TINY, "--data", digits, "--seed", 2, "--json"]
    first = done(run(*base, "--epochs", 3, "--name", "first", "--json-lines"))
    result = run("train", "--no-report", "--resume", "runs/first", "--epochs", 5, "--json")
    found = done(result)
    assert "from epoch 4 to 5: the rate stays constant, the bits are those of 5 epochs in one go" in result.stderr
    assert found["run"] == "runs/first-2"
    assert outcome(found) == outcome(done(run(*base, "--epochs", 5)))
    assert Run("runs/first-2").config["train"]["resume"] == str(tmp_path / "runs" / "first")
    assert Run("runs/first").config["result"]["digest"] == first["digest"]
    repeated = run("train", "--no-report", "--config", "runs/first-2/config.toml")
    assert f"repeated to the bit: the digest is {found['digest']} again" in repeated.stdout
    falling = done(run(*base, "--epochs", 3, "--name", "falling", "--schedule", "linear"))
    result = run("train", "--no-report", "--resume", "runs/falling", "--epochs", 6, "--json")
    assert "the schedule linear is now that of 6 epochs; in one go, the first 3 would have followed it too" in result.stderr
    rates = done(result)["history"]["rate"]
    assert rates[:3] == falling["history"]["rate"]
    assert rates[3:] == done(run(*base, "--epochs", 6, "--schedule", "linear"))["history"]["rate"][3:]


def test_a_run_that_stopped_early_goes_on(run, digits):
    found = done(run(*TINY, "--data", digits, "--epochs", 12, "--lr", 5, "--early-stop", 2, "--json"))
    again = done(run("train", "--no-report", "--resume", FOLDER, "--epochs", found["epochs"] + 4, "--json"))
    assert again["epochs"] > found["epochs"]


def test_what_does_not_go_on(run, digits, whole, tmp_path):
    assert "none: no such folder" in refused(run("train", "--no-report", "--resume", "none"))
    assert "runs/whole is finished after 4 epochs: say with --epochs" in refused(run("train", "--no-report", "--resume", "runs/whole"))
    assert "runs/whole is finished after 4 epochs" in refused(run("train", "--no-report", "--resume", "runs/whole", "--epochs", 4))
    for option in ("--lr=0.1", "--seed=1", "--name=x", "--config=x.toml", "--batch-size=4"):
        assert f"{option.partition('=')[0]} cannot be given with --resume" in refused(
            run("train", "--no-report", "--resume", "runs/whole", option)
        )
    with np.load(digits) as archive:
        arrays = dict(archive)
    arrays["x_train"][0] += 1
    np.savez(digits, **arrays)
    assert "has changed: its digest is" in refused(run("train", "--no-report", "--resume", "runs/whole", "--epochs", 6))


def test_a_run_is_repeated_by_its_settings(run, digits, whole, tmp_path):
    result = run("train", "--no-report", "--config", "runs/whole/config.toml")
    assert result.exit_code == 0
    assert f"\nrepeated to the bit: the digest is {whole[0]} again\n" in result.stdout
    found = done(run("train", "--no-report", "--config", "runs/whole/config.toml", "--json"))
    assert outcome(found) == whole
    assert "repeats" not in done(run("train", "--no-report", "--config", "runs/whole/config.toml", "--seed", 4, "--json"))


def test_why_the_bits_differ(run, digits, whole, tmp_path):
    config = tmp_path / "runs" / "whole" / "config.toml"
    text = config.read_text()
    other = re.sub('digest = "[0-9a-f]+"', 'digest = "0123456789ab"', text)
    config.write_text(re.sub('features = ".*"', 'features = "sse2"', other).replace('numpy = "', 'numpy = "1'))
    line = done(run("train", "--no-report", "--config", config, "--json"))["repeats"]
    assert line.startswith(f"not the same bits: the digest was 0123456789ab and is {whole[0]} now; other data (digest 0123456789ab, now ")
    assert "another processor" in line and "another numpy (1" in line


def test_numbers_that_stop_being_finite_name_the_last_good_checkpoint(run, digits, monkeypatch):
    def spoil():
        monkeypatch.setattr("jitcnn.watch.strange", lambda array: "NaN")

    line = refused(interrupted(run, digits, monkeypatch, spoil, 10), 1)
    assert line.endswith(f"the last good checkpoint is {FOLDER}/checkpoint.npz\n")
    assert Run(FOLDER).history["loss"]


def test_training_by_the_clock(run, digits, monkeypatch):
    """As many epochs as fit, interrupted or not; the rate falls to the schedule's end; it cannot be repeated to the bit, and says so."""
    base = [*TINY[:3], *TINY[5:], "--data", digits, "--schedule", "linear", "--time", "0.5s", "--json"]
    found = done(run(*base))
    rates = found["history"]["rate"]
    assert found["epochs"] >= 2  # a machine that stands still for a moment has fewer than the twenty that are usual
    assert rates[0] == 0.01 and rates[-1] < 0.01
    assert Run(found["run"]).config["train"]["time"] == "0.5s" and "epochs" not in Run(found["run"]).config["train"]
    assert "trained by the clock and is finished" in refused(run("train", "--resume", found["run"], "--epochs", 9000))
    repeated = done(run("train", "--no-report", "--config", f"{found['run']}/config.toml", "--json"))
    assert "trained by the clock, which never goes the same way twice" in repeated["repeats"] or repeated["digest"] == found["digest"]
    with once_saved(monkeypatch, 12, lambda: os.kill(os.getpid(), signal.SIGINT)):
        line = refused(run(*base[:-1], "--quiet", "--checkpoint-steps", 1, "--name", "cut"), 130)
    assert line.endswith("jitcnn train --resume runs/cut\n")
    result = run("train", "--no-report", "--resume", "runs/cut", "--json")
    assert done(result)["epochs"] > 2
    assert "going on with runs/cut after 2 epochs" in result.stderr
