"""Warnings: each where its condition holds, once, and nowhere else."""

import re
import warnings

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, AdamW, Dense, Flatten
from jitcnn.data import mnist
from jitcnn.schedules import WarmUp
from jitcnn.signs import guessing

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


def test_labels_that_count_from_1():
    assert told(net(), y=np.arange(30) % 2 + 1) == [
        "labels go from 1 to 2, and none is 0: they count from 0, so subtract 1 if these are off by one"
    ]
    assert told(net(), X[:20], np.arange(20) % 2 + 1) == []  # too few to be sure


def digits_net(*, activation="relu", classes=10, optimizer=None):
    model = CNN([Flatten(), Dense(16, activation=activation), Dense(classes, activation="softmax")], seed=1, normalize="per-image")
    model.compile(optimizer or Adam(0.003))
    return model


@pytest.fixture(scope="module")
def digits():
    (x, y), _ = mnist.load()
    return x[:1600], y[:1600]


def test_training_that_goes_well(digits):
    for optimizer in ("sgd", "rmsprop"):
        assert told(digits_net(optimizer=optimizer), *digits, epochs=3) == []
    assert told(digits_net(), *digits, epochs=3, schedule="one-cycle", augment="digits", class_weights="balanced") == []


def test_dead_relus_and_one_answer_for_everything(digits):
    model = digits_net(optimizer=SGD(0.001))
    model.graph.claim()
    model.predict(digits[0][:1])
    model.layers[1].parameters["bias"][:] = -1e3
    dead, same, guess = told(model, *digits, epochs=2)
    assert dead == "16 of 16 relus of dense1 are dead, 0 for each of 256 images: try a learning_rate below 0.001, from new weights"
    assert same.startswith("each of 256 images is taken for class ")
    assert guess.startswith("after 100 steps the loss is 2.3") and "hardly better than guessing among 10 classes, 2.29" in guess


def test_half_of_the_relus_may_be_dead(digits):
    model = digits_net()
    model.predict(digits[0][:1])
    model.layers[1].parameters["bias"][:8] = -1e3
    assert told(model, *digits, epochs=3) == []


@pytest.mark.parametrize("optimizer", [Adam(1.0), AdamW(1.0), SGD(30.0)])
def test_updates_that_are_too_large(digits, optimizer):
    first = told(digits_net(optimizer=optimizer), *digits)[0]
    assert re.fullmatch(rf"a step changed dense[12]/weights by [0-9.e+]+ times their size, .* far below {optimizer.learning_rate:g}", first)


@pytest.mark.parametrize("optimizer", [Adam(1e-9), SGD(1e-7)])
def test_updates_that_are_too_small(digits, optimizer):
    first = told(digits_net(optimizer=optimizer), *digits)[0]
    assert first.startswith("no step changed weights by more than ") and first.endswith(f"far above {optimizer.learning_rate:g}")


def test_a_rate_that_warms_up_is_not_too_small(digits):
    assert told(digits_net(), *digits, schedule=WarmUp(share=0.999), schedule_epochs=(0, 500)) == []


def test_labels_of_the_image_beside(digits):
    x, y = digits
    for by, which in ((1, "after"), (-1, "before")):
        *_, guess, shift = told(digits_net(), x, np.roll(y, by), epochs=2)
        assert "hardly better than guessing" in guess and shift == f"labels are off by one place: an image fits the label {which} its own"
    (guess,) = told(digits_net(), x, RNG.permutation(y), epochs=2)
    assert "hardly better than guessing" in guess


def test_guessing_of_weighted_and_smoothed_labels():
    classes = np.repeat([0, 1], [90, 10])
    assert guessing(classes, 2, None, 0.0) == (pytest.approx(-0.9 * np.log(0.9) - 0.1 * np.log(0.1)), 0.9)
    assert guessing(classes, 2, np.where(classes == 0, 100 / 180, 100 / 20), 0.0)[0] == pytest.approx(np.log(2))
    assert guessing(classes, 2, None, 0.2)[0] == pytest.approx(-0.82 * np.log(0.82) - 0.18 * np.log(0.18))


def test_nan_is_told_with_its_layer(digits):
    with pytest.raises(FloatingPointError, match=r"(NaN|infinity) in the (output|gradient) of dense[12]"):
        told(digits_net(activation=None, optimizer=SGD(1e6)), *digits, epochs=3)


def test_a_loss_that_does_not_fall():
    assert told(net(SGD(1e-30)), epochs=6) == [
        "the loss has not fallen in 3 epochs: try a learning_rate of 1e-31 or 1e-29 instead of 1e-30"
    ]
    model = net(SGD(1e-30))
    assert [told(model, epochs=epochs) != [] for epochs in (2, 1, 3)] == [False, True, False]
