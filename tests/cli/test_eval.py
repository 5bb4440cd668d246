"""`jitcnn eval`: figures that agree with each other and with the model."""

import shutil

import numpy as np
import pytest

from jitcnn import CNN, Dense, Flatten, load
from jitcnn.data import load as load_data
from jitcnn.scores import confusion_matrix, decide, per_class
from tests.cli.conftest import TINY, done, refused


def test_json(run, digits, trained):
    found = done(run("eval", trained, "--json"))
    data, model = load_data(digits), load(trained)
    measured = model.evaluate(data.x_test, data.y_test)
    assert set(found) == {"model", "data", "images", "accuracy", "loss", "images_per_second", "per_class", "confusion"}
    assert (found["accuracy"], found["loss"], found["images"]) == (measured["accuracy"], measured["loss"], 16)
    confusion = np.array(found["confusion"])
    assert confusion.sum(axis=1).tolist() == [4, 4, 4, 4]
    assert confusion.trace() / 16 == found["accuracy"]
    for index, one in enumerate(found["per_class"]):
        assert (one["class"], one["images"]) == (str(index), 4)
        assert one["recall"] == confusion[index, index] / 4
        predicted = confusion[:, index].sum()
        assert one["precision"] == (confusion[index, index] / predicted if predicted else None)


def test_report(run, digits, trained):
    result = run("eval", trained)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == f"{trained} on 16 images of {digits}"
    assert "accuracy" in lines[1]
    assert lines[3].split() == ["class", "images", "precision", "recall"]
    assert len(lines) == 3 + 5 + 2 + 5


def test_which_images(run, digits, trained):
    assert done(run("eval", trained, "--json", "--limit", 5))["images"] == 5
    assert done(run("eval", trained, "--json", "--on", "train"))["images"] == 40
    assert done(run("eval", trained, "--json", "--on", "train", "--limit", 7))["images"] == 7


def test_other_data_when_asked_for(run, digits, trained, tmp_path):
    other = tmp_path / "other.npz"
    with np.load(digits) as archive:
        np.savez(other, x=archive["x_test"][:6], y=archive["y_test"][:6])
    result = run("eval", trained, "--data", other, "--json")
    assert done(result)["images"] == 6
    assert "no test images: measured on all its images" in result.stderr


def test_the_models_data_have_to_be_those_it_was_trained_on(run, digits, trained):
    with np.load(digits) as archive:
        arrays = dict(archive)
    arrays["x_train"] = arrays["x_train"][::-1]
    np.savez(digits, **arrays)
    assert "is not what the model was trained on" in refused(run("eval", trained))
    assert done(run("eval", trained, "--data", digits, "--json"))["images"] == 16
    digits.unlink()
    assert "say with --data where they are" in refused(run("eval", trained))


def test_a_model_that_names_no_data(run, digits, tmp_path):
    model = CNN([Flatten(input_shape=(8, 8, 1)), Dense(4, activation="softmax")], seed=1)
    model.compile()
    model.save(tmp_path / "model.json")
    assert "names no data" in refused(run("eval", "model.json"))
    assert done(run("eval", "model.json", "--data", digits, "--json"))["per_class"][3]["class"] == "3"
    model.data = {"name": 3}
    model.save(tmp_path / "model.json")
    assert "names no data" in refused(run("eval", "model.json"))


def test_a_model_that_is_not_compiled(run, digits, tmp_path):
    CNN([Flatten(input_shape=(8, 8, 1)), Dense(4, activation="softmax")], seed=1).save(tmp_path / "model.json")
    assert "compile" in refused(run("eval", "model.json", "--data", digits))


def test_yes_or_no(run, tmp_path):
    model = CNN([Flatten(input_shape=(8, 8, 1)), Dense(1, activation="sigmoid")], seed=1)
    model.compile()
    model.save(tmp_path / "model.json")
    np.savez(tmp_path / "two.npz", x=np.random.default_rng(0).random((6, 8, 8), np.float32), y=np.arange(6) % 2)
    found = done(run("eval", "model.json", "--data", "two.npz", "--json"))
    assert len(found["confusion"]) == 2
    assert np.trace(found["confusion"]) / 6 == found["accuracy"]


def test_images_of_another_size(run, trained, tmp_path):
    np.savez(tmp_path / "large.npz", x=np.zeros((4, 9, 9), np.uint8), y=np.arange(4))
    assert "9, 9" in refused(run("eval", trained, "--data", "large.npz"))


def test_labels_that_the_model_does_not_know(run, trained, tmp_path):
    np.savez(tmp_path / "more.npz", x=np.zeros((6, 8, 8), np.uint8), y=np.arange(6))
    assert "label" in refused(run("eval", trained, "--data", "more.npz"))


def test_a_damaged_model(run, trained):
    trained.write_bytes(trained.read_bytes()[:-100])
    assert str(trained) in refused(run("eval", trained))


def test_many_classes_leave_the_matrix_to_json(run, tmp_path):
    model = CNN([Flatten(input_shape=(8, 8, 1)), Dense(21, activation="softmax")], seed=1)
    model.compile()
    model.save(tmp_path / "model.json")
    np.savez(tmp_path / "many.npz", x=np.zeros((21, 8, 8), np.uint8), y=np.arange(21))
    assert "confusion matrix of 21 classes is in --json" in run("eval", "model.json", "--data", "many.npz").stdout


def test_a_model_can_be_moved_away_from_where_it_was_trained(run, trained, tmp_path):
    shutil.move(trained, tmp_path / "elsewhere.json")
    assert done(run("eval", "elsewhere.json", "--json"))["images"] == 16


def test_scores():
    outputs = np.array([[0.1, 0.9, 0], [0.5, 0.5, 0], [0, 0, 1], [0.2, 0.7, 0.1]])
    assert decide(outputs).tolist() == [1, 0, 2, 1]
    assert decide(np.array([[0.5], [0.6]])).tolist() == [0, 1]
    confusion = confusion_matrix(np.array([1, 0, 1, 1]), decide(outputs), 3)
    assert confusion.tolist() == [[1, 0, 0], [0, 2, 1], [0, 0, 0]]
    assert per_class(confusion, "abc") == [
        {"class": "a", "images": 1, "precision": 1.0, "recall": 1.0},
        {"class": "b", "images": 3, "precision": 1.0, "recall": 2 / 3},
        {"class": "c", "images": 0, "precision": 0.0, "recall": None},
    ]
    with pytest.raises(ValueError, match="it is no classifier"):
        decide(np.zeros((3, 2, 2, 1)))


def test_no_validation_images(run, digits, trained):
    assert "no images were set apart to validate on: measure --on test" in refused(run("eval", trained, "--on", "val"))


@pytest.fixture
def undivided(digits, tmp_path):
    """The digits without a part to test with."""
    with np.load(digits) as archive:
        np.savez(tmp_path / "all.npz", x=archive["x_train"], y=archive["y_train"])
    return tmp_path / "all.npz"


def test_the_share_that_training_set_apart(run, undivided):
    """Measured without a word more, since there are no test images; those trained on are the others."""
    found = done(run(*TINY, "--data", undivided, "--seed", 3, "--train-limit", 30, "--eval-train", "--json"))
    result = run("eval", found["run"], "--json")
    default = done(result)
    val, train = (done(run("eval", found["run"], "--on", part, "--json")) for part in ("val", "train"))
    assert "no test images: measured on those set apart to validate on" in result.stderr
    assert default["loss"] == val["loss"] == found["loss"] and val["per_class"] == found["per_class"]
    assert (val["images"], train["images"]) == (6, 24)
    assert train["loss"] == pytest.approx(found["train"]["loss"])
    assert done(run("eval", found["run"], "--limit", 4, "--json"))["images"] == 4
    assert done(run("eval", found["run"], "--data", undivided, "--on", "val", "--json"))["loss"] == found["loss"]


def test_the_fold_that_training_set_apart(run, undivided):
    found = done(run(*TINY, "--data", undivided, "--folds", 4, "--fold", 3, "--json"))
    assert done(run("eval", found["run"], "--on", "val", "--json"))["loss"] == found["loss"]
    assert done(run("eval", found["run"], "--on", "train", "--json"))["images"] == 30


@pytest.mark.parametrize(
    ("record", "message"),
    [({"images": "40"}, "images is"), ({"validation": 2.0}, "validation is 2.0"), ({"folds": 4, "fold": 9}, "fold is 9, and there are 4")],
)
def test_a_file_that_says_nonsense_of_its_data(run, undivided, record, message):
    found = done(run(*TINY, "--data", undivided, "--val-limit", 0, "--json"))
    model = load(found["model"])
    model.data |= record
    model.save("strange.json")
    assert message in refused(run("eval", "strange.json"))
