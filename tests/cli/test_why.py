"""`jitcnn why`: training images behind a prediction, and labels to check."""

import numpy as np
import pytest
from PIL import Image

from jitcnn import load
from jitcnn.data import load as load_data
from jitcnn.influence import influence, self_influence
from tests.cli.conftest import TINY, done, refused

SETTINGS = ["--epochs", 3, "--name", "r", "--no-report", "--quiet", "--lr", 0.01]


@pytest.fixture
def trained_run(run, digits, tmp_path):
    """The folder of a run whose best epoch is not its last one, and which left some images out."""
    result = run(*TINY, "--data", digits, "--train-limit", 32, *SETTINGS)
    assert result.exit_code == 0, result.stderr
    return tmp_path / "runs" / "r"


def test_an_image_of_the_data(run, trained, digits):
    found, data, model = done(run("why", trained, 3, "--top", 5, "--json")), load_data(digits), load(trained)
    expected = influence(model, data.x, data.y, data.x_test[3])
    assert (found["class"], found["images"], found["checkpoints"]) == (str(expected.label), 40, 1)
    assert found["output"] == pytest.approx(model.predict(data.x_test[3])[expected.label])
    assert [entry["image"] for entry in found["for"]] == expected.speaking_for(5).tolist()
    assert [entry["image"] for entry in found["against"]] == expected.speaking_against(5).tolist()
    assert all(entry["label"] == str(data.y[entry["image"]]) for entry in (*found["for"], *found["against"]))
    assert found["for"][0]["influence"] == expected.scores.max()
    other = done(run("why", trained, 3, "--class", "0", "--on", "train", "--limit", 20, "--json"))
    assert other["class"] == "0" and other["images"] == 20
    assert other["for"][0]["influence"] == influence(model, data.x[:20], data.y[:20], data.x[3], 0).scores.max()


def test_labels_of_a_set(run, trained, digits):
    arrays = dict(np.load(digits))
    wrong = [5, 18, 31]
    arrays["y_train"][wrong] = (arrays["y_train"][wrong] + 1) % 4
    np.savez("wrong.npz", **arrays)
    run(*TINY, "--data", "wrong.npz", *SETTINGS, "--out", "wrong.json")
    found = done(run("why", "wrong.json", "--top", 3, "--json"))
    assert sorted(entry["image"] for entry in found["suspects"]) == wrong
    scores = self_influence(load("wrong.json"), load_data("wrong.npz").x, load_data("wrong.npz").y)
    assert [entry["influence"] for entry in found["suspects"]] == sorted(scores, reverse=True)[:3]
    lines = run("why", "wrong.json", "--top", 3).stdout.splitlines()
    assert lines[0].startswith("wrong.json, 1 model, 40 training images of ")
    assert [int(line.split()[1]) for line in lines[3:6]] == [entry["image"] for entry in found["suspects"]]


def test_labels_have_the_names_that_the_model_knows(run, trained, digits):
    model = load(trained)
    model.classes = names = ["zero", "one", "two", "three"]
    model.save("named.json")
    found = done(run("why", "named.json", "--data", digits, "--top", 40, "--json"))
    data = load_data(digits)
    assert [entry["label"] for entry in found["suspects"]] == [names[data.y[entry["image"]]] for entry in found["suspects"]]
    assert {entry["said"] for entry in found["suspects"]} <= set(names)


def test_the_models_of_a_run(run, trained_run, digits):
    data, best, last = load_data(digits), load(trained_run / "best.json"), load(trained_run / "last.json")
    found = done(run("why", trained_run, 3, "--json"))
    several = [best] if best.digest() == last.digest() else [best, last]
    assert (found["images"], found["checkpoints"]) == (32, len(several))  # it was trained on the first 32 of 40
    assert found["for"][0]["influence"] == pytest.approx(influence(several, data.x[:32], data.y[:32], data.x_test[3]).scores.max())
    again = done(run("why", trained_run, 3, "--rerun", "--json"))
    assert again["checkpoints"] == 3 and again["class"] == found["class"]


def test_pictures(run, trained, digits):
    result = run("why", trained, 3, "--out", "why.png")
    assert result.exit_code == 0 and result.stdout.splitlines()[-1] == "why.png", result.stderr
    assert run("why", trained, "--out", "labels.svg").exit_code == 0
    with Image.open("why.png") as picture:
        assert picture.width == 1440
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save("7.png")
    assert done(run("why", trained, "7.png", "--data", digits, "--json"))["image"] == "7.png"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("99",), "IMAGE is 99, and there are 16, from 0 to 15"),
        (("none.png",), "none.png"),
        (("--on", "train"), "--on and --class are for an IMAGE"),
        (("3", "--class", "zebra"), "--class is zebra, and no class of the model is called so"),
        (("3", "--rerun"), "--rerun is for the folder of a run"),
        (("3", "--out", "a.pdf"), "a.pdf: expected a name that ends in .png or .svg"),
        (("3", "--data", "nothing"), "nothing"),
    ],
)
def test_wrong_input(run, trained, arguments, match):
    assert match in refused(run("why", trained, *arguments))
