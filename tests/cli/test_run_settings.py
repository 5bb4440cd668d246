"""Settings of a run: from a file or the command line, found by a test of rates, written down."""

from pathlib import Path

import numpy as np
import pytest

from jitcnn import load
from jitcnn.data.splits import kept_and_held_out
from jitcnn.runs.folder import Run
from tests.cli.conftest import TINY, done, refused


def test_the_command_line_wins_over_a_file(run, digits, tmp_path):
    (tmp_path / "mine.toml").write_text(f'[train]\ndata = "{digits}"\npreset = "single-conv"\nepochs = 3\nlr = 0.25\nsize = 8\n')
    found = done(run("train", "--no-report", "--config", "mine.toml", "--epochs", 2, "--json"))
    assert (found["epochs"], found["run"], load(found["model"]).optimizer.learning_rate) == (2, "runs/single-conv", 0.25)


def test_a_network_of_ones_own(run, digits, tmp_path):
    """Layers from the file, repeated from the run's folder too."""
    layers = '[[layers]]\ntype = "Flatten"\n\n[[layers]]\ntype = "Dense"\nactivation = "softmax"\n'
    (tmp_path / "mine.toml").write_text(f'[train]\ndata = "{digits}"\nepochs = 2\nbatch-size = 8\nname = "mine"\n\n{layers}')
    found = done(run("train", "--no-report", "--config", "mine.toml", "--json"))
    assert (found["parameters"], found["run"]) == (64 * 4 + 4, "runs/mine")
    assert "repeated to the bit" in run("train", "--no-report", "--config", "runs/mine/config.toml").stdout
    assert done(run("train", "--no-report", "--resume", "runs/mine", "--epochs", 3, "--json"))["parameters"] == 260


WRONG = [
    ("[train]\nepoch = 3", "[train]: unknown key 'epoch', did you mean 'epochs'?"),
    ("[train]\nbatch_size = 3", "[train]: unknown key 'batch_size', did you mean 'batch-size'?"),
    ("[trian]\nepochs = 3", "unknown key 'trian', did you mean 'train'?"),
    ("epochs = 3", "unknown key 'epochs', expected one of 'layers', "),
    ("train = 3", "train is 3, expected a table, [train]"),
    ("[train]\nepochs = 0", "[train] epochs: 0 is not in the range x>=1"),
    ("[train]\nepochs = 2.5", "[train] epochs: '2.5' is not a valid integer"),
    ("[train]\nepochs = true", "[train] epochs is True, expected a text or a number"),
    ("[train]\nepochs = [1]", "[train] epochs is [1], expected a text or a number"),
    ("[train]\nlr = nan", "[train] lr: 'nan' is not a finite number above 0"),
    ("[train]\naugment = 3", "[train] augment is 3, expected a text"),
    ("[train]\ngray = 1", "[train] gray is 1, expected true or false"),
    ('[train]\nopt = "lion"', "[train] opt: 'lion' is not one of 'sgd'"),
    ("[train]\nresume = 3", "[train] resume names the folder of a run"),
    ("[train]\nthreads = 3", "[train]: unknown key 'threads'"),
    ("[[layers]]\ntype = 'Conv2d'\nfiltres = 3", "[[layers]] number 1: unknown key 'filtres', did you mean 'filters'?"),
    ("[train", "not a TOML file"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_wrong_file_is_one_line(run, tmp_path, text, message):
    (tmp_path / "wrong.toml").write_text(text)
    line = refused(run("train", "--no-report", "--config", "wrong.toml"))
    assert line.startswith("jitcnn: wrong.toml: ") and message in line
    assert not (tmp_path / "runs").exists()


def test_further_settings(run, digits):
    """Each of them changes what comes out, and is written down."""
    base = done(run(*TINY, "--data", digits, "--json"))["digest"]
    for option, value in {"clip-norm": 0.01, "label-smoothing": 0.1}.items():
        found = done(run(*TINY, "--data", digits, f"--{option}", value, "--json"))
        assert found["digest"] != base
        assert Run(found["run"]).config["train"][option] == value
    assert (
        done(run(*TINY, "--data", digits, "--class-weights", "balanced", "--train-limit", 37, "--json"))["digest"]
        != done(run(*TINY, "--data", digits, "--train-limit", 37, "--json"))["digest"]
    )
    result = run(*TINY, "--data", digits, "--lr", "1e38", "--opt", "sgd", "--on-nan", "ignore", "--json")
    assert done(result)["history"]["loss"] == [None]


def test_top_k(run, digits):
    """Counted while training, by epoch and at the end, by eval too, and an epoch can be the best by it."""
    found = done(run(*TINY, "--data", digits, "--top", 2, "--epochs", 2, "--eval-train", "--json"))
    assert found["accuracy"] <= found["top2"] == found["test"]["top2"] == found["history"]["val_top2"][1]
    assert set(found["running"]) == {"accuracy", "loss", "top2"} and found["train"]["top2"] >= found["train"]["accuracy"]
    evaluated = run("eval", found["model"], "--top", 2)
    assert f"top2 {100 * found['top2']:.2f} %" in evaluated.stdout
    assert done(run("eval", found["model"], "--top", 3, "--json"))["top3"] >= found["top2"]
    assert ">top2<" in Path(run("report", found["run"]).stdout.strip()).read_text()
    best = done(run(*TINY, "--data", digits, "--best-by", "val_top3", "--json"))
    assert (best["best"]["by"], best["best"]["value"]) == ("val_top3", best["top3"])
    assert "top4 of 4 outputs is always right" in refused(run(*TINY, "--data", digits, "--top", 4))
    assert "top9 of 4 outputs is always right" in refused(run(*TINY, "--data", digits, "--best-by", "val_top9"))
    assert "top4 of 4 outputs is always right" in refused(run("eval", found["model"], "--top", 4))
    assert "needs images to validate on" in refused(run(*TINY, "--data", digits, "--val-limit", 0, "--best-by", "val_top2"))


def test_the_rate_is_tested_on_what_is_trained_on(run, digits, tmp_path):
    """Not on the images set apart: other numbers in them change nothing."""
    with np.load(digits) as archive:
        x, y = archive["x_train"], archive["y_train"]
    _, held_out = kept_and_held_out(y, {"validation": 0.2}, 0)
    rates = []
    for name, value in (("one", 0), ("other", 255)):
        x[held_out] = value
        np.savez(tmp_path / f"{name}.npz", x=x, y=y)
        rates.append(done(run(*TINY, "--data", f"{name}.npz", "--find-lr", "--json"))["losses"])
    assert rates[0] == rates[1]


def test_the_rate_that_is_found_is_trained_with(run, digits, tmp_path):
    """And written down, so that the run is repeated without another test; --find-lr only says it."""
    found = done(run(*TINY, "--data", digits, "--find-lr", "--json"))
    assert found["picture"] == "find-lr.png"
    assert (tmp_path / "find-lr.png").read_bytes()[:4] == b"\x89PNG"
    assert not (tmp_path / "runs").exists()
    assert found["own"] == 0.01 and len(found["rates"]) == len(found["losses"]) > 50
    assert run(*TINY, "--data", digits, "--find-lr", "--quiet", "--out", "r.svg").stdout == f"suggestion: --lr {found['suggestion']:g}\n"
    assert (tmp_path / "r.svg").exists()
    automatic = done(run(*TINY, "--data", digits, "--lr", "auto", "--json"))
    config = Run(automatic["run"]).config
    assert config["result"]["rate-found"] == config["train"]["lr"] == found["suggestion"]
    assert automatic["digest"] == done(run(*TINY, "--data", digits, "--lr", found["suggestion"], "--json"))["digest"]
    assert "repeated to the bit" in run("train", "--no-report", "--config", f"{automatic['run']}/config.toml").stdout
