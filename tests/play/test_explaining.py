"""What is said of a number is how it came about: the terms add up to it, for every kind of layer, forward and backward."""

import numpy as np
import pytest

from jitcnn import CNN, Activation, Conv2d, Dense, Dropout, Flatten, Layer, Pool2d, Upsample
from jitcnn.play.explaining import LINES, central_difference, explain, lines_of
from jitcnn.play.terms import TERMS
from jitcnn.play.tracing import trace
from tests.play.conftest import new_model

IMAGE = np.random.default_rng(0).integers(0, 256, (7, 8, 2), np.uint8)
LABEL = 2


def ending(*layers):
    return [*layers, Flatten(), Dense(4, activation="softmax")]


NETWORKS = {
    "conv": lambda: ending(Conv2d(3, activation="relu")),
    "conv, strides and padding": lambda: ending(Conv2d(3, (3, 2), stride=(2, 1), padding=((1, 2), (0, 1)), activation="tanh")),
    "conv, much padding": lambda: ending(Conv2d(2, 2, padding=3)),
    "conv, edge": lambda: ending(Conv2d(3, padding="edge", use_bias=False), Conv2d(2, 2, padding="edge", activation="sigmoid")),
    "max pool": lambda: ending(Conv2d(3, padding=1), Pool2d(3, stride=2, padding=1)),
    "min pool": lambda: ending(Conv2d(3), Pool2d(kind="min")),
    "average pool": lambda: ending(Conv2d(3), Pool2d(3, stride=1, padding=1, kind="average")),
    "pool, edge": lambda: ending(Conv2d(3), Pool2d(3, padding="edge", stride=2, kind="average")),
    "upsample": lambda: ending(Conv2d(2), Upsample((2, 3)), Conv2d(2)),
    "activations": lambda: ending(Conv2d(2), Activation("tanh"), Conv2d(2), Activation("relu"), Dropout(0.5)),
    "softmax inside": lambda: ending(Conv2d(3, activation="softmax"), Conv2d(2)),
    "hidden": lambda: [Flatten(), Dense(6, activation="relu"), Dense(5, activation="tanh"), Dense(4, activation="softmax")],
    "sigmoid": lambda: [Conv2d(2), Flatten(), Dense(4, activation="sigmoid")],
    "without dense layers": lambda: [Conv2d(3, activation="relu"), Conv2d(4, (5, 6)), Flatten(), Activation("softmax")],
}


def build(layers, loss="cross_entropy", normalize="per-image"):
    model = CNN(layers, seed=3, dtype="float64", normalize=normalize, engine="python")  # compiles nothing
    model.graph.take_input_shape(IMAGE.shape)
    model.compile("sgd", loss=loss)
    for number, array in enumerate(model.parameters.values()):  # biases too
        array += np.random.default_rng(number).normal(0, 0.1, array.shape)
    return model


def total_of(terms):
    """What the terms that are shown add up to."""
    left = np.array([0.0 if value is None else value for value in terms["left"]])
    if terms["kind"] == "products":
        return left @ (np.ones(len(left)) if terms["right"] is None else np.array(terms["right"])) + (terms["bias"] or 0)
    if terms["kind"] == "pick":
        return left[terms["chosen"]]
    if terms["kind"] == "share":
        return left[terms["chosen"]] / left.sum()
    return {"relu": lambda x: max(x, 0), "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}[terms["names"][0]](left[0])


def some(shape, count=12):
    """Indices in an array: its corners, and others."""
    random = np.random.default_rng(1)
    corners = [(0,) * len(shape), tuple(size - 1 for size in shape)]
    return corners + [tuple(int(random.integers(size)) for size in shape) for _ in range(count)]


def check(answer):
    for step in answer["steps"]:
        if step["terms"] is not None and step["kernel"] != "take_images":
            assert total_of(step["terms"]) == pytest.approx(step["terms"]["total"], rel=1e-9, abs=1e-12), step["kernel"]
    if answer["steps"][-1]["terms"] is not None:
        assert answer["steps"][-1]["terms"]["total"] == pytest.approx(answer["value"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_terms_add_up_to_what_a_layer_makes(name):
    model = build(NETWORKS[name]())
    found = trace(model, IMAGE)
    outputs = model.layer_outputs(IMAGE)
    for passage in found.layers:
        np.testing.assert_allclose(passage.y, outputs[passage.name][1], rtol=1e-12, atol=1e-14)
        for index in some(passage.y.shape):
            answer = explain(model, found, "value", passage.name, index)
            check(answer)
            first = answer["steps"][0]["terms"]
            if first and first["bias"] is not None:
                layer = next(layer for layer in model.layers if layer.name == passage.name)
                assert first["bias"] == layer.parameters["bias"][index[-1]]
    for index in some(found.start.y.shape):
        answer = explain(model, found, "value", "input", index)
        assert answer["value"] == pytest.approx((IMAGE[index] - IMAGE.mean()) / IMAGE.std(), rel=1e-6)
        assert answer["steps"][0]["terms"]["left"] == [IMAGE[index]]


@pytest.mark.parametrize("name", NETWORKS)
def test_terms_add_up_to_gradients(name):
    """Of what a layer made, of weights and biases; the weights' are those of central differences, too."""
    model = build(NETWORKS[name]())
    found = trace(model, IMAGE, np.array([LABEL]))
    for passage in (found.start, *found.layers):
        shape = (found.layers[0].grad_x if passage is found.start else passage.grad_y).shape
        for index in some(shape):
            answer = explain(model, found, "gradient", passage.name, index)
            assert answer["steps"][0]["terms"] is not None
            check(answer)
    for full, gradient in found.gradients.items():
        layer, parameter = full.split("/")
        for index in some(gradient.shape, 3):
            answer = explain(model, found, "weight", layer, index, parameter)
            check(answer)
            assert answer["weight"] == model.parameters[full][index]
            assert central_difference(model, IMAGE, LABEL, full, index) == pytest.approx(answer["value"], rel=1e-4, abs=1e-7)


def test_gradients_are_those_of_training(digits):
    """In the fast engine: one step of SGD with rate 1 takes exactly the gradient off."""
    model = new_model("conv-pool", digits)
    model.compile("sgd", learning_rate=1.0)
    model.layers[3].rate = 0.0
    model.layers[3].build(model.layers[3].input_shape)
    found = trace(model, digits.x[0], digits.y[:1])
    before = {name: array.copy() for name, array in model.parameters.items()}
    model.train(digits.x[:1], digits.y[:1], epochs=1, progress=False)
    for name, array in model.parameters.items():
        np.testing.assert_allclose(before[name] - array, found.gradients[name], rtol=1e-3, atol=1e-6)
    for index in some(found.layers[0].y.shape):
        answer = explain(model, found, "value", "conv1", index)
        assert answer["steps"][-1]["terms"]["total"] == pytest.approx(answer["value"], rel=1e-5, abs=1e-6)


def test_a_trace_changes_nothing():
    model = build(NETWORKS["conv"]())
    before, gradients = model.digest(), model.graph.gradients.copy()
    trace(model, IMAGE, np.array([0]))
    assert model.digest() == before
    np.testing.assert_array_equal(model.graph.gradients, gradients)


def test_mean_squares_and_the_gradient_of_one_output():
    model = build([Conv2d(2), Flatten(), Dense(4)], loss="mse")
    found = trace(model, IMAGE, np.array([1]))
    for k in range(4):
        check(explain(model, found, "gradient", "dense1", (k,)))
    picture = build([Conv2d(2, padding="same"), Conv2d(1)], loss="mse")
    found = trace(picture, IMAGE, output=7)
    for index in some(found.layers[0].grad_y.shape):
        check(explain(picture, found, "gradient", "conv1", index))
    assert found.layers[1].grad_y.reshape(-1)[7] == found.layers[1].grad_y.sum() == 1


def test_a_window_over_the_picture():
    model = build(NETWORKS["conv, strides and padding"]())
    terms = explain(model, trace(model, IMAGE), "value", "conv1", (0, 7, 1))["steps"][0]["terms"]
    assert terms["region"] == (-1, 2, 7, 9)
    assert [value is None for value in terms["left"]] == [True] * 4 + [False, False, True, True] * 2


def half(x, y):
    y[:] = x / 2


def half_grad(grad_y, grad_x):
    grad_x[:] = grad_y / 2


class Half(Layer):
    def forward(self, step, x):
        y = step.buffer(x.shape)
        step.call(half, x, y)

        def backward(grad_y):
            grad_x = step.gradient_buffer(x)
            step.call(half_grad, grad_y, grad_x)
            return grad_x

        return y, backward


def test_a_layer_of_ones_own_shows_its_function():
    model = build(ending(Conv2d(2), Half()))
    found = trace(model, IMAGE, np.array([0]))
    step = explain(model, found, "value", "half1", (0, 0, 0))["steps"][0]
    assert "y[:] = x / 2" in step["source"][0]["text"]
    assert "grad_x[:] = grad_y / 2" in explain(model, found, "gradient", "conv1", (0, 0, 0))["steps"][0]["source"][0]["text"]


def test_numbers_that_are_none():
    model = build(ending(Conv2d(2), Pool2d()))
    model.parameters["conv1/weights"][0, 0, 0, 0] = np.nan
    answer = explain(model, trace(model, IMAGE), "value", "pool1", (0, 0, 0))
    assert answer["value"] == answer["steps"][0]["terms"]["total"] == "nan"


@pytest.mark.parametrize("name", TERMS)
def test_lines_are_in_the_reference(name):
    shown = lines_of(name)
    marked = [line for each in shown for line in np.array(each["text"].splitlines())[each["marks"]]]
    for wanted in LINES[name][1]:
        assert any(line.strip().startswith(wanted) for line in marked), wanted
    assert shown[0]["place"].startswith("jitcnn/reference/")
    assert "Examples" not in shown[0]["text"]


@pytest.mark.parametrize(
    ("what", "layer", "index"),
    [
        ("value", "conv9", (0, 0, 0)),
        ("value", "conv1", (0, 0)),
        ("value", "conv1", (5, 0, 0)),
        ("value", "conv1", (-1, 0, 0)),
        ("gradient", "conv1", (0, 0, 0)),
        ("weight", "conv1", (0, 0, 0, 0)),
        ("else", "conv1", (0, 0, 0)),
    ],
)
def test_what_is_not_there(what, layer, index):
    model = build(NETWORKS["conv"]())
    with pytest.raises(ValueError, match=r"index|layer|gradient|what"):
        explain(model, trace(model, IMAGE), what, layer, index, "weights")
