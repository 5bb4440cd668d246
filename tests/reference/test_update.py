import numpy as np
import pytest


def turn(*hyper, step=1):
    """Settings for one step, behind a row of others; the step's number, and that of the first row."""
    return np.array([np.full(len(hyper), np.nan), hyper]), np.array([step]), np.array([step - 1])


def test_sgd(run, rng):
    w, g = rng.normal(size=100), rng.normal(size=100)
    expected = w - 0.1 * g
    run("sgd", w, g, *turn(0.1, 0))
    np.testing.assert_allclose(w, expected, rtol=1e-14)


def test_momentum(run, rng):
    w, v = rng.normal(size=100), np.zeros(100)
    gradients = rng.normal(size=(5, 100))
    # A gradient of `age` steps ago has been multiplied by beta `age` times.
    expected_v = sum(0.9**age * g for age, g in enumerate(gradients[::-1]))
    expected_w = w - 0.1 * sum(0.9**age * g for last in range(5) for age, g in enumerate(gradients[last::-1]))
    for g in gradients:
        run("momentum", w, g, v, *turn(0.1, 0.9, 0))
    np.testing.assert_allclose(v, expected_v, rtol=1e-13)
    np.testing.assert_allclose(w, expected_w, rtol=1e-13)


def test_adam(run, rng):
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    w, m, v = rng.normal(size=100), np.zeros(100), np.zeros(100)
    gradients = rng.normal(size=(6, 100))
    expected = w.copy()
    for t in range(1, 7):
        age = np.arange(t)[::-1, None]
        mean = np.sum((1 - beta1) * beta1**age * gradients[:t], axis=0) / (1 - beta1**t)
        square = np.sum((1 - beta2) * beta2**age * gradients[:t] ** 2, axis=0) / (1 - beta2**t)
        expected -= 0.01 * mean / (np.sqrt(square) + epsilon)
    for t, g in enumerate(gradients, 1):
        run("adam", w, g, m, v, *turn(0.01, beta1, beta2, epsilon, 0, step=t))
    np.testing.assert_allclose(w, expected, rtol=1e-12)


def test_adam_leaves_parameters_without_gradient_alone(run):
    w = np.array([1.0, -2.0])
    run("adam", w, np.zeros(2), np.zeros(2), np.zeros(2), *turn(0.1, 0.9, 0.999, 1e-8, 0))
    np.testing.assert_array_equal(w, [1, -2])


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_nan_stays_in_its_parameter(run, name):
    w, g, m, v = np.ones(3), np.array([0.0, np.nan, 1.0]), np.zeros(3), np.zeros(3)
    if name == "sgd":
        run(name, w, g, *turn(0.1, 0))
    elif name == "momentum":
        run(name, w, g, v, *turn(0.1, 0.9, 0))
    else:
        run(name, w, g, m, v, *turn(0.1, 0.9, 0.999, 1e-8, 0))
    np.testing.assert_array_equal(np.isnan(w), [False, True, False])
