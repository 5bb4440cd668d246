"""The text's loops that draw weights and outputs of layers, and its curves; without a window."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def images(count=9):
    return np.random.default_rng(0).standard_normal((count, 8, 8, 1))


def test_learned_features(small):
    titles = []
    for l in small.layers:  # noqa: E741
        if type(l).__name__ == "Conv2d":
            for f in range(l.filters):
                for c in range(l.weights.shape[2]):
                    plt.imshow(l.weights[:, :, c, f])
                    plt.title(f"Layer: {l.name} Filter: {f} Channel: {c}")
                    titles.append(plt.gca().get_title())
        if type(l).__name__ == "FFL":
            plt.imshow(l.weights)
            plt.title(l.name)
            titles.append(plt.gca().get_title())
    assert titles == ["Layer: Input Layer Filter: 0 Channel: 0", "Layer: Input Layer Filter: 1 Channel: 0", "Out Layer(FFL)"]


def test_an_image_on_its_way(small):
    small.predict(images()[0])
    drawn = 0
    for l in small.layers:  # noqa: E741
        if type(l).__name__ == "Conv2d":
            for f in range(l.filters):
                plt.imshow(l.out[:, :, f], cmap="gray")
                plt.imshow(l.weights[:, :, 0, f], cmap="gray")
                drawn += 2
        if type(l).__name__ in ("Pool2d", "Dropout"):
            for f in range(l.out.shape[2]):
                plt.imshow(l.input[:, :, f], cmap="gray")
                plt.imshow(l.out[:, :, f], cmap="gray")
                drawn += 2
    assert drawn == 12


def test_visualize(small, monkeypatch):
    small.train(images(), np.eye(3)[np.arange(9) % 3], epochs=3, val_split=0.4)
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gca()))
    small.visualize()
    loss, accuracy = shown
    assert [axes.get_title() for axes in shown] == ["Loss vs Epoch", "Accuracy vs Epoch"]
    assert loss.lines[0].get_ydata().tolist() == list(small.train_loss.values())
    assert accuracy.lines[1].get_ydata().tolist() == list(small.val_acc.values())
