"""Gradients of a class's score: against central differences in float64, and Grad-CAM against its formula."""

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.attribution import attribute


def network(last="softmax", engine="python", dtype="float64", normalize=None, units=3):
    layers = [
        Conv2d(2, activation="tanh", padding="same", input_shape=(6, 5, 2)),
        Pool2d(kind="average"),
        Conv2d(3, 2, activation="relu"),
        Dropout(0.5),
        Flatten(),
        Dense(4, activation="sigmoid"),
        Dense(units, activation=last),
    ]
    return CNN(layers, seed=3, dtype=dtype, engine=engine, normalize=normalize)


def score(model, image, label):
    """A class's output of the same model without its last activation."""
    plain = network(None, normalize=model.normalize, units=model.output_shape[0])
    for name, values in model.parameters.items():
        plain.parameters[name][...] = values
    return plain.predict(image)[label]


@pytest.mark.parametrize("label", [0, 2])
def test_saliency_is_the_gradient(label):
    model, image = network(), np.random.default_rng(0).standard_normal((6, 5, 2))
    found = attribute(model, image, label)
    assert found.score == pytest.approx(score(model, image, label), abs=1e-12)
    measured = np.zeros_like(image)
    for index in np.ndindex(image.shape):
        step = np.zeros_like(image)
        step[index] = 1e-5
        measured[index] = (score(model, image + step, label) - score(model, image - step, label)) / 2e-5
    assert np.abs(found.grad_x - measured).max() < 1e-8 * max(1, np.abs(measured).max())
    assert np.array_equal(found.saliency, np.abs(found.grad_x).max(axis=2))
    assert np.abs(measured).max() > 1e-3


def test_grad_cam_is_its_formula():
    """Of a network so small that the gradient can be written down: score = sum of W relu(conv)."""
    model = CNN(
        [Conv2d(4, 2, activation="relu", input_shape=(5, 4, 1)), Flatten(), Dense(3, activation="softmax")],
        seed=1,
        dtype="float64",
        engine="python",
    )
    image = np.random.default_rng(1).standard_normal((5, 4, 1))
    kernels, bias = model.parameters["conv1/weights"], model.parameters["conv1/bias"]
    weights = model.parameters["dense1/weights"]
    maps = np.zeros((4, 3, 4))
    for r, c in np.ndindex(4, 3):
        maps[r, c] = np.maximum(np.tensordot(image[r : r + 2, c : c + 2], kernels, 3) + bias, 0)
    for label in range(3):
        gradient = weights[:, label].reshape(4, 3, 4)
        expected = np.maximum(sum(gradient[..., k].mean() * maps[..., k] for k in range(4)), 0)
        found = attribute(model, image, label)
        assert np.allclose(found.activations, maps, atol=1e-12)
        assert np.allclose(found.grad_activations, gradient, atol=1e-12)
        assert np.allclose(found.grad_cam, expected, atol=1e-12)
    assert expected.max() > 0


def test_gradient_at_the_last_convolution_by_differences():
    """The rest of the network, fed with the last convolution's output."""
    model, image = network(), np.random.default_rng(0).standard_normal((6, 5, 2))
    found = attribute(model, image, 1)
    rest = CNN([Flatten(input_shape=found.activations.shape), Dense(4, activation="sigmoid"), Dense(3)], dtype="float64", engine="python")
    for name in ("dense1/weights", "dense1/bias", "dense2/weights", "dense2/bias"):
        rest.parameters[name][...] = model.parameters[name]
    measured = np.zeros_like(found.activations)
    for index in np.ndindex(measured.shape):
        step = np.zeros_like(measured)
        step[index] = 1e-5
        measured[index] = (rest.predict(found.activations + step)[1] - rest.predict(found.activations - step)[1]) / 2e-5
    assert np.abs(found.grad_activations - measured).max() < 1e-9


def test_engines_agree_and_the_model_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (6, 5, 2), np.uint8)
    model = network(engine="fast", dtype="float32", normalize="per-image")
    digest, before = model.digest(), model.predict(image)
    fast = attribute(model, image, 2)
    assert model.digest() == digest and np.array_equal(model.predict(image), before)
    model.engine = "python"
    plain = attribute(model, image, 2)
    for one, other in zip(fast, plain, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5)
    assert np.allclose(fast.grad_cam, plain.grad_cam, rtol=1e-4, atol=1e-5)


def test_single_output_has_two_classes():
    model, image = network("sigmoid", units=1), np.random.default_rng(0).standard_normal((6, 5, 2))
    yes, no = attribute(model, image, 1), attribute(model, image, 0)
    assert yes.score == -no.score and np.array_equal(yes.grad_x, -no.grad_x)
    assert model.predict(image)[0] == pytest.approx(1 / (1 + np.exp(-yes.score)))
    with pytest.raises(ValueError, match="class is 2, and the model has 2, from 0 to 1"):
        attribute(model, image, 2)


def test_activation_as_a_layer_of_its_own_at_the_end():
    model = CNN([Flatten(input_shape=(2, 2, 1)), Dense(2), Activation("softmax")], seed=1, dtype="float64", engine="python")
    found = attribute(model, np.ones((2, 2, 1)), 1)
    assert np.array_equal(found.grad_x.ravel(), model.parameters["dense1/weights"][:, 1])
    assert found.grad_cam is None and found.activations is None


@pytest.mark.parametrize("label", [-1, 3])
def test_no_such_class(label):
    with pytest.raises(ValueError, match=f"class is {label}, and the model has 3"):
        attribute(network(), np.zeros((6, 5, 2)), label)


def test_no_classes():
    with pytest.raises(ValueError, match="not one score for each class"):
        attribute(CNN([Conv2d(2, input_shape=(3, 3, 1))], seed=1), np.zeros((3, 3, 1)), 0)
