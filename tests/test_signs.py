"""Warnings: each where its condition holds, once, and nowhere else."""

import warnings

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, AdamW, Dense, Flatten

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(30, 4, 4, 1)).astype(np.float32), np.arange(30) % 3


def net(optimizer=None):
    model = CNN([Flatten(), Dense(3, activation="softmax")], seed=1, engine="python")
    model.compile(optimizer or SGD(0.01))
    return model


def told(model, x=X, y=Y, **settings):
    """The warnings of a call of `train`, each from this file."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        model.train(x, y, **{"epochs": 1, "progress": False} | settings)
    assert all(each.filename == __file__ for each in found)
    return [str(each.message) for each in found]


def test_nothing_is_wrong():
    assert told(net(), epochs=5, validation=0.2) == []
    assert told(net(), X[:20], Y[:20], validation=(X[20:], Y[20:])) == []
    assert told(net(), validation=(X.copy(), Y)) == []
    assert told(net(), X[:1], Y[:1]) == []


def test_labels_of_one_class():
    model = net()
    assert told(model, y=np.full(30, 2)) == ["all 30 labels are class 2: nothing can be learnt from them but to answer that always"]
    model.classes = ["cat", "dog", "owl"]
    assert told(model, y=np.full(30, 2), epochs=3)[0].startswith("all 30 labels are class 2 (owl): ")
    assert told(model, y=np.r_[0, np.full(29, 2)]) == []


def test_validation_images_among_those_trained_on():
    message = "images to validate on are trained on too: what is measured says little of other ones"
    assert told(net(), validation=(X[5:9], Y[5:9])) == [f"4 of 4 {message}"]
    assert told(net(), X[:20], Y[:20], validation=(X[15:], Y[15:])) == [f"5 of 15 {message}"]


@pytest.mark.parametrize("rate", [1.0, 1e-12])
def test_a_rate_far_from_any_that_works(rate):
    for kind, usual in ((Adam, "0.001"), (AdamW, "0.001")):
        (text,) = told(net(kind(rate)))
        assert text == f"learning_rate is {rate:g}, and {kind.name} moves each weight by about that much every step: {usual} is usual"
    assert told(net(SGD(rate))) == []


def test_a_loss_that_does_not_fall():
    assert told(net(SGD(1e-30)), epochs=6) == [
        "the loss has not fallen in 3 epochs: try a learning_rate of 1e-31 or 1e-29 instead of 1e-30"
    ]
    model = net(SGD(1e-30))
    assert [told(model, epochs=epochs) != [] for epochs in (2, 1, 3)] == [False, True, False]
