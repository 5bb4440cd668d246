"""The text's CNN: its checks, its optimizers, and the passes of single images against the engine's."""

import inspect
from itertools import pairwise

import numpy as np
import pytest

from jitcnn.blog import CNN, FFL, Conv2d, Flatten, Pool2d
from jitcnn.blog.report import measure


def data(images=20, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((images, 8, 8, 1)), np.eye(3, dtype=np.uint8)[rng.integers(0, 3, images)]


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        (CNN.compile_model, "(self, lr=0.01, mr=0.001, opt='sgd', loss='mse', metrics=('mse',))"),
        (CNN.train, "(self, X, Y, epochs, show_every=1, batch_size=32, shuffle=True, val_split=0.1, val_x=None, val_y=None)"),
    ],
)
def test_signatures(method, signature):
    parameters = [parameter.replace(annotation=parameter.empty) for parameter in inspect.signature(method).parameters.values()]
    assert str(inspect.Signature(parameters)) == signature


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"opt": "rmsprop"}, r"Optimizer is not understood, use one of \['sgd', 'momentum', 'adam'\]"),
        ({"loss": "mae"}, r"Loss function is not understood, use one of \['mse', 'cse'\]"),
        ({"metrics": ["f1"]}, r"Metrics is not understood, use one of \['mse', 'accuracy', 'cse'\]"),
    ],
)
def test_compile_model_refuses_what_it_does_not_know(small, argument, message):
    with pytest.raises(ValueError, match=message):
        small.compile_model(**argument)


def test_compile_model_keeps_what_it_is_given(small):
    small.compile_model(lr=0.05, mr=0.7, opt="momentum", loss="cse", metrics=["accuracy"])
    assert (small.lr, small.mr, small.loss, small.metrics, small.iscompiled) == (0.05, 0.7, "cse", ["accuracy"], True)
    assert small.optimizer.settings == {"learning_rate": 0.05, "momentum": 0.7, "weight_decay": 0.0}
    small.compile_model(opt="momentum")  # the default stands for what the text's momentum always used
    assert small.optimizer.settings == {"learning_rate": 0.01, "momentum": 0.9, "weight_decay": 0.0}
    small.compile_model(lr=0.02, opt="adam")
    assert small.optimizer.learning_rate == 0.02


def test_check_trainnable(small):
    x, y = data()
    small.check_trainnable(x, y)
    with pytest.raises(ValueError, match="Length of training input and label is not equal"):
        small.check_trainnable(x, y[:-1])
    with pytest.raises(ValueError, match=r"'Input Layer' expects input of \(8, 8, 1\) while \(4, 16, 1\) is given"):
        small.check_trainnable(x.reshape(-1, 4, 16, 1), y)
    with pytest.raises(ValueError, match=r"'Out Layer\(FFL\)' expects input of 3 while 2 is given"):
        small.train(x, y[:, :2], epochs=1)
    with pytest.raises(ValueError, match="Model is not compiled"):
        CNN().train(x, y, epochs=1)


def test_add_refuses():
    m = CNN()
    m.add(Conv2d(input_shape=(4, 4, 1), padding=None, filters=2))
    with pytest.raises(ValueError, match="nothing would be left"):
        m.add(Conv2d(padding=None))
    with pytest.raises(ValueError, match=r"layers of jitcnn\.blog"):
        m.add("Conv2d")
    assert [layer.name for layer in m.layers] == ["Input Layer"]


def test_even_kernels_are_refused():
    m = CNN()
    m.add(Conv2d(input_shape=(8, 8, 1), kernel_size=(2, 2)))
    m.add(Flatten())
    m.add(FFL(neurons=3, activation="softmax"))
    m.compile_model()
    x, y = data()
    for run in (lambda: m.predict(x), lambda: m.feedforward(x[0]), lambda: m.train(x, y, epochs=1)):
        with pytest.raises(ValueError, match="odd length"):
            run()


def test_feedforward_is_predict(small):
    x, _ = data()
    np.testing.assert_allclose(small.feedforward(x[0], train=False), small.predict(x[0])[0], rtol=1e-5)
    dropped = small.feedforward(x[0])
    assert (small.layers[2].out != small.layers[2].input).any()
    assert dropped.shape == (3,) and dropped.sum() == pytest.approx(1, abs=1e-5)


def test_layers_hold_the_last_image(small):
    x, _ = data()
    out = small.predict(x)
    shapes = [(8, 8, 1), (6, 6, 2), (3, 3, 2), (3, 3, 2), (18,), (3,)]
    assert [(layer.input.shape, layer.out.shape) for layer in small.layers] == list(pairwise(shapes))
    np.testing.assert_array_equal(small.layers[-1].out, out[-1])
    np.testing.assert_allclose(small.layers[0].input, x[-1], rtol=1e-6)


def test_weights_written_from_outside_count(small):
    x, _ = data()
    small.predict(x)
    small.layers[-1].weights = np.zeros((18, 3))
    small.layers[-1].biases[...] = (0, np.log(2), 0)
    np.testing.assert_allclose(small.predict(x[0]), [[0.25, 0.5, 0.25]], rtol=1e-6)


def test_layers_keep_the_weights_they_were_given():
    weights, kernel = np.arange(108.0).reshape(36, 3), np.ones((3, 3, 1, 1))
    conv = Conv2d(input_shape=(8, 8, 1), padding=None, kernel=kernel)
    conv.apply_activation(np.ones((8, 8, 1)))
    m = CNN()
    m.add(conv)
    m.add(Flatten())
    m.add(FFL(neurons=3, weights=weights, bias=np.ones(3)))
    np.testing.assert_allclose(m.predict(np.ones((8, 8, 1)))[0], 9 * weights.sum(axis=0) + 1)


@pytest.mark.parametrize(
    ("loss", "activation"), [("mse", None), ("mse", "tanh"), ("mse", "softmax"), ("cse", "softmax"), ("cse", "sigmoid")]
)
def test_apply_loss(loss, activation):
    """`error` is minus the gradient of the loss, by central differences: of the output, or with cse of what goes into the activation."""
    m = CNN()
    m.add(FFL(4, 3, activation=activation))
    m.compile_model(loss=loss)
    y, soma = np.array([0, 1, 0]), np.random.default_rng(0).standard_normal(3)

    def out(soma):
        if loss == "mse":
            return soma
        return np.exp(soma) / np.exp(soma).sum() if activation == "softmax" else 1 / (1 + np.exp(-soma))

    error, value = m.apply_loss(y, out(soma))
    differences = [m.apply_loss(y, out(soma - 1e-6 * e))[1] - m.apply_loss(y, out(soma + 1e-6 * e))[1] for e in np.eye(3)]
    np.testing.assert_allclose(error, np.array(differences) / 2e-6, rtol=1e-6)
    expected = {
        "mse": lambda p: ((p - y) ** 2).mean(),
        "cse": lambda p: -np.log(p[1]) if activation == "softmax" else -np.log(np.where(y, p, 1 - p)).mean(),
    }[loss](out(soma))
    assert value == pytest.approx(expected) and value.mean() == value
    both = m.apply_loss(np.stack((y, y)), np.stack((out(soma), out(2 * soma))))
    assert both[0].shape == (2, 3) and both[1] == pytest.approx((value + m.apply_loss(y, out(2 * soma))[1]) / 2)


@pytest.mark.parametrize("opt", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize(("loss", "activation"), [("mse", "tanh"), ("mse", "softmax"), ("cse", "softmax"), ("cse", "sigmoid")])
def test_image_by_image_is_what_the_engine_does(opt, loss, activation):
    """The text's inner loop, with its `feedforward`, `apply_loss` and `backpropagate`, against `train`."""
    x, y = data(images=14)
    trained, by_hand = CNN(seed=3), CNN(seed=3)
    for m in (trained, by_hand):
        m.add(Conv2d(input_shape=(8, 8, 1), filters=2, activation="tanh"))
        m.add(Pool2d(kind="average"))
        m.add(Flatten())
        m.add(FFL(neurons=3, activation=activation))
        m.compile_model(lr=0.01, opt=opt, loss=loss)
    trained.train(x, y, epochs=1, batch_size=8, shuffle=False, val_split=0)
    for batch in (slice(0, 8), slice(8, 14)):
        for number, (image, label) in enumerate(zip(x[batch], y[batch], strict=True), 1):
            error, _ = by_hand.apply_loss(label, by_hand.feedforward(image))
            by_hand.backpropagate(error, update=number == len(x[batch]))
    for one, other in zip(trained.layers, by_hand.layers, strict=True):
        if one.parameters:
            np.testing.assert_allclose(one.weights, other.weights, atol=1e-5 if opt != "adam" else 1e-3)
            np.testing.assert_allclose(one.biases, other.biases, atol=1e-5 if opt != "adam" else 1e-3)
    assert not np.any(by_hand.layers[0].delta_weights)


def test_python_runs_uncompiled():
    """For a debugger: nothing of Numba is between the session and the loops."""
    m = CNN(seed=1, engine="python")
    m.add(Conv2d(input_shape=(4, 4, 1)))
    assert m.layers[0].engine == "python"
    x, _ = data(images=2)
    x = np.ascontiguousarray(x[:, :4, :4])
    np.testing.assert_allclose(m.predict(x)[1], m.feedforward(x[1]), atol=1e-6)


def test_measure(small):
    x, y = data()
    loss, accuracy = measure(small, x, y)
    out = small.predict(x).astype(np.float64)
    assert loss == pytest.approx(-np.log(out[y == 1]).mean(), rel=1e-5)
    assert accuracy == pytest.approx(100 * (out.argmax(axis=1) == y.argmax(axis=1)).mean())


def test_same_seed_same_weights():
    networks = [CNN(seed=seed) for seed in (5, 5, 6)]
    for m in networks:
        m.add(FFL(4, 3))
    first, second, third = (m.layers[0].weights for m in networks)
    assert (first == second).all() and (first != third).any()


def test_global_generator_is_left_alone(small):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    small.train(*data(), epochs=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
