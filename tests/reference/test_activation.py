import numpy as np
import pytest

FORMULAS = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
}
names = pytest.mark.parametrize("name", FORMULAS)
ROWS = [(3, 5), (2, 3, 2, 4), (1, 1)]
cases = pytest.mark.parametrize(
    ("name", "shape"), [(name, shape) for name in FORMULAS for shape in [*ROWS, (6,)] if name != "softmax" or shape in ROWS]
)


@cases
def test_forward(run, rng, name, shape):
    x = 3 * rng.normal(size=shape)
    y = np.full(shape, np.nan)
    run(name, x, y)
    np.testing.assert_allclose(y, FORMULAS[name](x), rtol=1e-13)
    run(name, x, x)
    np.testing.assert_array_equal(x, y)


@cases
def test_gradient_is_central_differences(run, rng, central_differences, name, shape):
    x, grad_y = rng.normal(size=shape), rng.normal(size=shape)
    grad_x = np.full(shape, np.nan)
    run(f"{name}_grad", grad_y, FORMULAS[name](x), grad_x)
    expected = central_differences(lambda x: np.sum(grad_y * FORMULAS[name](x)), x)
    np.testing.assert_allclose(grad_x, expected, rtol=1e-7, atol=1e-9)
    run(f"{name}_grad", grad_y, FORMULAS[name](x), grad_y)
    np.testing.assert_array_equal(grad_y, grad_x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0, 0, 0, 1, 1e4]),
        ("sigmoid", [0, 1 / (1 + np.e), 0.5, 1 / (1 + 1 / np.e), 1]),
        ("tanh", [-1, np.tanh(-1), 0, np.tanh(1), 1]),
        ("softmax", [0, 0, 0, 0, 1]),
    ],
)
def test_extreme_inputs(run, name, expected, dtype):
    y = np.empty((1, 5), dtype)
    with np.errstate(all="raise", under="ignore"):
        run(name, np.array([[-1e4, -1, 0, 1, 1e4]], dtype), y)
    np.testing.assert_allclose(y[0], expected, rtol=1e-6)


@names
def test_nan_stays(run, name):
    x, y, grad_x = np.array([[np.nan, 1.0], [1.0, np.nan], [0.0, 0.0]]), np.empty((3, 2)), np.empty((3, 2))
    run(name, x, y)
    expected = np.isnan(x)
    if name == "softmax":
        expected[:2] = True
    np.testing.assert_array_equal(np.isnan(y), expected)
    run(f"{name}_grad", x, np.full((3, 2), 0.5), grad_x)
    np.testing.assert_array_equal(np.isnan(grad_x), expected)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax"])
def test_nan_in_the_output_reaches_the_gradient(run, name):
    grad_x = np.empty((1, 2))
    run(f"{name}_grad", np.ones((1, 2)), np.array([[np.nan, np.nan]]), grad_x)
    assert np.isnan(grad_x).all()


def test_relu_has_no_gradient_at_zero(run):
    grad_x = np.empty((1, 2))
    run("relu_grad", np.array([[3.0, 4.0]]), np.array([[0.0, -0.0]]), grad_x)
    np.testing.assert_array_equal(grad_x, [[0, 0]])
