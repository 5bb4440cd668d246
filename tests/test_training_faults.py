"""Training that cannot be: data, losses and layers that do not fit, and losses that are no numbers any more."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten
from tests.small_network import X, Y, net


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda m: m.train(X, Y, epochs=0), "epochs is 0, expected at least 1"),
        (lambda m: m.train(X, Y, epochs=1, batch_size=0), "batch_size is 0, expected at least 1"),
        (lambda m: m.train(X, Y[:7], epochs=1), "x has 50 images and y has 7 labels"),
        (lambda m: m.train(X, Y, epochs=1, validation=1.5), "validation is 1.5, expected a share between 0 and 1"),
        (lambda m: m.train(X, Y, epochs=1, validation=True), "validation is True, expected a number"),
        (lambda m: m.train(X, Y, epochs=1, validation=0.001), "which leaves none to validate on"),
        (lambda m: m.train(X, Y, epochs=1, validation=(X,)), "validation has 1 entries, expected"),
        (lambda m: m.train(X, Y, epochs=1, validation=(X[..., 0], Y)), r"validation x is \(50, 8, 8\): add the channel axis"),
        (lambda m: m.train(X, Y, epochs=1, validation=(X, Y + 1)), "validation y has the label 3"),
        (lambda m: m.evaluate(X, Y + 1), "y has the label 3"),
        (lambda m: m.compile(loss="hinge"), "loss is 'hinge', expected one of 'cross_entropy', 'mse'"),
        (lambda m: m.compile(metrics=["recall"]), "metrics holds 'recall', expected some of 'accuracy', 'top2'"),
        (lambda m: CNN([Flatten()]).train(X, Y, epochs=1), r"train needs an optimizer and a loss: call model.compile\(\) first"),
        (lambda m: CNN().compile() or CNN().evaluate(X, Y), "evaluate needs an optimizer"),
    ],
)
def test_faults(act, message):
    with pytest.raises(ValueError, match=message):
        act(net())


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [Flatten(), Dense(3, activation="relu")],
            "needs a last layer with activation 'softmax' .* or 'sigmoid' .* the last activation is 'relu'",
        ),
        ([Flatten(), Dense(3)], r"the last activation is None: end with Dense\(classes, activation='softmax'\)"),
        ([Dense(3, activation="softmax", input_shape=4), Dropout(0.1)], "the last activation is None"),
        ([Conv2d(3, activation="softmax", input_shape=(8, 8, 1))], r"the model's output is \(6, 6, 3\): end with Flatten\(\) and Dense"),
        ([Flatten(input_shape=(8, 8, 1)), Dense(1, activation="softmax")], "the softmax of a single output is always 1"),
    ],
)
def test_cross_entropy_needs_softmax_or_sigmoid(layers, message):
    with pytest.raises(ValueError, match=message):
        CNN(layers).compile(loss="cross_entropy")


def test_cross_entropy_is_checked_again_when_layers_came_later():
    model = CNN(engine="python")
    model.compile(loss="cross_entropy")
    model.add(Flatten())
    model.add(Dense(3))
    with pytest.raises(ValueError, match="needs a last layer with activation"):
        model.train(X, Y, epochs=1)


def test_divergence_is_told():
    x = np.full((4, 2, 2, 1), 1e38, np.float32)
    model = CNN([Flatten(), Dense(2)], seed=1, engine="python")
    model.compile("sgd", 1e3, loss="mse", metrics=())
    with pytest.warns(RuntimeWarning, match="the loss became .* in epoch 1: lower learning_rate"):
        model.train(x, np.zeros((4, 2)), epochs=1, on_nan="ignore", progress=False)
