"""The text's sessions with whole models, run as they were written there."""

import re

import numpy as np
import pytest

from jitcnn.blog import *  # noqa: F403
from jitcnn.blog import CNN, FFL, Conv2d, Dropout, Flatten, Pool2d, Upsample, mnist

TITLES = "                      Input Output Shape Activation   Bias  Parameters"


def test_everything_is_there():
    for name in ("CNN", "FFL", "Conv2d", "Dropout", "Flatten", "Pool2d", "Upsample", "load_model", "save_model", "mnist"):
        assert name in globals()


def test_data(digits):
    x, y, xt, yt = digits
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((600, 28, 28, 1), (600, 10), (100, 28, 28, 1), (100, 10))
    np.testing.assert_allclose(x.mean(axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(1, 2, 3)), 1, atol=1e-5)
    assert y[:5].argmax(axis=1).tolist() == [5, 0, 4, 1, 9] and (y.sum(axis=1) == 1).all()
    assert len(mnist(train_limit=3, test_limit=2)[0]) == 3


def test_summary_of_many_layers(capsys):
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=2, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Conv2d(filters=4, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Conv2d(filters=6, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Conv2d(filters=8, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Dropout(0.1))
    m.add(Flatten())
    m.summary()
    names = ["Input Layer", "Conv2d1", "Pool2d2", "Conv2d3", "Conv2d4", "Pool2d5", "Dropout6", "Out Layer(Flatten)"]
    assert [layer.name for layer in m.layers] == names
    assert m.layers[-1].output_shape == 128
    assert m.parameters == [20, 76, 0, 222, 440, 0, 0, 0]
    assert capsys.readouterr().out.endswith("\nTotal Parameters: 758\n")


def test_complex_model(digits, capsys):
    x, y, xt, yt = digits
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=4, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Conv2d(filters=8, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Dropout(0.2))
    m.add(Flatten())
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.001, opt="adam", loss="cse")
    m.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == TITLES and lines[1] == "Layer Name".ljust(len(TITLES))
    assert [re.split(r"\s{2,}", line) for line in lines[2:-1]] == [
        ["Input Layer", "(28, 28, 1)", "(26, 26, 4)", "relu", "True", "40"],
        ["Pool2d1", "(26, 26, 4)", "(13, 13, 4)", "None", "False", "0"],
        ["Conv2d2", "(13, 13, 4)", "(11, 11, 8)", "relu", "True", "296"],
        ["Dropout3", "(11, 11, 8)", "(11, 11, 8)", "None", "False", "0"],
        ["Flatten4", "(11, 11, 8)", "968", "None", "False", "0"],
        ["Out Layer(FFL)", "968", "10", "softmax", "True", "9690"],
    ]
    assert {len(line) for line in lines[:-1]} == {len(TITLES)} and lines[-1] == "Total Parameters: 10026"

    m.train(x[:500], y[:500], epochs=2, batch_size=32, val_x=xt, val_y=yt)
    output = capsys.readouterr().out
    number = r"\d+\.\d{1,4}"
    epoch = (
        rf"Epoch: %d:\nTime: \d+\.\d{{1,3}}sec\nTrain Loss: {number} Train Accuracy: {number}%%\n"
        rf"Val Loss: {number} Val Accuracy: {number}%% \n\n"
    )
    assert re.fullmatch(
        r"\nValidation data found.\n\n\nTotal 500 samples.\nTraining samples: 500 Validation samples: 100.\n"
        r"Total 16 batches, most batch has 32 samples.\n\n" + epoch % 0 + epoch % 1,
        output,
    )
    for history in (m.train_loss, m.train_acc, m.val_loss, m.val_acc):
        assert list(history) == [0, 1]
    assert f"Train Loss: {m.train_loss[1]} Train Accuracy: {m.train_acc[1]}%" in output
    predicted = m.predict(xt)
    assert predicted.shape == (100, 10)
    assert m.val_acc[1] == pytest.approx(100 * (predicted.argmax(axis=1) == yt.argmax(axis=1)).mean())
    assert m.train_acc[1] > 50 and m.train_loss[1] < m.train_loss[0]
    assert m.predict(x[0]).shape == (1, 10)


def test_deep_model(digits):
    x, y, _, _ = digits
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=4, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Conv2d(filters=8, kernel_size=(3, 3), padding=None, activation="relu"))
    m.add(Pool2d(kernel_size=(2, 2)))
    m.add(Flatten())
    m.add(FFL(neurons=64, activation="relu"))
    m.add(Dropout(0.1))
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.01, opt="adam", loss="cse")
    assert [layer.parameters for layer in m.layers] == [40, 296, 0, 0, 73792, 0, 650]
    m.train(x, y, epochs=3)
    assert m.train_acc[2] > 80


def test_validation_share(digits, capsys):
    x, y, _, _ = digits
    m = CNN()
    m.add(Flatten(input_shape=(28, 28, 1)))
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(opt="adam", loss="cse")
    m.train(x, y, epochs=3, show_every=2, batch_size=50, val_split=0.25)
    output = capsys.readouterr().out
    assert "Validation data found." not in output
    assert "\nTotal 600 samples.\nTraining samples: 450 Validation samples: 150.\nTotal 9 batches, most batch has 50 samples.\n" in output
    assert re.findall("Epoch: (.):", output) == ["0", "2"] and list(m.val_acc) == [0, 2]
    m.train(x, y, epochs=1, val_split=0)
    assert "Training samples: 600 Validation samples: 0." in capsys.readouterr().out
    assert list(m.train_acc) == [0] and m.val_acc == {}


def test_regression():
    """The feedforward text's first session, on which the one of convolutions builds."""
    x = np.arange(0, 100).reshape(-1, 1)
    x = x / x.max()
    y = x * 2
    m = CNN(seed=2)
    m.add(FFL(1, 4, activation="sigmoid"))
    m.add(FFL(neurons=1))
    m.compile_model(lr=0.5, opt="momentum", loss="mse", mr=0.8)
    m.train(x, y, 41, show_every=20, batch_size=8, shuffle=True)
    assert list(m.train_loss) == [0, 20, 40]
    assert m.train_loss[40] < 0.01
    assert m.predict(x).shape == (100, 1)
    np.testing.assert_array_equal(m.predict(x[3]), m.predict(x)[3:4])


def test_sigmoid_is_right_on_its_targets_side_of_a_half(small):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 4))
    y = x[:, :2] > 0
    m = CNN(seed=1)
    m.add(FFL(4, 2, activation="sigmoid"))
    m.compile_model(lr=0.1, opt="adam", loss="cse")
    m.train(x, y, epochs=20, val_x=x, val_y=y)
    assert m.val_acc[19] == pytest.approx(100 * ((m.predict(x) > 0.5) == y).mean(), abs=1e-4)
    assert m.val_acc[19] > 90


def test_upsample_in_a_model(digits):
    x, y, _, _ = digits
    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=4, padding="same", stride=(2, 2)))
    m.add(Upsample(kernel_size=(2, 1)))
    m.add(Pool2d(kernel_size=(4, 2), kind="average"))
    m.add(Flatten())
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(loss="cse", opt="momentum", lr=0.05)
    assert [layer.output_shape for layer in m.layers[:3]] == [(14, 14, 4), (28, 14, 4), (7, 7, 4)]
    m.train(x, y, epochs=5)
    assert m.train_acc[4] > 60
