"""Schedules: PyTorch's numbers, exact at every step of a recorded program, and the same bits when a run goes on later."""

import json
from pathlib import Path

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, Dense, Momentum
from jitcnn.schedules import SCHEDULES, Constant, Cosine, Linear, OneCycle, StepDecay, WarmUp, as_schedule

VALUES = json.loads((Path(__file__).parent / "pytorch" / "values.json").read_text())
NAMES = {"max_lr": "max_rate"}


def rates(schedule, steps, base=1.0):
    return [schedule.rate(step, steps, base) for step in range(steps)]


@pytest.mark.parametrize("case", VALUES["one-cycle"], ids=lambda case: str(case["steps"]))
def test_one_cycle_is_pytorchs(case):
    schedule = OneCycle(**{NAMES.get(name, name): value for name, value in case["settings"].items()})
    found = [[schedule.rate(step, case["steps"], 7.0), schedule.momentum(step, case["steps"])] for step in range(case["steps"])]
    np.testing.assert_allclose(found, case["found"], rtol=1e-12, atol=1e-15)


def test_one_cycle_without_a_largest_rate_takes_the_optimizers():
    assert rates(OneCycle(), 9, 0.3) == rates(OneCycle(max_rate=0.3), 9, 7.0)
    assert OneCycle().momentum(3, 9) is None


def test_shapes():
    assert rates(Constant(), 3, 0.5) == [0.5] * 3
    assert rates(StepDecay(factor=0.5), 7, 8.0) == [8, 8, 8, 4, 4, 2, 2]
    assert rates(StepDecay(0.5, drops=1), 4) == [1, 1, 0.5, 0.5]
    assert rates(Linear(), 4, 2.0) == [2, 1.5, 1, 0.5]
    assert rates(Linear(final=0.5), 4, 2.0) == [2, 1.75, 1.5, 1.25]
    assert rates(Cosine(), 4, 2.0) == pytest.approx([2, 1 + 0.5**0.5, 1, 1 - 0.5**0.5])
    assert rates(Cosine(final=0.5), 2, 2.0) == pytest.approx([2, 1.5])
    assert rates(WarmUp(Linear(), share=0.5), 6) == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 2 / 3, 1 / 3])
    assert rates(WarmUp(share=0.5), 4, 3.0) == [1, 2, 3, 3]


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 100])
def test_any_number_of_steps(name, steps):
    schedule = as_schedule(name)
    assert all(0 < rate <= 0.3 for rate in rates(schedule, steps, 0.3))
    assert 0 <= schedule.rate(steps + 5, steps, 0.3) <= 0.3  # a run that goes on behind its schedule


@pytest.mark.parametrize(
    "schedule", [Constant(), StepDecay(0.5, 3), Linear(0.1), Cosine(0.01), OneCycle(0.02), WarmUp(OneCycle(div_factor=10.0), 0.2)], ids=str
)
def test_as_a_dict(schedule):
    described = json.loads(json.dumps(schedule.to_dict()))
    assert as_schedule(described) == schedule
    assert as_schedule(schedule) is schedule


def test_dicts():
    assert OneCycle(max_rate=0.02).to_dict() == {
        "type": "one-cycle", "max_rate": 0.02, "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4,
    }  # fmt: skip
    assert as_schedule({"type": "warm-up", "schedule": "cosine"}) == WarmUp(Cosine())
    assert as_schedule(None) == Constant()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_schedule("fast"), "schedule is 'fast', expected one of 'constant', 'step', 'linear', 'cosine', 'one-cycle', 'warm-up'"),
        (lambda: as_schedule(0.1), "schedule is 0.1, expected one of"),
        (lambda: as_schedule({}), "schedule is None"),
        (lambda: as_schedule({"type": "linear", "end": 0}), "schedule 'linear' has the setting 'end', expected some of 'final'"),
        (lambda: as_schedule({"type": "constant", "end": 0}), "has the setting 'end', and takes none"),
        (lambda: as_schedule({"type": "warm-up", "schedule": "hot"}), "schedule is 'hot'"),
        (lambda: OneCycle(max_rate=0), "max_rate is 0, expected a finite number above 0"),
        (lambda: OneCycle(pct_start=1), "pct_start is 1, expected a number between 0 and 1"),
        (lambda: OneCycle(div_factor=float("nan")), "div_factor is nan"),
        (lambda: OneCycle(base_momentum=0.9), "one of base_momentum and max_momentum is missing"),
        (lambda: OneCycle(base_momentum=0.9, max_momentum=0.8), "base_momentum is 0.9, expected at most max_momentum, 0.8"),
        (lambda: StepDecay(factor=1), "factor is 1, expected a number from 0 up to"),
        (lambda: StepDecay(drops=0), "drops is 0, expected a whole number of at least 1"),
        (lambda: Linear(final="low"), "final is 'low', expected a number"),
        (lambda: Cosine(final=-1), "final is -1"),
        (lambda: WarmUp(share=0), "share is 0, expected a number between 0 and 1"),
    ],
)
def test_faults(make, message):
    with pytest.raises(ValueError, match=message):
        make()


X = np.random.default_rng(0).standard_normal((45, 3))
Y = X @ np.array([[1.0, -1.0], [0.5, 2.0], [0.0, 1.0]])


def trained(optimizer, engine, spans, schedule=None, dtype="float64", **settings):
    """The parameters after training in one or several calls, batches of 4, 12 steps an epoch."""
    model = CNN([Dense(2, input_shape=3)], seed=1, dtype=dtype, engine=engine, threads=1)
    model.compile(optimizer, loss="mse", metrics=())
    for epochs in spans:
        model.train(X, Y, epochs=epochs, batch_size=4, schedule=schedule, progress=False, **settings)
    return model


@pytest.mark.parametrize("engine", ["python", "loops", "fast"])
def test_every_step_has_its_own_rate(engine):
    """Against the formula in NumPy, with the order of the epochs: many steps run in one compiled call."""
    schedule = OneCycle(max_rate=0.4, base_momentum=0.3, max_momentum=0.9)
    model = trained(Momentum(0.1), engine, [2], schedule, shuffle=False)
    start = CNN([Dense(2, input_shape=3)], seed=1, dtype="float64")
    w, b = (array.copy() for array in start.parameters.values())
    velocities = [np.zeros_like(w), np.zeros_like(b)]
    for number in range(24):
        first = number % 12 * 4
        x, y = X[first : first + 4], Y[first : first + 4]
        grad = 2 * (x @ w + b - y) / y.size
        for array, gradient, velocity in zip((w, b), (x.T @ grad, grad.sum(axis=0)), velocities, strict=True):
            velocity[...] = schedule.momentum(number, 24) * velocity + gradient
            array -= schedule.rate(number, 24, 0.1) * velocity
    for found, expected in zip(model.parameters.values(), (w, b), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_going_on_later_gives_the_same_bits(dtype):
    schedule = WarmUp(OneCycle())
    whole = trained(Adam(0.1), "fast", [5], schedule, dtype)
    parts = trained(Adam(0.1), "fast", [2, 1, 2], schedule, dtype, schedule_epochs=(0, 5))
    assert parts.digest() == whole.digest()
    assert trained(Adam(0.1), "fast", [2, 1, 2], schedule, dtype).digest() != whole.digest()


def test_another_number_of_steps_in_a_later_call():
    model, twin = (trained(SGD(0.1), engine, [1], "linear") for engine in ("fast", "python"))
    for each in (model, twin):
        each.train(X[:30], Y[:30], epochs=2, batch_size=4, schedule="linear", progress=False)
        each.train(X, Y, epochs=2, batch_size=9, schedule="cosine", progress=False)
    for found, expected in zip(model.parameters.values(), twin.parameters.values(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("span", "message"),
    [
        (3, "schedule_epochs is 3, expected the first epoch and the one behind the last"),
        ((0, True), "schedule_epochs is"),
        ((1, 3), "expected to hold 0 to 2, which are trained now"),
        ((0, 1), "expected to hold 0 to 2"),
    ],
)
def test_spans_that_do_not_fit(span, message):
    with pytest.raises(ValueError, match=message):
        trained(SGD(), "python", [2], "linear", schedule_epochs=span)
