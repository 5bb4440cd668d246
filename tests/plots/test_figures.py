"""Curves and counts, and what holds for all pictures: bytes that are the same every time, no pyplot, one line without matplotlib."""

import math
import subprocess
import sys

import numpy as np
import pytest

from jitcnn import plots
from jitcnn.plots.confusion import Pair, matrix_of, most_confused
from jitcnn.plots.history import best_epoch
from tests.plots.conftest import images_in, texts_in

HISTORY = {
    "loss": [1.5, 0.5, 0.25],
    "accuracy": [0.5, 0.75, 0.875],
    "val_loss": [None, 0.5, 0.75],
    "val_accuracy": [None, 0.75, 0.5],
    "seconds": [1.0, 1.0, 1.0],
}


def lines(axes):
    return {line.get_label(): line.get_ydata() for line in axes.lines if not line.get_label().startswith("_")}


def test_history_draws_what_was_measured():
    figure = plots.history(HISTORY)
    _, loss, accuracy = figure.axes
    assert np.array_equal(lines(loss)["training"], HISTORY["loss"])
    assert np.array_equal(lines(loss)["validation"], [math.nan, 0.5, 0.75], equal_nan=True)
    assert np.array_equal(lines(accuracy)["training"], [50, 75, 87.5])
    assert np.array_equal(lines(accuracy)["validation"], [math.nan, 75, 50], equal_nan=True)
    assert all(np.array_equal(line.get_xdata(), [1, 2, 3]) for axes in (loss, accuracy) for line in axes.lines[:2])
    assert (loss.get_title(), accuracy.get_title(), loss.get_xlabel()) == ("Loss", "Accuracy", "epoch")
    assert accuracy.get_ylabel() == "right answers, %"
    texts = texts_in(figure)
    assert "Training: 3 epochs" in texts
    assert "Lowest validation loss in epoch 2: 0.5000 and accuracy 75.00 % (dotted line)." in texts
    assert loss.lines[2].get_xdata()[0] == 2


def test_history_of_a_model_of_one_epoch_and_of_the_rate(grey):
    grey.history.update({"loss": [2.0]})
    assert len(plots.history(grey).axes) == 1 + 1  # the sheet itself, and one panel
    figure = plots.history({"loss": [1.0, 2.0], "rate": [0.1, 0.01]})
    assert figure.axes[2].get_title() == "Learning rate" and lines(figure.axes[2])["training"].tolist() == [0.1, 0.01]


def test_history_of_further_metrics():
    figure = plots.history({"loss": [1.0, 0.5], "accuracy": [0.25, 0.5], "top5": [0.5, 0.75], "val_top5": [None, 0.5], "rate": [0.1, 0.1]})
    assert [axes.get_title() for axes in figure.axes[1:]] == ["Loss", "Accuracy", "Among the 5 likeliest", "Learning rate"]
    assert lines(figure.axes[3])["training"].tolist() == [50, 75] and lines(figure.axes[3])["validation"][1] == 50


def test_history_that_diverged():
    assert best_epoch({"loss": [3.0, math.nan, 2.0, math.inf]}) == 2
    assert best_epoch({"loss": [math.nan]}) is None
    assert "The loss was never a finite number: training diverged." in texts_in(plots.history({"loss": [math.nan]}))


@pytest.mark.parametrize("empty", [{}, {"loss": []}, {"seconds": [1.0]}])
def test_no_history(empty):
    with pytest.raises(ValueError, match="no history of training to draw: train the model, or give the folder of the run"):
        plots.history(empty)


def test_model_without_history(grey):
    with pytest.raises(ValueError, match="no history"):
        plots.history(grey)


def test_confusion_counts(grey):
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 256, (20, 10, 8, 1), np.uint8), generator.integers(0, 5, 20)
    decisions = grey.predict(x).argmax(axis=1)
    matrix = np.array([[((y == i) & (decisions == j)).sum() for j in range(5)] for i in range(5)])
    figure = plots.confusion(grey, x, y)
    (shown,) = images_in(figure)[:1]
    assert np.isnan(shown.diagonal()).all()
    apart = ~np.eye(5, dtype=bool)
    assert np.array_equal(shown[apart], matrix[apart])
    axes = figure.axes[1]
    counts = np.zeros((5, 5), int)
    for text in axes.texts:
        column, row = text.get_position()
        counts[row, column] = int(text.get_text())
    assert np.array_equal(counts, matrix)
    texts = texts_in(figure)
    assert f"{matrix.trace()} of 20 images are right, {matrix.trace() / 20:.2%}".replace("%", " %") in " ".join(texts)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ant", "a $5 bee", "c d", "a name that has n…", "e"]
    pairs = most_confused(matrix)
    assert [bar.get_width() for bar in figure.axes[-1].patches] == [pair.mistaken for pair in pairs]
    names = plots.style.class_names(grey, 5)
    first = pairs[0]
    assert f"{names[first.true]} taken for {names[first.taken_for]}" in texts
    assert f"{first.mistaken} of {first.images} ({100 * first.mistaken / first.images:.1f} %)" in texts


def test_most_confused_pairs():
    matrix = np.array([[9, 1, 0], [3, 20, 1], [0, 3, 5]])
    assert most_confused(matrix) == [Pair(2, 1, 3, 8), Pair(1, 0, 3, 24), Pair(0, 1, 1, 10), Pair(1, 2, 1, 24)]
    assert most_confused(matrix, 1) == [Pair(2, 1, 3, 8)]
    assert most_confused(np.diag([1, 2])) == []


def test_confusion_of_yes_and_no_and_of_no_mistake(features):
    x = np.ones((3, 5), np.float32)
    y = np.repeat(int(features.predict(x)[0, 0] > 0.5), 3)
    figure = plots.confusion(features, x, y)
    assert "none: every image is right" in texts_in(figure) and "3 of 3 images are right, 100.00 %" in " ".join(texts_in(figure))


@pytest.mark.parametrize(
    ("y", "match"),
    [([0, 5], "labels from 0 to 5, and the model 5 classes"), ([0.5, 1], "class numbers"), ([1], "expected 2")],
)
def test_labels_that_do_not_fit(y, match):
    with pytest.raises(ValueError, match=match):
        matrix_of(np.zeros((2, 5)), y)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_files_are_the_same_every_time(features, tmp_path, suffix):
    for name in ("first", "second"):
        plots.save(plots.outputs(features, np.ones(5, np.float32)), tmp_path / f"{name}{suffix}")
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("first", "second"))
    assert first == second
    assert first.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")
    assert b"Matplotlib v" not in first and b"dc:date" not in first


def test_a_notebook_shows_the_picture_that_is_saved(features, tmp_path):
    figure = plots.graph(features)
    plots.save(figure, tmp_path / "graph.png")
    assert figure._repr_png_() == (tmp_path / "graph.png").read_bytes()


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "png"])
def test_other_endings(grey, tmp_path, name):
    with pytest.raises(ValueError, match=r"expected a name that ends in .png or .svg"):
        plots.save(plots.graph(grey), tmp_path / name)


def test_what_the_user_has_set_changes_nothing_and_stays(grey, tmp_path):
    import matplotlib

    plots.save(plots.graph(grey), tmp_path / "first.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "image.cmap": "jet"}):
        plots.save(plots.graph(grey), tmp_path / "second.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_dark_theme(grey):
    with plots.themed("dark"):
        dark = plots.graph(grey)
    light = plots.graph(grey)
    with pytest.raises(ValueError, match="theme is 'blue', expected one of"), plots.themed("blue"):
        pass
    assert sum(dark.get_facecolor()[:3]) < 0.5 and sum(light.get_facecolor()[:3]) == 3


def test_pyplot_is_not_touched(tmp_path):
    script = (
        "import sys; from jitcnn import CNN, Dense, plots\n"
        "plots.save(plots.graph(CNN([Dense(2, input_shape=3)], seed=1)), sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path / "graph.png"], check=True)


def test_without_matplotlib(grey, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValueError, match=r"drawing pictures needs matplotlib: pip install 'jitcnn\[plots\]'"):
        plots.filters(grey)
