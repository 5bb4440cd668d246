import numpy as np
import pytest


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def cross_entropy(z, labels):
    return -log_softmax(z)[np.arange(len(labels)), labels]


def binary_cross_entropy(z, t):
    p = 1 / (1 + np.exp(-z))
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(axis=1)


def mse(y, t):
    return np.square(y - t).mean(axis=1)


FORMULAS = {"cross_entropy": cross_entropy, "binary_cross_entropy": binary_cross_entropy, "mse": mse}


def targets_for(name, rng, samples, outputs):
    if name == "cross_entropy":
        return rng.integers(0, outputs, samples)
    return rng.uniform(size=(samples, outputs))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("samples", "outputs"), [(5, 4), (1, 1), (1, 3), (4, 1)])
def test_loss_a_sample_and_gradient_of_the_mean(run, rng, central_differences, name, samples, outputs):
    z, targets = rng.normal(size=(samples, outputs)), targets_for(name, rng, samples, outputs)
    losses, grad = np.full(samples, np.nan), np.full(z.shape, np.nan)
    run(name, z, targets, losses, grad)
    np.testing.assert_allclose(losses, FORMULAS[name](z, targets), rtol=1e-12, atol=1e-14)
    expected = central_differences(lambda z: FORMULAS[name](z, targets).mean(), z)
    np.testing.assert_allclose(grad, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_logits(run, dtype):
    z = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    losses, grad = np.empty(2, dtype), np.empty((2, 2), dtype)
    with np.errstate(all="raise", under="ignore"):
        run("cross_entropy", z, np.array([0, 0]), losses, grad)
        np.testing.assert_allclose(losses, [0, 2e4])
        np.testing.assert_allclose(grad, [[0, 0], [-0.5, 0.5]])
        run("binary_cross_entropy", z, np.array([[1, 0], [1, 0]], dtype), losses, grad)
        np.testing.assert_allclose(losses, [0, 1e4])
        np.testing.assert_allclose(grad, [[0, 0], [-0.25, 0.25]])


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("column", [0, 2])
def test_nan_stays_in_its_sample(run, rng, name, column):
    z, targets = rng.normal(size=(3, 4)), targets_for(name, rng, 3, 4)
    z[1, column] = np.nan
    losses, grad = np.empty(3), np.empty((3, 4))
    run(name, z, targets, losses, grad)
    np.testing.assert_array_equal(np.isnan(losses), [False, True, False])
    assert np.isnan(grad[1, column])
    assert np.isfinite(grad[[0, 2]]).all()
