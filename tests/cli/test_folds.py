"""`jitcnn train --folds`: each image is validated once, and the spread is that of the runs."""

import re
import statistics

import numpy as np

from jitcnn.data import folds
from jitcnn.runs.folder import Run
from tests.cli.conftest import TINY, done, refused


def test_a_run_for_each_fold(run, digits):
    result = run(*TINY, "--data", digits, "--folds", 4, "--epochs", 2, "--seed", 5, "--json")
    found = done(result)
    assert "validated on 10 images, fold 3 of 4" in result.stderr
    runs = found["folds"]
    assert [one["run"] for one in runs] == [f"runs/single-conv-fold{number}" for number in (1, 2, 3, 4)]
    for part, results in (("validation", runs), ("test", [one["test"] for one in runs])):
        for name in ("accuracy", "loss"):
            values = [one[name] for one in results]
            assert found[part][name] == {"mean": statistics.fmean(values), "deviation": statistics.stdev(values)}
    assert len({one["digest"] for one in runs}) == 4
    again = done(run(*TINY, "--data", digits, "--folds", 4, "--fold", 3, "--epochs", 2, "--seed", 5, "--json"))
    assert again["digest"] == runs[2]["digest"]
    assert "repeated to the bit" in run("train", "--no-report", "--config", f"{runs[1]['run']}/config.toml").stdout
    assert Run(runs[1]["run"]).config["train"]["fold"] == 2


def test_a_fold_is_that_of_the_function(run, digits, tmp_path):
    """The same bits as of data that were dealt beforehand and are validated by hand."""
    with np.load(digits) as archive:
        x, y = archive["x_train"], archive["y_train"]
    train, held_out = folds(y, 4, 5)[2]
    np.savez(tmp_path / "dealt.npz", x_train=x[train], y_train=y[train], x_test=x[held_out], y_test=y[held_out])
    base = [*TINY, "--epochs", 2, "--seed", 5, "--best-by", "val_loss", "--json"]
    dealt = done(run(*base, "--data", "dealt.npz"))
    fold = done(run(*base, "--data", digits, "--folds", 4, "--fold", 3))
    assert (fold["digest"], fold["loss"]) == (dealt["digest"], dealt["loss"])


def test_images_to_validate_on_are_left_out_aloud(run, digits, tmp_path):
    with np.load(digits) as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "three.npz", **arrays, x_val=arrays["x_test"], y_val=arrays["y_test"])
    result = run(*TINY, "--data", "three.npz", "--folds", 4, "--fold", 1)
    assert result.exit_code == 0 and "validated on 10 images, fold 1 of 4" in result.stderr
    assert "left out: 16 images to validate on, whose place the fold takes\n" in result.stderr


def test_table(run, digits):
    result = run(*TINY, "--data", digits, "--folds", 2)
    assert re.search(
        r"^fold +loss +accuracy +test accuracy +run\n1 +\d\.\d+ +\d+\.\d\d % +\d+\.\d\d % +runs/single-conv-fold1\n", result.stdout
    )
    assert "mean and standard deviation of 2 folds" in result.stdout
    assert "20 images of 8 x 8 x 1 in 4 classes, validated on 20 images" in result.stderr
    assert run(*TINY, "--data", digits, "--folds", 2, "--quiet").stdout.count("\n") == 2


def test_what_does_not_fit(run, digits):
    assert "1 is not in the range 2<=x" in refused(run(*TINY, "--data", digits, "--folds", 1))
    assert "folds is 41 and there are 40 images" in refused(run(*TINY, "--data", digits, "--folds", 41))
    assert "--fold 3 is the number of one of the --folds" in refused(run(*TINY, "--data", digits, "--folds", 2, "--fold", 3))
    assert "--fold 1 is the number of one of the --folds" in refused(run(*TINY, "--data", digits, "--fold", 1))
    assert "--out takes one model" in refused(run(*TINY, "--data", digits, "--folds", 2, "--out", "m.json"))
