"""`jitcnn plot`: the pictures of `jitcnn.plots`, of models and data on disk."""

import sys

import numpy as np
import pytest
from PIL import Image

from jitcnn import load, plots
from jitcnn.data import load as load_data
from tests.cli.conftest import refused

pytest.importorskip("matplotlib")


def drawn(result):
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def bytes_of(figure, folder, suffix=".png"):
    plots.save(figure, folder / f"expected{suffix}")
    return (folder / f"expected{suffix}").read_bytes()


@pytest.mark.parametrize("kind", ["filters", "weights", "graph"])
def test_pictures_of_the_model(run, trained, tmp_path, kind):
    assert drawn(run("plot", trained, kind)) == f"{kind}.png"
    assert (tmp_path / f"{kind}.png").read_bytes() == bytes_of(getattr(plots, kind)(load(trained)), tmp_path)


def test_a_layer_and_another_file(run, trained, tmp_path):
    assert drawn(run("plot", trained, "filters", "--layer", "conv1", "--out", "one.svg")) == "one.svg"
    assert (tmp_path / "one.svg").read_bytes() == bytes_of(plots.filters(load(trained), "conv1"), tmp_path, ".svg")
    assert "layer is 'conv3'" in refused(run("plot", trained, "filters", "--layer", "conv3"))


def test_confusion_of_the_models_own_data(run, trained, digits, tmp_path):
    data, model = load_data(digits), load(trained)
    drawn(run("plot", trained, "confusion"))
    assert (tmp_path / "confusion.png").read_bytes() == bytes_of(plots.confusion(model, data.x_test, data.y_test), tmp_path)
    drawn(run("plot", trained, "confusion", "--on", "train", "--limit", 10, "--data", digits))
    assert (tmp_path / "confusion.png").read_bytes() == bytes_of(plots.confusion(model, data.x[:10], data.y[:10]), tmp_path)


def test_an_image_of_the_data_and_one_of_a_file(run, trained, digits, tmp_path):
    data, model = load_data(digits), load(trained)
    drawn(run("plot", trained, "outputs", 3))
    assert (tmp_path / "outputs.png").read_bytes() == bytes_of(plots.outputs(model, data.x_test[3]), tmp_path)
    drawn(run("plot", trained, "outputs", 39, "--on", "train"))
    assert (tmp_path / "outputs.png").read_bytes() == bytes_of(plots.outputs(model, data.x[39]), tmp_path)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save("7.png")
    drawn(run("plot", trained, "outputs", "7.png"))
    assert (tmp_path / "outputs.png").read_bytes() == bytes_of(plots.outputs(model, model.prepare("7.png")), tmp_path)


def test_mistakes_and_where_a_class_is_seen(run, trained, digits, tmp_path):
    data, model = load_data(digits), load(trained)
    drawn(run("plot", trained, "mistakes", "--on", "train", "--count", 2))
    assert (tmp_path / "mistakes.png").read_bytes() == bytes_of(plots.mistakes(model, data.x, data.y, 2), tmp_path)
    drawn(run("plot", trained, "cam", 3))
    assert (tmp_path / "cam.png").read_bytes() == bytes_of(plots.cam(model, data.x_test[3]), tmp_path)
    drawn(run("plot", trained, "cam", 3, "--class", "2"))
    assert (tmp_path / "cam.png").read_bytes() == bytes_of(plots.cam(model, data.x_test[3], 2), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("outputs",), "outputs needs an IMAGE: a picture's file, or the number of one of the data's images"),
        (("outputs", "16"), "IMAGE is 16, and there are 16, from 0 to 15"),
        (("outputs", "none.png"), "none.png: "),
        (("outputs", "none.png", "--on", "train"), "are for an IMAGE that is a number"),
        (("graph", "3"), "IMAGE is not for graph, only for outputs, cam"),
        (("outputs", "3", "--limit", "4"), "--limit is not for outputs, only for confusion, mistakes"),
        (("outputs", "3", "--class", "1"), "--class is not for outputs, only for cam"),
        (("cam", "3", "--class", "zebra"), "--class is zebra, and no class of the model is called so: its classes are 0, 1, 2, 3;"),
        (("cam", "3", "--class", "4"), "class is 4, and the model has 4, from 0 to 3"),
        (("picture",), "'picture' is not one of"),
        (("graph", "--out", "graph.pdf"), "graph.pdf: expected a name that ends in .png or .svg"),
    ],
)
def test_wrong_input(run, trained, arguments, match):
    assert match in refused(run("plot", trained, *arguments))


def test_a_folder_that_is_not_there_fails(run, trained):
    assert "none" in refused(run("plot", trained, "graph", "--out", "none/graph.png"), 1)


def test_without_matplotlib(run, trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "needs matplotlib: pip install 'jitcnn[plots]'" in refused(run("plot", trained, "graph"))
