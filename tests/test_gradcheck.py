"""gradcheck: right gradients pass, wrong ones are found, and known mistakes are named."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten, Layer, gradcheck
from jitcnn import reference as kernels
from jitcnn.initializers import glorot_uniform


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


W = random(3, 3, 2, 3, seed=1)


def conv(x):
    return kernels.conv2d(x, W)


def test_pair_of_functions():
    x = random(2, 5, 5, 2)
    result = gradcheck((conv, lambda grad_y, x: kernels.conv2d_grad_input(grad_y, W, x.shape)), x)
    assert result
    assert result.ok
    assert result.error < 1e-8
    assert result.hint is None
    assert str(result).startswith("gradients are right")


def test_several_arrays():
    x, w = random(2, 5, 5, 2), W.copy()

    def backward(grad_y, x, w):
        return kernels.conv2d_grad_input(grad_y, w, x.shape), kernels.conv2d_grad_weights(grad_y, x, w.shape)

    assert gradcheck((kernels.conv2d, backward), (x, w)).ok


def test_one_function_that_returns_its_backward():
    def square(x):
        return x * x, lambda grad_y: 2 * x * grad_y

    assert gradcheck(square, random(3, 4)).ok


def test_the_worst_entry_is_found():
    x = random(2, 5, 5, 2)

    def backward(grad_y, x):
        grad_x = kernels.conv2d_grad_input(grad_y, W, x.shape)
        grad_x[1, 2, 3, 0] += 0.5
        return grad_x

    result = gradcheck((conv, backward), x)
    assert not result
    assert result.index == (1, 2, 3, 0)
    assert result.name == "x"
    assert result.hint is None
    assert result.gradients["x"].computed[result.index] - result.gradients["x"].measured[result.index] == pytest.approx(0.5, rel=1e-6)
    assert "gradients are wrong" in str(result)


def test_models_and_layers_stay_as_they_are():
    model = CNN([Conv2d(2, activation="relu"), Flatten(), Dense(3, activation="softmax")], seed=1, engine="python")
    model.compile()
    x = random(2, 5, 5, 1)
    before = model.predict(x)
    assert gradcheck(model, x, [0, 2], engine="python").ok
    assert gradcheck(model.layers[0], x, engine="python").ok
    assert np.array_equal(model.predict(x), before)
    assert model.layers[0].parameters["weights"].dtype == np.float32


def test_names_in_a_model():
    model = CNN([Conv2d(2), Flatten(), Dense(3)], seed=1)
    result = gradcheck(model, random(2, 4, 4, 1), engine="python")
    assert list(result.gradients) == ["x", "conv1/weights", "conv1/bias", "dense1/weights", "dense1/bias"]
    assert list(gradcheck(model.layers[0], random(2, 4, 4, 1), engine="python").gradients) == ["x", "weights", "bias"]


def test_corners_have_any_derivative_between_both_sides():
    x = np.array([[-1.0, 0.0, 2.0]])
    for at_zero in (0.0, 0.3, 1.0):
        assert gradcheck((lambda x: np.maximum(x, 0), lambda g, x, z=at_zero: g * np.where(x == 0, z, x > 0)), x).ok
    assert not gradcheck((lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, 1.5, x > 0)), x).ok


def test_large_arrays_are_sampled():
    x = random(3, 100)
    result = gradcheck((np.sin, lambda g, x: g * np.cos(x)), x, limit=20)
    assert result.ok
    assert np.count_nonzero(~np.isnan(result.gradients["x"].measured)) == 20


# Hints


def hint(backward, x, forward=conv):
    result = gradcheck((forward, backward), x)
    assert not result.ok
    return result.hint


def test_hint_off_by_the_batch_size():
    x = random(2, 4, 4, 2)
    assert "off by the batch size" in hint(lambda g, x: kernels.conv2d_grad_input(g, W, x.shape) * 2, x)
    assert "divided by it once too often" in hint(lambda g, x: kernels.conv2d_grad_input(g, W, x.shape) / 2, x)


def test_hint_other_factors():
    x = random(2, 4, 4, 2)
    assert "wrong sign" in hint(lambda g, x: -kernels.conv2d_grad_input(g, W, x.shape), x)
    assert "3 times what it should be" in hint(lambda g, x: 3 * kernels.conv2d_grad_input(g, W, x.shape), x)
    assert "all zeros" in hint(lambda g, x: np.zeros_like(x), x)


def test_hint_relu_as_its_derivative():
    x = random(2, 4, 4, 2)

    def backward(grad_y, x):
        y = kernels.relu(conv(x))
        return kernels.conv2d_grad_input(grad_y * y, W, x.shape)

    assert "relu's derivative is taken to be its output" in hint(backward, x, lambda x: kernels.relu(conv(x)))


def test_hint_last_image_only():
    x, b = random(3, 4, 4, 2), random(3)

    def backward(grad_y, x, b):
        return kernels.conv2d_grad_input(grad_y, W, x.shape), kernels.bias_grad(grad_y[-1:])

    result = gradcheck((lambda x, b: kernels.conv2d(x, W, b), backward), (x, b))
    assert "the gradient of x[1] comes from the last image of the batch only" in result.hint


def test_hint_kernel_not_flipped():
    x = random(2, 5, 5, 2)
    flipped = np.ascontiguousarray(W[::-1, ::-1])
    assert "kernel not flipped" in hint(lambda g, x: kernels.conv2d_grad_input(g, flipped, x.shape), x)

    def backward(grad_y, x, w):
        w = np.ascontiguousarray(w[::-1, ::-1])
        return kernels.conv2d_grad_input(grad_y, w, x.shape), kernels.conv2d_grad_weights(grad_y, x, w.shape)

    assert "kernel not flipped" in gradcheck((kernels.conv2d, backward), (x, W)).hint


def test_hint_kernel_flipped_in_its_own_gradient():
    def backward(grad_y, x, w):
        grad_w = kernels.conv2d_grad_weights(grad_y, x, w.shape)
        return kernels.conv2d_grad_input(grad_y, w, x.shape), grad_w[::-1, ::-1]

    assert "flipped where it should not be" in gradcheck((kernels.conv2d, backward), (random(2, 5, 5, 2), W)).hint


@pytest.mark.parametrize("kind", ["max", "average"])
def test_hint_overlapping_windows_overwritten(kind):
    size, stride = 3, 1

    def forward(x):
        return kernels.pool2d(x, size, stride=stride, kind=kind)[0]

    def backward(grad_y, x):
        grad_x = np.zeros_like(x)
        for n, i, j, c in np.ndindex(grad_y.shape):
            window = x[n, i : i + size, j : j + size, c]
            part = grad_x[n, i : i + size, j : j + size, c]
            if kind == "max":
                part[np.unravel_index(np.argmax(window), window.shape)] = grad_y[n, i, j, c]
            else:
                part[...] = grad_y[n, i, j, c] / size**2
        return grad_x

    assert "overlapping windows overwrite" in hint(backward, random(2, 5, 5, 2), forward)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_hint_activation_after(activation):
    apply, apply_grad = getattr(kernels, activation), getattr(kernels, f"{activation}_grad")

    def forward(x, w):
        return apply(kernels.conv2d(x, w, padding=1))

    def backward(grad_y, x, w):
        grad_x = kernels.conv2d_grad_input(grad_y, w, x.shape, padding=1)
        return apply_grad(grad_x, forward(x, w)), kernels.conv2d_grad_weights(grad_y, x, w.shape, padding=1)

    x, w = random(2, 5, 5, 2), random(3, 3, 2, 2, seed=1)
    assert f"{activation}'s derivative" in gradcheck((forward, backward), (x, w)).hint


class TextbookConv(Layer):
    """A convolution with relu and a mistake of one's choice."""

    def __init__(self, mistake):
        self.mistake = mistake

    def build(self, input_shape):
        self.weights = self.parameter("weights", (3, 3, input_shape[2], 2), glorot_uniform)
        self.unused = self.parameter("unused", (2,), np.ones)
        return (input_shape[0] - 2, input_shape[1] - 2, 2)

    def forward(self, step, x):
        y = step.buffer(self.output_shape)
        step.call(self.compute, x, self.weights, y)

        def backward(grad_y):
            grad_x = step.gradient_buffer(x)
            step.call(self.gradients, x, self.weights, y, grad_y, grad_x, step.gradient(self.weights))
            if self.mistake != "never written":
                step.call(np.copyto, step.gradient(self.unused), 0.0)
            return grad_x

        return y, backward

    def compute(self, x, w, y):
        y[...] = kernels.conv2d(x, w, activation="relu")

    def gradients(self, x, w, y, grad_y, grad_x, grad_w):
        before = self.mistake != "activation after"
        inner = kernels.relu_grad(grad_y, y) if before else grad_y
        grad_w[...] = kernels.conv2d_grad_weights(inner, x, w.shape)
        w = np.ascontiguousarray(w[::-1, ::-1]) if self.mistake == "not flipped" else w
        grad_x[...] = kernels.conv2d_grad_input(inner, w, x.shape)
        if self.mistake == "batch size":
            grad_w /= len(x)


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        ("activation after", "relu's derivative"),
        ("not flipped", "kernel not flipped"),
        ("batch size", "off by the batch size"),
        ("never written", "the gradient of unused is never written"),
    ],
)
def test_hints_for_layers(mistake, expected):
    result = gradcheck(TextbookConv(mistake), random(3, 6, 5, 2), engine="python")
    assert not result.ok
    assert expected in (result.hint or "")


def test_right_layer_has_no_hint():
    assert gradcheck(TextbookConv("none"), random(3, 6, 5, 2), engine="python").ok


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, np.ones((2, 3))), "gradcheck was given a int, expected a layer, a model, a pair"),
        ((np.sin, np.ones((2, 3))), r"returned no \(y, backward\)"),
        (((np.sin, lambda g, x: g[0]), np.ones((2, 3))), r"returned a gradient of \(3,\) for x, expected its shape, \(2, 3\)"),
        (((np.add, lambda g, a, b: g), (np.ones(2), np.ones(2))), "returned 1 gradients, expected 2"),
        ((Conv2d(2), np.ones((2, 5, 5, 1)), [0, 1]), "only a model has a loss"),
        ((Conv2d(2), np.ones((2, 5, 5))), "add the channel axis"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        gradcheck(*arguments, engine="python")


def test_a_model_without_loss_takes_no_labels():
    with pytest.raises(ValueError, match="compile"):
        gradcheck(CNN([Flatten(), Dense(2)]), np.ones((2, 5, 5, 1)), [0, 1], engine="python")
