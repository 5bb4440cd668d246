"""What training shows: bars on a terminal, lines elsewhere, nothing if told so."""

import io
import sys

import numpy as np
import pytest

from jitcnn import CNN, Dense, Flatten, progress

X, Y = np.random.default_rng(0).random((40, 4, 4, 1)), np.arange(40) % 2


class Terminal(io.StringIO):
    def isatty(self):
        return True


def train(engine="python", **settings):
    model = CNN([Flatten(), Dense(2, activation="softmax")], seed=1, engine=engine)
    model.compile()
    return model, model.train(X, Y, batch_size=8, **settings)


def test_lines(capsys):
    model, _ = train(epochs=2, validation=0.25)
    model.train(X, Y, epochs=1)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines[:2], 1):
        assert line.startswith(f"epoch {number}/2: loss ")
        for word in ("accuracy 0.", "val_loss ", "val_accuracy 0.", " s", "images/s"):
            assert word in line
    assert lines[2].startswith("epoch 3/3: loss ")


def test_silence(capsys):
    model, _ = train(epochs=1, progress=False)
    model.evaluate(X, Y)
    model.predict(X)
    assert capsys.readouterr() == ("", "")


def test_compiling_is_told(capsys):
    train("loops", epochs=1)
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "compiling the training step (loops): flatten1, dense1; batches of 8, float32"


def test_bars(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    assert progress.shows_bars()
    train(epochs=2)
    shown = screen.getvalue()
    for word in ("epochs", "epoch 1/2", "epoch 2/2", "loss ", "accuracy 0.", "images/s"):
        assert word in shown


def test_without_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    _, history = train(epochs=1)
    assert len(history["loss"]) == 1


@pytest.mark.parametrize(("kind", "expected"), [("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False)])
def test_notebooks_have_bars(monkeypatch, kind, expected):
    shell = type(kind, (), {})()
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    monkeypatch.setitem(sys.modules, "IPython", type("IPython", (), {"get_ipython": staticmethod(lambda: shell)}))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress.shows_bars() is expected
