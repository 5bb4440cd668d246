"""`jitcnn train`: what it learns, prints and writes."""

import json
import re

import numpy as np
import pytest
from jitcnn_cli.train_plan import data_name

from jitcnn import load
from jitcnn.runs.folder import COLUMNS, Run
from tests.cli.conftest import TINY, done, refused

KEYS = {
    "accuracy", "loss", "seconds", "spent", "images_per_second", "parameters", "running", "test", "measured_on", "per_class", "confused",
    "epochs", "epoch", "steps", "best", "history", "run", "model", "digest", "report"
}  # fmt: skip


def test_json_is_one_object_and_everything_else_is_on_stderr(run, digits):
    result = run(*TINY, "--data", digits, "--out", "model.json", "--json", "--epochs", "20", "--lr", "0.02")
    found = done(result)
    assert set(found) == KEYS
    assert found["model"] == "model.json"
    assert found["accuracy"] == 1
    assert found["test"] == {"accuracy": found["accuracy"], "loss": found["loss"]}
    assert found["images_per_second"] > 0
    assert found["seconds"] > 0
    model = load("model.json")
    assert (found["digest"], found["parameters"]) == (model.digest(), sum(value.size for value in model.parameters.values()))
    assert [len(found["history"][name]) for name in COLUMNS] == [20] * 6
    assert found["history"]["val_loss"][-1] == found["loss"]
    assert (found["run"], found["epochs"], found["steps"]) == ("runs/single-conv", 20, 100)
    assert "epoch 20/20" in result.stderr
    assert "validation" in result.stderr


def test_report(run, digits):
    result = run(*TINY, "--data", digits, "--out", "model.json")
    assert result.exit_code == 0
    running = r"\ntrain, running \(mean of epoch 1, weights moving, dropout on\) +\d\.\d{4} +\d+\.\d\d %"
    assert re.search(rf"{running}\nvalidation +\d.*\ntest +\d", result.stdout)
    assert re.search(r"\nclass \(test images\) +images +precision +recall\n0 +4 ", result.stdout)
    assert re.search(r"\ntime: preparing \d+\.\d s, training \d+\.\d s, validation \d+\.\d s, measuring \d+\.\d s\n", result.stdout)
    assert "\nbest val_loss " in result.stdout
    assert result.stdout.endswith(f"run runs/single-conv\nmodel model.json, digest {load('model.json').digest()}\n")
    assert f"{digits}: 40 images of 8 x 8 x 1 in 4 classes, validated on 16 test images" in result.stderr
    assert "epoch 1/1: loss" in result.stderr
    assert "\r" not in result.stderr


def test_figures_are_those_of_eval(run, digits):
    """Of the classes and of the images trained on, too; the running figure is another one."""
    found = done(run(*TINY, "--data", digits, "--epochs", 2, "--eval-train", "--json"))
    tested = done(run("eval", found["model"], "--json"))
    assert (found["measured_on"], found["per_class"]) == ("test", tested["per_class"])
    trained = done(run("eval", found["model"], "--on", "train", "--json"))
    assert found["train"]["loss"] == pytest.approx(trained["loss"]) != found["running"]["loss"]
    assert found["running"]["loss"] == found["history"]["loss"][-1]
    assert set(found["spent"]) == {"preparing", "training", "validation", "measuring"}
    assert found["spent"]["training"] == pytest.approx(sum(found["history"]["seconds"]), abs=0.1)
    assert "\ntrain  " in run(*TINY, "--data", digits, "--eval-train").stdout


def test_confused_pairs(run, tmp_path):
    """Images of two classes that look alike, held out: the pairs are those of the validation images."""
    generator = np.random.default_rng(1)
    y = np.arange(120) % 3
    x = generator.integers(0, 99, (120, 8, 8), np.uint8)
    x[y == 0, :4] += 100
    np.savez(tmp_path / "alike.npz", x=x, y=y)
    found = done(run(*TINY, "--data", "alike.npz", "--epochs", 8, "--eval-train", "--json"))
    assert found["measured_on"] == "validation"
    assert [one["images"] for one in found["per_class"]] == [8, 8, 8]
    assert found["per_class"][0]["recall"] == 1
    assert {(pair["class"], pair["taken_for"]) for pair in found["confused"]} <= {("1", "2"), ("2", "1")}
    right = sum(one["images"] for one in found["per_class"]) - sum(pair["count"] for pair in found["confused"])
    assert right / 24 == pytest.approx(found["accuracy"])
    assert "most confused: " in run(*TINY, "--data", "alike.npz").stdout


def test_json_lines(run, digits):
    """An object an epoch on stderr, and nothing else; the table or one object on stdout."""
    result = run(*TINY, "--data", digits, "--epochs", 3, "--json-lines", "--json")
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    history = done(result)["history"]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert [line["val_loss"] for line in lines] == history["val_loss"]
    assert "class (test images)" in run(*TINY, "--data", digits, "--json-lines").stdout


def test_limits_of_presets_are_for_the_digits_that_come_along(run):
    np.savez("many.npz", x=np.zeros((1200, 8, 8), np.uint8), y=np.arange(1200) % 2)
    result = run("train", "--preset", "single-conv", "--data", "many.npz", "--epochs", 1, "--no-report")
    assert "1,200 images of 8 x 8 x 1 in 2 classes, of which 240 are held out for validation" in result.stderr


def test_another_scale_than_that_of_pictures_is_said(run):
    x, y = np.random.default_rng(0).random((40, 8, 8), np.float32), np.arange(40) % 2
    for name, factor, normalize, said in (("a", 1, "dataset", True), ("b", 255, "dataset", False), ("c", 1, "per-image", False)):
        np.savez(f"{name}.npz", x=x * np.float32(factor), y=y)
        shown = run(*TINY, "--data", f"{name}.npz", "--normalize", normalize).stderr
        assert ("these images go up to 1, and pictures for jitcnn predict up to 255" in shown) == said


def test_quiet(run, digits):
    result = run(*TINY, "--data", digits, "--out", "model.json", "--quiet")
    assert result.stdout == f"model.json {load('model.json').digest()}\n"
    assert result.stderr == ""
    assert run(*TINY, "--data", digits, "--out", "model.json", "--quiet", "--json").stderr == ""


def test_the_model_holds_what_a_prediction_needs(run, digits, trained):
    model = load(trained)
    assert model.classes == ["0", "1", "2", "3"]
    assert model.normalize == "per-image"
    assert model.data["name"] == str(digits)
    assert (model.loss.name, model.optimizer.name, model.optimizer.learning_rate) == ("cross_entropy", "adam", 0.01)


def test_same_seed_same_digest(run, digits):
    def digest(*options):
        return done(run(*TINY, "--data", digits, "--out", "model.json", "--json", *options))["digest"]

    first = digest("--seed", 5)
    assert digest("--seed", 5) == first
    assert digest("--seed", 5, "--threads", 1) == first
    assert digest("--seed", 6) != first
    assert digest() == digest("--seed", 0)


def test_engines_agree(run, digits):
    limits = ["--train-limit", 16, "--val-limit", 8, "--json", "--out", "model.json"]
    losses = [done(run(*TINY, "--data", digits, *limits, "--engine", engine))["loss"] for engine in ("fast", "loops", "python")]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-3)


def test_a_run_never_overwrites_another_one(run, digits):
    for folder in ("single-conv", "single-conv-2", "single-conv-3"):
        assert done(run(*TINY, "--data", digits, "--json"))["model"] == f"runs/{folder}/last.json"


def test_names(run, digits):
    assert [data_name(data) for data in ("mnist", "a/photos/", digits, "/", "-x")] == ["mnist", "photos", "digits", "data", "data"]
    assert done(run(*TINY, "--data", digits, "--name", "mine", "--json"))["run"] == "runs/mine"
    assert done(run(*TINY, "--data", digits, "--name", "mine", "--json"))["run"] == "runs/mine-2"
    for name in ("", "..", ".hidden", "a/b", "-x"):
        assert "is not a name for a folder in runs/" in refused(run(*TINY, "--data", digits, f"--name={name}"))


def test_the_folder_of_a_run(run, digits, tmp_path):
    """Everything that happened, in files; the best epoch is the one of the least validation loss."""
    found = done(run(*TINY, "--data", digits, "--epochs", "6", "--lr", "5", "--json", "--seed", 3, "--size", "8x8"))
    folder = Run(tmp_path / "runs" / "single-conv")
    names = sorted(path.name for path in folder.path.iterdir())
    assert names == ["best.json", "checkpoint.npz", "config.toml", "history.csv", "last.json", "log.txt"]
    assert folder.config["train"] == {
        "preset": "single-conv", "data": str(digits), "size": "8x8", "epochs": 6, "batch-size": 8,
        "lr": 5.0, "seed": 3, "on-nan": "stop", "engine": "fast",
    }  # fmt: skip
    assert folder.config["data"]["digest"] == load(found["model"]).data["digest"]
    assert {"processor", "features", "jitcnn", "numpy", "numba"} <= set(folder.config["machine"])
    result = folder.config["result"]
    assert (result["digest"], result["epochs"], result["steps"], result["model"]) == (found["digest"], 6, 30, "last.json")
    losses = folder.history["val_loss"]
    assert losses == found["history"]["val_loss"]
    best = 1 + losses.index(min(losses))
    assert best < 6
    assert found["best"] == {"by": "val_loss", "value": min(losses), "epoch": best, "model": "runs/single-conv/best.json"}
    assert folder.model("best").digest() != folder.model("last").digest() == found["digest"]
    assert done(run("eval", "runs/single-conv/best.json", "--json"))["loss"] == pytest.approx(min(losses))
    log = (folder.path / "log.txt").read_text()
    assert "40 images of 8 x 8 x 1 in 4 classes" in log and "epoch 6: loss" in log and f"digest {found['digest']}" in log


def test_which_model_is_the_result(run, digits, tmp_path):
    """The best one if asked for, or if its choice flatters no test figure; with --best-by, the best of that."""
    base = [*TINY, "--data", digits, "--epochs", "6", "--lr", "5", "--json"]
    chosen = done(run(*base, "--best-by", "accuracy"))
    accuracies = chosen["history"]["accuracy"]
    assert (chosen["best"]["value"], chosen["model"]) == (max(accuracies), "runs/single-conv/best.json")
    assert load(chosen["model"]).digest() == chosen["digest"]
    with np.load(digits) as archive:
        np.savez(tmp_path / "all.npz", x=archive["x_train"], y=archive["y_train"])
    held_out = done(run(*TINY, "--data", "all.npz", "--epochs", "6", "--lr", "5", "--json", "--out", "out.npz"))
    assert held_out["loss"] == min(held_out["history"]["val_loss"]) == held_out["best"]["value"]
    assert load("out.npz").digest() == load(held_out["best"]["model"]).digest() == held_out["digest"]
    unchecked = done(run(*TINY, "--data", digits, "--val-limit", 0, "--json"))
    assert (unchecked["best"]["by"], unchecked["model"][-9:]) == ("loss", "last.json")
    assert "--best-by val_loss needs images to validate on" in refused(
        run(*TINY, "--data", digits, "--val-limit", 0, "--best-by", "val_loss")
    )


def test_out_makes_folders_and_the_suffix_chooses_the_format(run, digits, tmp_path):
    done(run(*TINY, "--data", digits, "--json", "--out", "deep/down/model.npz"))
    assert (tmp_path / "deep" / "down" / "model.npz").read_bytes()[:2] == b"PK"
    assert load("deep/down/model.npz").digest() == load("runs/single-conv/last.json").digest()


def test_settings(run, digits):
    options = [
        "--opt",
        "momentum",
        "--lr",
        "0.003",
        "--loss",
        "mse",
        "--epochs",
        2,
        "--train-limit",
        10,
        "--val-limit",
        3,
        "--batch-size",
        4,
    ]
    result = run(*TINY, "--data", digits, "--out", "model.json", *options)
    assert "10 images of 8 x 8 x 1 in 4 classes, validated on 3 test images" in result.stderr
    model = load("model.json")
    assert (model.optimizer.name, model.optimizer.learning_rate, model.loss.name) == ("momentum", 0.003, "mse")
    assert (model.epochs, model.steps.tolist()) == (2, [6])


def test_another_optimizer_comes_with_its_own_rate(run, digits):
    run(*TINY, "--data", digits, "--out", "model.json", "--opt", "sgd")
    assert load("model.json").optimizer.learning_rate == 0.01
    run(*TINY, "--data", digits, "--out", "model.json", "--preset", "conv-pool", "--opt", "adam")
    assert load("model.json").optimizer.learning_rate == 0.001


def test_without_validation(run, digits):
    found = done(run(*TINY, "--data", digits, "--out", "model.json", "--json", "--val-limit", 0))
    assert (found["accuracy"], found["loss"]) == (None, None)
    assert 0 <= found["test"]["accuracy"] <= 1


def test_data_without_test_images_hold_out_a_share(run, tmp_path, digits):
    with np.load(digits) as archive:
        np.savez(tmp_path / "all.npz", x=archive["x_train"], y=archive["y_train"])
    result = run(*TINY, "--data", "all.npz", "--out", "model.json", "--json")
    found = done(result)
    assert found["test"] is None
    assert found["accuracy"] is not None
    assert "40 images of 8 x 8 x 1 in 4 classes, of which 8 are held out for validation" in result.stderr


def test_a_loss_that_is_no_number_ends_the_run(run, digits, tmp_path):
    result = run(*TINY, "--data", digits, "--out", "model.json", "--json", "--lr", "1e38", "--epochs", 2, "--opt", "sgd")
    assert (result.exit_code, result.stdout) == (1, "")
    assert list((tmp_path / "runs").iterdir()) == []
    assert re.search(r"\njitcnn: (NaN|infinity) in .* at step \d+ \(epoch 1, .* lower learning_rate, [^\n]*\n$", result.stderr)


def test_mnist_is_the_default(run):
    result = run("train", "--preset", "conv-pool", "--train-limit", 96, "--val-limit", 32, "--epochs", 1, "--out", "model.json", "--json")
    assert done(result)["parameters"] == 10_026
    assert "mnist: 96 images of 28 x 28 x 1 in 10 classes, validated on 32 test images" in result.stderr


@pytest.mark.parametrize("word", ["dataset", "none"])
def test_normalize(run, digits, word):
    """On the command line or in a file, kept with the model, and another training than with each image's own mean."""
    found = done(run(*TINY, "--data", digits, "--normalize", word, "--json"))
    model = load(found["model"])
    assert (model.normalize, Run(found["run"]).config["train"]["normalize"]) == (None if word == "none" else word, word)
    assert (model.preparation.mean is not None) == (word == "dataset")
    assert found["digest"] != done(run(*TINY, "--data", digits, "--json"))["digest"]
    assert f"the digest is {found['digest']} again" in run("train", "--config", f"{found['run']}/config.toml", "--no-report").stdout


def test_warnings_are_in_the_log(run, digits):
    result = run(*TINY, "--data", digits, "--lr", 0.9)
    warning = "warning: a step changed dense1/weights by "
    assert warning in result.stderr and warning in (Run("runs/single-conv").path / "log.txt").read_text()


def test_augment(run, digits):
    def trained(*options):
        result = run(*TINY, "--data", digits, "--out", "model.json", *options)
        assert result.exit_code == 0, result.stderr
        return result.stderr, load("model.json").digest()

    _, plain = trained()
    line, augmented = trained("--augment", "light,flip=1")
    assert "16 test images, augmented with shift=0.05,rotate=5,scale=0.05,flip=1,brightness=0.1,contrast=0.1\n" in line
    assert augmented != plain == trained("--augment", "none")[1]
    refusal = refused(run(*TINY, "--data", digits, "--augment", "flip=2"))
    assert "flip is 2.0, expected a number from 0 to 1" in refusal


def test_schedule_weight_decay_and_early_stopping(run, digits):
    """A rate so high that the loss rises: the best epoch is kept, and the figures are its own."""
    base = [*TINY, "--data", digits, "--epochs", "12", "--lr", "5", "--json"]
    found = done(run(*base, "--early-stop", "2", "--out", "stopped.json"))
    stopped = load("stopped.json")
    assert stopped.epochs < 12
    evaluated = done(run("eval", "stopped.json", "--data", digits, "--json"))
    assert (found["loss"], found["test"]["loss"]) == (pytest.approx(evaluated["loss"]), found["loss"])
    digests = {found["digest"]}
    for options in (["--schedule", "cosine"], ["--weight-decay", "0.1"], ["--schedule", "constant"], []):
        digests.add(done(run(*TINY, "--data", digits, *options, "--json", "--out", "model.json"))["digest"])
    assert len(digests) == 4  # "constant" is what the preset has
    assert load("model.json").optimizer.settings["weight_decay"] == 0


def test_digits_are_augmented_by_the_default_preset(run, digits):
    short = ("train", "--train-limit", "64", "--val-limit", "0", "--epochs", "1", "--quiet", "--no-report")
    for name, more in (("digits", ()), ("plain", ("--augment", "none"))):
        assert run(*short, "--name", name, *more).exit_code == 0
    assert [Run(f"runs/{name}").config["train"]["augment"] for name in ("digits", "plain")] == ["digits", "none"]
    assert Run("runs/digits").model("last").digest() != Run("runs/plain").model("last").digest()
    assert run(*TINY, "--data", digits, "--name", "own").exit_code == 0
    assert "augment" not in Run("runs/own").config["train"]
