"""`jitcnn data`: every command on small data, its JSON, and what it refuses."""

import json

import numpy as np
import pytest

from jitcnn.data.published import SETS
from tests.cli.conftest import done, refused
from tests.data.reading import write_folder


def test_list(run, kept):
    kept("kmnist")
    lines = run("data", "list").stdout.splitlines()
    assert lines[0].split() == ["name", "size", "here"]
    here = {line.split()[0]: "  yes  " in line for line in lines[1:5]}
    assert here == {"mnist": True, "fashion-mnist": False, "kmnist": True, "cifar10": False}
    assert "30.9 MB" in lines[2]
    found = done(run("data", "list", "--json"))["sets"]
    assert [entry["here"] for entry in found] == [True, False, True, False] and found[1]["bytes"] == 30_878_645
    assert not done(run("data", "list", "--json", "--dir", "elsewhere"))["sets"][2]["here"]


def test_download(run, kept, monkeypatch, tmp_path):
    kept("fashion-mnist")
    assert run("data", "download", "fashion-mnist").stdout == f"fashion-mnist is in {tmp_path / 'data' / 'fashion-mnist'}\n"
    assert "part of jitcnn" in run("data", "download", "mnist").stdout
    assert "'imagenet' cannot be downloaded, expected one of fashion-mnist" in refused(run("data", "download", "imagenet"))


def test_without_a_network_it_fails_with_a_sentence(run, monkeypatch):
    pytest.importorskip("pooch")
    from dataclasses import replace

    monkeypatch.setitem(SETS, "kmnist", replace(SETS["kmnist"], mirrors=("http://127.0.0.1:1/",)))
    line = refused(run("data", "download", "kmnist", "--dir", "d", "--quiet"), code=1)
    assert "train-images-idx3-ubyte.gz could not be downloaded, 127.0.0.1:1: cannot be reached. Without a network, get the files" in line


def test_info(run, digits):
    found = done(run("data", "info", digits, "--json"))
    assert found["shape"] == [8, 8, 1] and found["images"] == 40 and found["test_images"] == 16 and found["dtype"] == "uint8"
    assert found["counts"] == [10] * 4 and found["test_counts"] == [4] * 4 and found["classes"] == ["0", "1", "2", "3"]
    text = run("data", "info", digits).stdout
    assert "40 images of 8 x 8 x 1 to train on, 16 test images, 4 classes" in text
    assert text.splitlines()[-1].split() == ["3", "10", "4"]
    np.savez(digits.parent / "alone.npz", x=np.zeros((3, 2, 2)), y=[0, 1, 1])
    assert "no test images, 2 classes" in run("data", "info", "alone.npz").stdout


def test_preview(run, digits):
    pytest.importorskip("PIL")
    assert run("data", "preview", digits).stdout.startswith("preview.png: ")
    shown = run("data", "preview", digits, "--out", "sheet.jpg", "--augment", "light,noise", "--count", 3).stdout
    assert "first as it is, then with shift=0.05,rotate=5,scale=0.05,brightness=0.1,contrast=0.1,noise=0.05" in shown
    assert (digits.parent / "sheet.jpg").stat().st_size > 500
    assert "augment has 'turn'" in refused(run("data", "preview", digits, "--augment", "turn"))
    assert "unknown file extension" in refused(run("data", "preview", digits, "--out", "sheet.txt"))
    assert "there is no folder no" in refused(run("data", "preview", digits, "--out", "no/sheet.png"))


@pytest.fixture
def faulty(tmp_path):
    """Noise in three classes, with copies, a near copy in the test part, a blank, and a wrong label."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 16, 16, 1), np.uint8)
    y = np.arange(40) % 2
    y[38:] = 2
    x[5], x[9] = x[2], 77
    x_test, y_test = rng.integers(0, 256, (8, 16, 16, 1), np.uint8), np.arange(8) % 2
    x_test[3] = np.clip(x[21].astype(int) + 3, 0, 255)
    np.savez(tmp_path / "faulty.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return tmp_path / "faulty.npz"


def test_check(run, faulty):
    found = done(run("data", "check", faulty, "--json"))
    assert found["images"] == 48
    assert found["exact_duplicates"] == [{"first": "train 2", "second": "train 5", "labels": ["0", "1"], "leak": False}]
    assert found["near_duplicates"] == [{"first": "train 21", "second": "test 3", "labels": ["1", "1"], "leak": True}]
    assert found["nearly_blank"] == ["train 9"] and found["small_classes"] == {"2": 2}
    text = run("data", "check", faulty).stdout
    assert "exact copies: 1\n  train 2 = train 5 (0 / 1)\n  1 of these pairs have two different labels" in text
    assert "near copies: 1, 1 of them in two parts, where results may be too good\n  train 21 = test 3 (1)\n" in text
    assert "nearly blank: 1\n  train 9\n" in text and text.endswith("classes of fewer than 10 images: 1\n  2: 2\n")


def test_check_with_a_model_names_wrong_labels(run, digits):
    from tests.cli.conftest import TINY

    with np.load(digits) as arrays:
        content = dict(arrays)
    assert run(*TINY, "--epochs", 30, "--data", digits, "--out", "model.json", "--quiet").exit_code == 0
    content["y_train"][7] = 1  # a 3
    np.savez(digits.parent / "wrong.npz", **content)
    found = done(run("data", "check", "wrong.npz", "--model", "model.json", "--json"))["suspects"]
    assert [(entry["image"], entry["label"], entry["model"]) for entry in found] == [("train 7", "1", "3")]
    assert 0.5 < found[0]["probability"] <= 1
    assert "\n  train 7: labelled 1, looks like 3 (" in run("data", "check", "wrong.npz", "--model", "model.json").stdout


def test_check_refuses_another_model(run, trained, faulty):
    assert "the model takes images of (8, 8, 1)" in refused(run("data", "check", faulty, "--model", trained))
    np.savez("two.npz", x=np.zeros((4, 8, 8)), y=[0, 1, 0, 1])
    assert "has outputs of (4,), and" in refused(run("data", "check", "two.npz", "--model", trained))
    assert "no such file" in refused(run("data", "check", "two.npz", "--model", "none.json"))


@pytest.mark.parametrize("command", ["info", "preview", "check"])
def test_no_data(run, command):
    assert "nowhere: no such file or folder, and not the name of a known data set" in refused(run("data", command, "nowhere"))
    assert "kmnist is not here: get it with `jitcnn data download kmnist`" in refused(run("data", command, "kmnist"))


def test_longer_lists_are_shortened(run, tmp_path):
    np.savez(tmp_path / "same.npz", x=np.zeros((30, 4, 4)), y=np.zeros(30, int))
    text = run("data", "check", "same.npz", "--most", "3").stdout
    assert "exact copies: 29\n" in text and "  … 26 more (--json has all)\n" in text
    assert len(json.loads(run("data", "check", "same.npz", "--json").stdout)["nearly_blank"]) == 30


def test_picture_files_of_unusual_sizes_are_named(run, tmp_path):
    Image = pytest.importorskip("PIL.Image")
    folder = write_folder(tmp_path / "d", np.zeros((12, 4, 4), np.uint8), np.arange(12, dtype=np.uint8) % 2)
    assert "unusual sizes" not in run("data", "check", folder).stdout
    for number in range(9):
        Image.new("L", (100, 90 + number)).save(folder / f"{number}.png")
    Image.new("L", (100, 30)).save(folder / "flat.png")
    assert f"unusual sizes: 1\n  {folder}/flat.png: 100 x 30" in run("data", "check", folder).stdout
    assert done(run("data", "check", folder, "--json"))["odd_sizes"] == [{"file": f"{folder}/flat.png", "width": 100, "height": 30}]


@pytest.fixture
def scenes(tmp_path, monkeypatch):
    """Pictures in train, val and test: one of val is also in train, one of train is blank, one is a text."""
    Image = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    folder = tmp_path / "scenes"
    for part, count in (("train", 6), ("val", 2), ("test", 3)):
        for name in ("lake", "wood"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(folder / part / name / f"{number}.png")
    Image.open(folder / "train/wood/4.png").save(folder / "val/wood/1.png")
    Image.new("RGB", (40, 20), "green").save(folder / "train/lake/2.png")
    (folder / "train/lake/5.png").write_text("a text")
    return folder


def test_check_names_files_and_leaks_into_validation(run, scenes):
    found = done(run("data", "check", scenes, "--json"))
    names = {name: f"{scenes}/{name}" for name in ("train/wood/4.png", "val/wood/1.png", "train/lake/2.png")}
    assert found["exact_duplicates"] == [
        {"first": names["train/wood/4.png"], "second": names["val/wood/1.png"], "labels": ["wood", "wood"], "leak": True}
    ]
    assert found["nearly_blank"] == [names["train/lake/2.png"]]
    assert [note.partition(":")[0] for note in found["left_out"]] == [f"{scenes}/train/lake/5.png"]
    text = run("data", "check", scenes).stdout
    assert f"exact copies: 1, 1 of them in two parts, where results are too good\n  {names['train/wood/4.png']} = " in text
    assert "left out: 1\n" in text
    assert "5.png: not a picture" in refused(run("data", "check", scenes, "--strict"))


def test_info_and_preview_of_a_folder(run, scenes):
    found = done(run("data", "info", scenes, "--size", "10x8", "--resize", "crop", "--gray", "--json"))
    assert found["shape"] == [10, 8, 1] and found["preparation"]["resize"] == "crop" and len(found["left_out"]) == 1
    assert (found["images"], found["val_images"], found["test_images"]) == (11, 4, 6)
    assert (found["counts"], found["val_counts"], found["test_counts"]) == ([5, 6], [2, 2], [3, 3])
    text = run("data", "info", scenes).stdout
    assert "11 images of 20 x 24 x 3 to train on, 4 to validate on, 6 test images, 2 classes" in text
    assert "pictures made 20 x 24 x 3 in colour, other shapes by pad\nleft out: " in text
    assert text.splitlines()[-1].split() == ["wood", "6", "2", "3"]
    small, large = (
        run("data", "preview", scenes, "--count", "2", "--size", size, "--out", f"{size}.png").stdout.split()[1:4]
        for size in ("8", "100x200")
    )
    assert small != large
    assert "5.png: not a picture" in refused(run("data", "preview", scenes, "--strict"))


def test_check_makes_pictures_as_the_model_takes_them(run, scenes):
    options = ("--preset", "single-conv", "--epochs", "1", "--val-limit", "0", "--data", scenes, "--size", "9x7", "--gray", "--quiet")
    assert run("train", *options, "--out", "m.json").exit_code == 0
    found = done(run("data", "check", scenes, "--model", "m.json", "--json"))["suspects"]
    assert all(entry["image"].startswith(f"{scenes}/") and entry["label"] != entry["model"] for entry in found)
    without, with_model = (done(run("data", "check", scenes, *more, "--json")) for more in ((), ("--model", "m.json")))
    assert {**with_model, "suspects": found} == {**without, "suspects": found}  # black beside a picture is no part of it


def test_size_has_to_do_something(run, digits):
    assert "--size, --resize, " in refused(run("data", "info", digits, "--size", "9"))
    assert run("data", "info", digits, "--size", "8x8").exit_code == 0


@pytest.mark.parametrize("command", ["info", "preview", "check"])
def test_options_of_pictures_are_refused_for_arrays(run, digits, command):
    assert "are for picture files" in refused(run("data", command, digits, "--gray"))
