"""Optimizers: PyTorch's formulas, settings, and a state that lives as long as the parameters."""

import json
from pathlib import Path

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, Dense, Momentum
from jitcnn.engine.eager import EagerStep
from jitcnn.engine.parameter import FlatLayout, Parameter
from jitcnn.initializers import zeros
from jitcnn.optimizers import OPTIMIZERS, as_optimizer

VALUES = json.loads((Path(__file__).parent / "pytorch" / "values.json").read_text())


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
    ("optimizer", "update"),
    [(SGD(0.1), sgd), (Momentum(0.1, momentum=0.8), momentum), (Adam(0.1, 0.7, 0.9, 1e-6), adam)],
    ids=["sgd", "momentum", "adam"],
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


OURS = {"lr": "learning_rate", "eps": "epsilon"}
MADE = {  # as in pytorch/make_values.py
    "sgd": {},
    **{key: {"momentum": 0.8} for key in ("momentum", "nesterov")},
    "rmsprop": {"alpha": 0.9},
    "adagrad": {},
    "adadelta": {"rho": 0.8},
    **{key: {"beta1": 0.7, "beta2": 0.9} for key in ("adam", "adamax", "adamw")},
}


@pytest.mark.parametrize("decay", ["0.0", "0.25"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_step_is_pytorchs(name, decay):
    """The weights after each of six steps, in which the rate changes."""
    optimizer = as_optimizer(name, 1.0, weight_decay=float(decay), **MADE[name])
    parameter = Parameter("weights", (5,), zeros)
    parameter.bind(np.array(VALUES["weights"]), np.zeros(5))
    optimizer.prepare(FlatLayout([parameter], np.float64))
    rates, number = VALUES["rates"], np.zeros(1, np.int64)
    table = optimizer.table(rates, [None] * len(rates))
    for gradient, expected in zip(VALUES["gradients"], VALUES["steps"][name][decay], strict=True):
        number += 1
        parameter.flat_gradient[:] = gradient
        optimizer.update(EagerStep("python", 1, np.dtype(np.float64), True, number), parameter, table)
        np.testing.assert_allclose(parameter.flat, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_defaults_are_pytorchs(name):
    """But for the rates of "sgd" and its kin, which have none there worth taking over."""
    settings = as_optimizer(name).settings
    theirs = {OURS.get(key, key): value for key, value in VALUES["defaults"][name].items()}
    theirs |= dict(zip(("beta1", "beta2"), theirs.pop("betas", ()), strict=False))
    if name in ("sgd", "momentum", "nesterov"):
        theirs["learning_rate"] = 0.01
    assert {key: settings[key] for key in theirs} == theirs


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_engines_agree(name):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
    found = []
    for engine in ("python", "fast"):
        model = CNN([Dense(2, input_shape=3)], seed=1, dtype="float64", engine=engine)
        model.compile(name, loss="mse", metrics=())
        model.train(x, y, epochs=3, batch_size=4, schedule="one-cycle", progress=False)
        found.append(model.parameters["dense1/weights"].copy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-12)


def test_settings():
    assert Momentum().settings == {"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0}
    assert Adam().settings == {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}
    assert repr(Adam(0.01)) == "Adam(learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-08, weight_decay=0)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_optimizer("lion"), "optimizer is 'lion', expected one of 'sgd', 'momentum', 'nesterov', .*'adamw', or an object"),
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
