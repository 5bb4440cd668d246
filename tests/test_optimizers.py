"""Optimizers: PyTorch's formulas, settings, and a state that lives as long as the parameters."""

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, Dense, Momentum
from jitcnn.optimizers import as_optimizer


def net(optimizer, **settings):
    model = CNN([Dense(2, input_shape=3)], seed=1, dtype="float64", engine="python")
    model.compile(optimizer, loss="mse", metrics=(), **settings)
    return model


def by_hand(model, x, y, steps, update):
    """The same model's parameters after so many steps on the whole data, in plain NumPy."""
    w, b = (array.copy() for array in model.parameters.values())
    states = [{}, {}]
    for step in range(1, steps + 1):
        grad = 2 * (x @ w + b - y) / y.size
        for array, gradient, state in zip((w, b), (x.T @ grad, grad.sum(axis=0)), states, strict=True):
            update(array, gradient, state, step)
    return w, b


def sgd(w, g, state, step):
    w -= 0.1 * g


def momentum(w, g, state, step):
    state["v"] = 0.8 * state.get("v", 0) + g
    w -= 0.1 * state["v"]


def adam(w, g, state, step):
    m = state["m"] = 0.7 * state.get("m", 0) + 0.3 * g
    v = state["v"] = 0.9 * state.get("v", 0) + 0.1 * g * g
    w -= 0.1 * (m / (1 - 0.7**step)) / (np.sqrt(v / (1 - 0.9**step)) + 1e-6)


@pytest.mark.parametrize(
    ("optimizer", "update"), [(SGD(0.1), sgd), (Momentum(0.1, momentum=0.8), momentum), (Adam(0.1, 0.7, 0.9, 1e-6), adam)], ids=str
)
def test_formulas_over_two_calls_of_train(optimizer, update):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    model = net(optimizer)
    expected = by_hand(model, x, y, 5, update)
    model.train(x, y, epochs=2, batch_size=6, shuffle=False, progress=False)
    model.train(x, y, epochs=3, batch_size=6, shuffle=False, progress=False)
    for array, found in zip(expected, model.parameters.values(), strict=True):
        assert np.allclose(found, array, rtol=1e-12)


def test_compiling_again_starts_anew():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    model = net("adam")
    model.train(x, y, epochs=2, progress=False)
    model.compile("momentum", 0.1, loss="mse", metrics=())
    expected = by_hand(model, x, y, 1, lambda w, g, state, step: np.subtract(w, 0.1 * g, out=w))
    model.train(x, y, epochs=1, batch_size=6, shuffle=False, progress=False)
    assert np.allclose(model.parameters["dense1/weights"], expected[0])


def test_learning_rate_can_change_at_any_time():
    x, y = np.ones((1, 3)), np.zeros((1, 2))

    class Halve:
        def on_epoch_end(self, model, epoch, logs):
            model.optimizer.learning_rate /= 2

    model = net("sgd", learning_rate=0.4)
    model.train(x, y, epochs=3, callbacks=[Halve()], progress=False)
    assert model.optimizer.learning_rate == 0.05


@pytest.mark.parametrize(("name", "kind", "rate"), [("sgd", SGD, 0.01), ("momentum", Momentum, 0.01), ("adam", Adam, 0.001)])
def test_by_name(name, kind, rate):
    optimizer = as_optimizer(name)
    assert type(optimizer) is kind
    assert optimizer.learning_rate == rate
    assert as_optimizer(name, 0.5).settings["learning_rate"] == 0.5
    assert kind(**optimizer.settings).settings == optimizer.settings
    assert as_optimizer(optimizer) is optimizer


def test_settings():
    assert Momentum().settings == {"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0}
    assert Adam().settings == {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}
    assert repr(Adam(0.01)) == "Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_optimizer("adamw"), "optimizer is 'adamw', expected one of 'sgd', 'momentum', 'adam', or an object"),
        (lambda: as_optimizer(Adam), r"optimizer is the class Adam: give an object, Adam\(\)"),
        (lambda: as_optimizer(Adam(), 0.1), r"beside an optimizer that has one: give Adam\(0.1\)"),
        (lambda: SGD(0), "learning_rate is 0, expected a finite number above 0"),
        (lambda: SGD(float("nan")), "learning_rate is nan"),
        (lambda: SGD("fast"), "learning_rate is 'fast', expected a number"),
        (lambda: Momentum(0.1, momentum=1), "momentum is 1, expected a number from 0 up to"),
        (lambda: Adam(beta2=-0.1), "beta2 is -0.1"),
        (lambda: SGD(weight_decay=-1), "weight_decay is -1, expected a finite number of at least 0"),
        (lambda: Adam(epsilon=0), "epsilon is 0"),
    ],
)
def test_faults(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_one_optimizer_a_model():
    optimizer = Adam()
    x, y = np.ones((1, 3)), np.zeros((1, 2))
    net(optimizer).train(x, y, epochs=1, progress=False)
    with pytest.raises(ValueError, match="this Adam belongs to another model: make a new one for each model"):
        net(optimizer).train(x, y, epochs=1, progress=False)
