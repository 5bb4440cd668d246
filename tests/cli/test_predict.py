"""`jitcnn predict`: pictures in, classes out, and one clear line for what is no picture."""

import csv
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from jitcnn_cli.main import main
from jitcnn_cli.predict import folders_of
from PIL import Image

from jitcnn import CNN, Dense, Flatten, load
from jitcnn.data import load as load_data
from jitcnn.scores import reject_below
from tests.cli.conftest import done, refused

NAMES = ["a", "b/b", "..", "d"]


@pytest.fixture
def model(digits, tmp_path):
    """A model whose output says which quarter of a picture of 8 x 8 is bright, and pictures one, two, …, of the four classes."""
    made = CNN([Flatten(input_shape=(8, 8, 1)), Dense(4, activation="softmax", use_bias=False)], seed=1, normalize="per-image")
    made.compile()
    made.parameters["dense1/weights"][...] = np.repeat(np.eye(4), 16, axis=0) * 0.2
    made.classes = NAMES
    made.save(tmp_path / "model.json")
    for number in range(4):
        pixels = np.zeros((8, 8), np.uint8)
        pixels[2 * number : 2 * number + 2] = 200
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(pixels).resize((40, 40), 0).convert("RGB").save(tmp_path / "in" / f"{number + 8}.png")
    return tmp_path / "model.json"


def test_a_folder_in_natural_order(run, model):
    found = done(run("predict", model, "in", "--json", "--top", 2))
    assert [one["file"] for one in found["pictures"]] == [f"in/{number}.png" for number in (8, 9, 10, 11)]
    assert [one["class"] for one in found["pictures"]] == NAMES
    for one, name in zip(found["pictures"], NAMES, strict=True):
        expected = load(model).predict(load(model).prepare(one["file"]))
        assert one["probability"] == one["top"][0]["probability"] == pytest.approx(float(expected[NAMES.index(name)]), abs=1e-7)
        assert len(one["top"]) == 2
    assert found["skipped"] == []
    for hidden in (Path("in/._8.png"), Path("in/.trash/9.png")):
        hidden.parent.mkdir(exist_ok=True)
        hidden.write_text("not one of the pictures")
    assert done(run("predict", model, "in", "--json", "--top", 2)) == found


def test_text_and_csv(run, model):
    lines = run("predict", model, "in/8.png", "in/11.png").stdout.splitlines()
    assert [line.rsplit(" ", 1)[0] for line in lines] == ["in/8.png: a", "in/11.png: d"]
    rows = list(csv.reader(io.StringIO(run("predict", model, "in", "--csv", "--top", 2).stdout)))
    assert rows[0] == ["file", "class", "probability", "class2", "probability2"]
    assert [row[1] for row in rows[1:]] == NAMES


def test_a_name_of_two_lines_is_shown_in_one(run, model):
    Path("in/8.png").rename("in/8\n.png")
    lines = run("predict", model, "in").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["in/8\\n.png", "in/9.png", "in/10.png", "in/11.png"]


def test_rejects_below_a_probability(run, model):
    sure = done(run("predict", model, "in/8.png", "--json"))["pictures"][0]["probability"]
    assert done(run("predict", model, "in/8.png", "--json", "--reject", sure - 1e-6))["pictures"][0]["class"] == "a"
    assert done(run("predict", model, "in/8.png", "--json", "--reject", sure + 1e-6))["pictures"][0]["class"] is None
    assert "none of these" in run("predict", model, "in/8.png", "--reject", 1).stdout


def test_classes_whose_names_become_alike_stay_apart():
    assert folders_of(["a/b", "a*b", "c"]) == {"a/b": "a_b", "a*b": "a_b-2", "c": "c", "none of these": "none of these"}


def test_copies_by_class_inside_the_folder(run, model, tmp_path):
    for _ in range(2):
        assert run("predict", model, "in", "--copy-to", "out").exit_code == 0
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert found == sorted(f"{folder}/{name}" for folder, number in (("a", 8), ("b_b", 9), ("_", 10), ("d", 11))
                           for name in (f"{number}.png", f"{number}-2.png"))  # fmt: skip
    assert (tmp_path / "out" / "a" / "8.png").read_bytes() == (tmp_path / "in" / "8.png").read_bytes()


def test_stdin(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["predict", str(model), "-"], input=(tmp_path / "in" / "9.png").read_bytes())
    assert result.stdout.startswith("-: b/b ")
    assert "stdin: not a picture" in refused(CliRunner().invoke(main, ["predict", str(model), "-"], input=b"text"))


def test_shows_what_the_network_saw(run, model, tmp_path):
    assert run("predict", model, "in/9.png", "--show-input", "saw.png").exit_code == 0
    assert (np.asarray(Image.open(tmp_path / "saw.png")) == load(model).prepare("in/9.png")[..., 0]).all()


def large_png(side):
    """A PNG whose header says that it has side x side pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.fixture
def broken(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "huge.png").write_bytes(large_png(20_000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text.png"], "text.png: not a picture"),
        (["huge.png"], "huge.png: more than"),
        (["empty"], "empty: no pictures in this folder"),
        (["none.png"], "none.png: cannot be read (no such file)"),
        ([], "Missing argument"),
        (["in", "--top", "0"], "0 is not in the range"),
        (["in", "--reject", "2"], "'2' is not a share"),
        (["in", "--reject", "nan"], "'nan' is not a share"),
        (["in", "--csv", "--json"], "not both"),
        (["-", "-"], "given twice"),
        (["-", "--copy-to", "out"], "--copy-to needs files"),
        (["in", "--show-input", "saw.png"], "takes one picture"),
        (["in/8.png", "--show-input", "saw.jpg"], "writes a .png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(run, model, broken, arguments, message):
    assert message in refused(run("predict", model, *arguments))


def test_broken_files_are_named_and_left_out(run, model, broken):
    result = run("predict", model, "in/8.png", "text.png", "huge.png", "in/9.png", "--json")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("left out: text.png: not a picture")
    assert lines[1].startswith("left out: huge.png: more than")
    assert lines[2] == "jitcnn: 2 of 4 pictures could not be read"
    assert '"class": "a"' in result.stdout
    assert '"class": "b/b"' in result.stdout
    assert '"skipped": [{"file": "text.png"' in result.stdout


def test_more_pictures_than_a_block(run, model, monkeypatch):
    monkeypatch.setattr("jitcnn_cli.predict.BLOCK", 3)
    found = done(run("predict", model, "in", "in", "--json"))
    assert [one["class"] for one in found["pictures"]] == NAMES * 2


def test_a_model_that_is_no_classifier_of_pictures(run, tmp_path):
    CNN([Flatten(input_shape=(8, 8, 1)), Dense(3)], seed=1).save(tmp_path / "linear.json")
    assert "no probabilities" in refused(run("predict", "linear.json", "x.png"))
    CNN([Dense(3, activation="softmax", input_shape=5)], seed=1).save(tmp_path / "rows.json")
    assert "not pictures" in refused(run("predict", "rows.json", "x.png"))


def test_the_threshold_of_eval_is_that_of_predict(run, digits, trained):
    data, model = load_data(digits), load(trained)
    outputs = model.predict(data.x_test)
    right = outputs.argmax(axis=1) == data.y_test
    wanted = 0.5 * (1 + right.mean()) if not right.all() else 1
    found = done(run("eval", trained, "--json", "--reject-at", wanted))["reject"]
    answered = outputs.max(axis=1) >= found["below"]
    assert right[answered].mean() == pytest.approx(found["accuracy"]) and found["accuracy"] >= wanted
    assert 1 - answered.mean() == pytest.approx(found["rejected"])
    assert "predict --reject 0." in run("eval", trained, "--reject-at", f"{100 * wanted}%").stdout
    assert "is not a share" in refused(run("eval", trained, "--reject-at", "110%"))


def test_reject_below():
    confidence, right = np.array([0.5, 0.9, 0.7, 0.7, 0.95, 0.6]), np.array([False, True, True, False, True, True])
    assert reject_below(confidence, right, 1) == (pytest.approx(0.8), 1.0, pytest.approx(4 / 6))
    assert reject_below(confidence, right, 0.8) == (pytest.approx(0.55), 0.8, pytest.approx(1 / 6))
    assert reject_below(confidence, right, 0.6) == (0.0, pytest.approx(4 / 6), 0.0)
    assert reject_below(confidence, ~right, 0.5) is None


def test_inverted_pictures(run, model, tmp_path):
    (tmp_path / "dark").mkdir()
    for path in (tmp_path / "in").iterdir():
        Image.fromarray(255 - np.asarray(Image.open(path))).save(tmp_path / "dark" / path.name)
    answers = [done(run("predict", model, "dark", "--json", *more))["pictures"] for more in ((), ("--invert", "no"), ("--invert", "yes"))]
    assert answers[0] == answers[1] and [one["class"] for one in answers[0]] != NAMES
    assert [one["class"] for one in answers[2]] == NAMES
    assert run("predict", model, "dark/8.png", "--invert", "yes", "--show-input", "saw.png").exit_code == 0
    assert (np.asarray(Image.open("saw.png")) == load(model).prepare("in/8.png")[..., 0]).all()
    assert "only resize='digit' decides" in refused(run("predict", model, "dark/8.png", "--invert", "auto"))
    assert "'maybe' is not one of" in refused(run("predict", model, "in", "--invert", "maybe"))


def test_many_pictures_stream_in_order(run, model, tmp_path):
    """Answers come while later pictures are still to be read: the first block is printed before a file of the last one is looked at."""
    from jitcnn_cli import predict

    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(2 * predict.BLOCK + 5):
        (folder / f"{number}.png").write_bytes((tmp_path / "in" / f"{8 + number % 4}.png").read_bytes())
    rows = list(csv.reader(io.StringIO(run("predict", model, "many", "--csv").stdout)))[1:]
    assert [row[0] for row in rows] == [f"many/{number}.png" for number in range(2 * predict.BLOCK + 5)]
    assert [row[1] for row in rows] == [NAMES[number % 4] for number in range(len(rows))]
    loaded, skipped = load(model), []
    paths = [*(str(folder / f"{number}.png") for number in range(predict.BLOCK)), "gone.png"]
    answers = predict.answers_to(loaded, paths, 1, None, skipped)
    next(answers)
    assert skipped == []
    assert len(list(answers)) == predict.BLOCK - 1 and skipped[0]["file"] == "gone.png"


def test_the_threshold_is_found_on_what_is_validated(run):
    rng = np.random.default_rng(0)
    parts = {"train": 40, "val": 20, "test": 30}
    arrays = {f"x_{part}": rng.integers(0, 256, (count, 8, 8), np.uint8) for part, count in parts.items()}
    np.savez("parts.npz", **arrays, **{f"y_{part}": np.arange(count) % 2 for part, count in parts.items()})
    run("train", "--preset", "single-conv", "--data", "parts.npz", "--epochs", 1, "--no-report", "--quiet", "--out", "m.json")
    result = run("eval", "m.json", "--json", "--reject-at", "1%")
    assert done(result)["images"] == 20 and "--on test for these" in result.stderr
    assert done(run("eval", "m.json", "--json", "--reject-at", "1%", "--on", "test"))["images"] == 30
    assert done(run("eval", "m.json", "--json"))["images"] == 30
