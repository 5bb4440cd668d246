"""The page of a run: it says what the folder and the data say, shows the pictures of `jitcnn.plots`, and needs nothing from outside."""

import base64
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from jitcnn import CNN, Dense, plots
from jitcnn import data as datasets
from jitcnn.data import Dataset
from jitcnn.plots import style
from jitcnn.report import document, page, pictures, write
from jitcnn.report import facts as facts_module
from jitcnn.report.facts import collect, result_of
from jitcnn.report.pictures import MISTAKES
from tests.report.conftest import CLASSES, write_run

pytest.importorskip("matplotlib")

HOLLOW = ("meta", "img", "source", "link", "br")
SECTIONS = ["result", "history", "confusion", "mistakes", "filters", "outputs", "architecture", "settings", "repeat"]


class Page(HTMLParser):
    """What is on a page: elements, pictures by their text, tables by their captions, everything that is written."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.addresses, self.pictures, self.tables, self.words = [], [], [], {}, {}, []
        self.open = []
        self.feed(text)
        assert self.open == []  # every element is closed

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        self.addresses += [given[name] for name in ("src", "srcset", "href", "action", "data", "poster") if name in given]
        if tag == "section":
            self.ids.append(given["id"])
        if tag == "source":
            self.dark = given["srcset"]
        if tag == "img":
            self.pictures[given["alt"]] = given["src"], self.dark
        if tag == "table":
            self.rows = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in HOLLOW:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "table":
            self.tables[self.caption] = self.rows

    def handle_data(self, text):
        if self.open[-1:] != ["style"]:
            self.words.append(text)
        if self.open[-1:] == ["caption"]:
            self.caption = text
        if self.open[-1:] in (["td"], ["th"]):
            self.rows[-1][-1] += text


def png(figure):
    return f"data:image/png;base64,{base64.b64encode(style.png(figure)).decode()}"


def test_page(run, model, data):
    """One page, looked at from all sides: drawing it takes a second or two."""
    write(run.path)
    text = (run.path / "report.html").read_text()
    written = Page(text)
    look_at_sections(written)
    look_for_addresses(written, text)
    look_for_markup_in_names(written)
    look_at_tables(written, model, data)
    look_at_pictures(written, run, model, data)
    look_at_settings(written, run, model)


def look_at_sections(written):
    assert written.ids == SECTIONS
    assert [address for address in written.addresses if address.startswith("#")] == [f"#{name}" for name in SECTIONS]


def look_for_addresses(written, text):
    """Nothing comes from outside."""
    assert not {"script", "link", "iframe", "object", "form"} & set(written.tags)
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in written.addresses)
    assert "http" not in re.sub(r'http-equiv="', "", text) and "url(" not in text and "@import" not in text
    assert "default-src 'none'" in text


def look_for_markup_in_names(written):
    assert "".join(written.words).count(CLASSES[1]) >= 2  # in the settings, and where classes are named in full
    assert written.tags.count("b") == 0


def look_at_tables(written, model, data):
    outputs = model.predict(data.x_test)
    right = outputs.argmax(axis=1) == data.y_test
    result = written.tables["The best model, of epoch 2"]
    loss = model.evaluate(data.x_test, data.y_test)["loss"]
    assert result == [
        ["", "images", "loss", "accuracy"],
        ["training, while learning", "", "0.7500", "62.50 %"],
        ["validation", "", "1.2500", "40.00 %"],
        ["test images", "20", f"{loss:.4f}", f"{100 * right.mean():.2f} %"],
    ]
    classes = next(rows for caption, rows in written.tables.items() if caption.startswith("Precision"))
    for k, row in enumerate(classes[1:]):
        assert row[1] == str((data.y_test == k).sum())
        assert row[3] == f"{100 * right[data.y_test == k].mean():.2f} %"
    counts = next(rows for caption, rows in written.tables.items() if caption.startswith("True class"))
    expected = [[str(((data.y_test == i) & (outputs.argmax(axis=1) == j)).sum()) for j in range(3)] for i in range(3)]
    assert [row[1:] for row in counts[1:]] == expected
    history = written.tables["After each epoch; seconds of training"]
    assert history[0] == ["epoch", "loss", "accuracy", "validation loss", "validation accuracy", "rate", "seconds"]
    assert history[2] == ["2", "0.75", "62.50 %", "1.25", "40.00 %", "0.01", "0.5"]
    assert [row[0] for row in written.tables["Layers"][1:]] == ["conv1 (Conv2d)", "flatten1 (Flatten)", "dense1 (Dense)", "total"]


def look_at_pictures(written, run, model, data):
    """They are those of `jitcnn.plots`, on light and on dark paper."""
    drawings = {
        "Curves of loss, accuracy and learning rate by epoch": lambda: plots.history(run.history),
        "Confusion matrix with the most confused pairs": lambda: plots.confusion(model, data.x_test, data.y_test),
        "The images that the model was surest of and wrong": lambda: plots.mistakes(model, data.x_test, data.y_test, MISTAKES),
        "The first image's way through all layers": lambda: plots.outputs(model, data.x_test[0]),
        "The kernels of the convolutions": lambda: plots.filters(model),
        "The layers with their sizes, parameters and work": lambda: plots.graph(model),
    }
    assert set(written.pictures) == set(drawings)
    for about, draw in drawings.items():
        light, dark = written.pictures[about]
        assert light == png(draw()), about
        assert light != dark
    with plots.themed("dark"):
        assert dark == png(draw()), about


def look_at_settings(written, run, model):
    text = " ".join(written.words)
    for word in ("lr", "0.01", "gray", "yes", "a processor <b>", "1.2 s", model.digest()):
        assert word in text
    config, best = f"'{run.path / 'config.toml'}'", f"'{run.path / 'best.json'}'"  # there is a space in the path
    assert f"jitcnn train --config {config}\njitcnn eval {best}\njitcnn report '{run.path}'" in text


@pytest.fixture
def undrawn(monkeypatch):
    """Pages without pictures, which take their time."""
    monkeypatch.setattr(document, "can_draw", lambda: False)


def test_data_in_memory_are_not_read_again(run, data, tmp_path):
    (tmp_path / "data.npz").unlink()
    assert collect(run, data).measured.matrix.sum() == 20


def test_without_the_data_the_rest_is_there(run, tmp_path, undrawn):
    (tmp_path / "data.npz").rename(tmp_path / "moved.npz")
    found = write(run)
    assert found.measured is None and "data.npz" in found.missing
    written = Page((run.path / "report.html").read_text())
    assert written.ids == ["result", "history", "architecture", "settings", "repeat"]
    assert "the data cannot be read" in " ".join(written.words)
    assert write(run, source=tmp_path / "moved.npz").measured.matrix.sum() == 20
    with pytest.raises(ValueError, match=r"none.npz"):
        write(run, source=tmp_path / "none.npz")


def test_other_data_than_the_runs(tmp_path, model, data):
    run = write_run(tmp_path / "run", model, data, data={"name": data.name, "digest": "0" * 12})
    assert f"is not what the run was trained on (digest {data.digest}, then {'0' * 12})" in collect(run).missing
    run = write_run(tmp_path / "other", model, data, data={})
    assert "does not say which data" in collect(run).missing


def test_which_model_came_out(tmp_path, run, model, data, undrawn):
    assert result_of(run)[0] == "best" and result_of(run)[1].digest() == model.digest()
    last = run.model("last")
    other = write_run(tmp_path / "last", model, data, result={"digest": last.digest()})
    assert result_of(other)[0] == "last"
    unfinished = write_run(tmp_path / "unfinished", model, data, result={})
    (unfinished.path / "last.json").unlink()
    assert result_of(unfinished)[0] == "best"
    (unfinished.path / "best.json").unlink()
    with pytest.raises(ValueError, match="there is no best model"):
        write(unfinished)


def test_without_matplotlib_there_is_a_page_without_pictures(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    write(run)
    written = Page((run.path / "report.html").read_text())
    assert written.pictures == {} and written.ids == ["result", "history", "confusion", "architecture", "settings", "repeat"]
    assert f"pip install 'jitcnn[plots]'. Then make it again: jitcnn report '{run.path}'" in " ".join(written.words)
    assert len(written.tables) == 5


def test_features_and_a_single_output(tmp_path):
    x = np.random.default_rng(0).random((8, 4), np.float32)
    data = Dataset("rows", x, np.arange(8) % 2, None, None, ["no", "yes"], "0" * 12)
    model = CNN([Dense(1, activation="sigmoid", input_shape=4)], seed=1)
    model.compile()
    run = write_run(tmp_path / "run", model, data)
    found = collect(run, data)
    assert found.measured.matrix.sum() == 8
    assert set(pictures.pictures_of(found)) == {"history", "confusion", "outputs", "weights", "graph"}


def test_of_many_images_the_first_are_measured(run, monkeypatch, undrawn):
    monkeypatch.setattr(facts_module, "MOST_IMAGES", 8)
    data = datasets.load(run.config["data"]["name"])
    found = collect(run, data)
    assert len(found.measured.labels) == 8 and found.measured.total == 20
    assert "Measured are the first 8 of 20 test images." in " ".join(Page(page(found)).words)


def test_layers_of_ones_own(tmp_path, model, data, undrawn):
    run = write_run(tmp_path / "run", model, data, layers=[{"type": "Conv2d", "filters": 2}, {"type": "Dense"}])
    text = " ".join(Page(page(collect(run, data))).words)
    assert f"layers of one's own on {data.name}, 2 epochs; the best model, {model.digest()}" in text
    assert "type Conv2d filters 2 type Dense" in " ".join(text.split())


def test_without_test_images(tmp_path, model, undrawn):
    generator = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x=generator.integers(0, 256, (9, 6, 6, 1), np.uint8), y=np.arange(9) % 3)
    data = datasets.load(tmp_path / "own.npz")
    run = write_run(tmp_path / "run", model, data)
    assert "images of the training data, as there are no others" in " ".join(Page(page(collect(run))).words)
