"""The rate test: it finds rates that train, the same each time, and leaves the model as it is."""

import numpy as np
import pytest

from jitcnn import CNN, Dense, Flatten
from jitcnn.rate_test import rate_test, suggested


def net(seed=1, optimizer="sgd"):
    model = CNN([Flatten(input_shape=(4, 4, 1)), Dense(2, activation="softmax")], seed=seed, engine="python")
    model.compile(optimizer)
    return model


RNG = np.random.default_rng(0)
Y = np.arange(64) % 2
X = (RNG.random((64, 4, 4, 1)) + Y[:, None, None, None]).astype(np.float32)


def test_it_suggests_a_rate_that_trains():
    model = net()
    before = model.digest()
    found = rate_test(model, X, Y, batch_size=16)
    assert (model.digest(), model.epochs, model.history, model.optimizer.learning_rate) == (before, 0, {}, 0.01)
    assert found == rate_test(net(), X, Y, batch_size=16)
    assert found.rates[0] == 1e-6 and found.rates == sorted(found.rates)
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    final = {}
    for rate in (found.suggestion, found.suggestion / 1000):
        model = net()
        model.compile("sgd", rate)
        final[rate] = model.train(X, Y, epochs=5, batch_size=16, progress=False)["loss"][-1]
    assert final[found.suggestion] < 0.8 * final[found.suggestion / 1000]


def test_the_first_loss_is_that_of_the_untrained_model():
    found = rate_test(net(), X, Y, batch_size=64)
    assert found.losses[0] == pytest.approx(net().evaluate(X, Y)["loss"])
    assert found.smoothed[0] == pytest.approx(found.losses[0])


@pytest.mark.filterwarnings("error")
def test_rates_that_are_wrong_are_not_warned_of():
    assert rate_test(net(optimizer="adam"), X, Y, batch_size=16).rates[-1] > 0.5


def test_a_tenth_of_the_lowest():
    assert suggested([0.001, 0.01, 0.123, 1.0], [2.0, 1.5, 1.0, 9.0]) == 0.012
    for rates, smoothed in (([0.1, 1.0], [1.0, 2.0]), ([], [])):
        with pytest.raises(ValueError, match="the loss fell at no learning rate"):
            suggested(rates, smoothed)


def test_bad_arguments():
    with pytest.raises(ValueError, match="batch_size is 0"):
        rate_test(net(), X, Y, batch_size=0)
    with pytest.raises(ValueError, match="compile"):
        rate_test(CNN([Flatten(input_shape=(4, 4, 1)), Dense(2)]), X, Y)
