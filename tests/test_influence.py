"""Influence of training images, against formulas, against steps of descent, and on labels that are wrong on purpose."""

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.influence import Influence, gradients, influence, self_influence, suspects

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 6, 6, 1))
Y = RNG.integers(0, 3, 20)


def linear(seed=1):
    model = CNN([Flatten(), Dense(3, activation="softmax")], seed=seed, dtype="float64")
    model.compile("sgd", 0.1)
    model.check_images(X)
    return model


def deep():
    layers = [Conv2d(3, activation="tanh"), Dropout(0.4), Pool2d(kind="average"), Flatten(), Dense(3, activation="softmax")]
    model = CNN(layers, seed=1, dtype="float64", normalize="per-image")
    model.compile("sgd", 0.1)
    model.check_images(X)
    return model


def errors(model):
    """p - y of every image, by NumPy."""
    return model.predict(X) - np.eye(3)[Y]


def test_of_one_dense_layer_by_its_formula():
    """grad = (x, 1) times (p - y), so that products of gradients are (x . x' + 1) * (e . e')."""
    model, rows = linear(), X.reshape(len(X), -1)
    e = errors(model)
    np.testing.assert_allclose(self_influence(model, X, Y), ((rows**2).sum(axis=1) + 1) * (e**2).sum(axis=1), rtol=1e-10)
    image = RNG.standard_normal((6, 6, 1))
    p = model.predict(image)
    for label, wanted in ((None, int(p.argmax())), (2, 2)):
        found = influence(model, X, Y, image, label)
        assert found.label == wanted
        np.testing.assert_allclose(found.scores, (rows @ image.ravel() + 1) * (e @ (p - np.eye(3)[wanted])), atol=1e-12)


def test_several_models_count_by_their_rates():
    one, other = linear(), linear(seed=2)
    rates = [0.3, 0.1]
    each = [influence(model, X, Y, X[3], 1).scores for model in (one, other)]
    np.testing.assert_allclose(influence([one, other], X, Y, X[3], 1, rates=rates).scores, 0.75 * each[0] + 0.25 * each[1], rtol=1e-12)
    each = [self_influence(model, X, Y) for model in (one, other)]
    np.testing.assert_allclose(self_influence([one, other], X, Y), (each[0] + each[1]) / 2, rtol=1e-12)


def test_a_step_on_an_image_changes_the_other_ones_loss_by_so_much():
    model = deep()
    scores = influence(model, X[:4], Y[:4], X[9], int(Y[9])).scores
    for number, gradient in enumerate(gradients(model, X[:4], Y[:4])):
        start, direction, losses = model.graph.values.copy(), gradient.copy(), []
        for h in (1e-5, -1e-5):
            model.graph.values[...] = start + h * direction
            losses.append(model.evaluate(X[9:10], Y[9:10])["loss"])
        model.graph.values[...] = start
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(scores[number], rel=1e-6, abs=1e-9)


def test_the_engines_agree_and_the_model_stays():
    model = deep()
    digest, scores = model.digest(), self_influence(model, X, Y)
    assert model.digest() == digest and model.steps[0] == 0
    assert np.array_equal(scores, self_influence(model, X, Y))
    model.threads = 1
    assert np.array_equal(scores, self_influence(model, X, Y))
    model.engine = "python"
    np.testing.assert_allclose(self_influence(model, X[:3], Y[:3]), scores[:3], rtol=1e-9)


def test_labels_that_are_wrong_on_purpose_come_first():
    labels = np.arange(160) % 4
    images = RNG.integers(0, 90, (160, 8, 8, 1)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] += 120
    wrong = RNG.choice(160, 8, replace=False)
    given = labels.copy()
    given[wrong] = (given[wrong] + RNG.integers(1, 4, 8)) % 4
    model = CNN([Conv2d(3, activation="relu"), Pool2d(), Flatten(), Dense(4, activation="softmax")], seed=1, normalize="per-image")
    model.compile("adam", 0.01)
    model.train(images, given, epochs=4, batch_size=8, progress=False)
    assert set(suspects(self_influence(model, images, given), 8)) == set(wrong)
    # whoever asks why an image is of its true class finds that a wrong label among its likes speaks against it
    bad = int(wrong[0])
    found = influence(model, images, given, images[bad], int(labels[bad]))
    assert found.scores[bad] < 0 and bad in found.speaking_against(3)
    assert all(given[number] == labels[bad] for number in found.speaking_for(5))


def test_the_strongest_are_those_of_the_right_sign():
    found = Influence(np.array([0.5, -2.0, 0.0, 3.0]), 1)
    assert list(found.speaking_for(10)) == [3, 0] and list(found.speaking_against(10)) == [1]
    assert list(found.speaking_for(1)) == [3]


def test_one_output():
    model = CNN([Flatten(), Dense(1, activation="sigmoid")], seed=1, dtype="float64")
    model.compile("sgd", 0.1)
    labels = Y % 2
    scores = self_influence(model, X, labels)
    e = model.predict(X)[:, 0] - labels
    np.testing.assert_allclose(scores, ((X.reshape(20, -1) ** 2).sum(axis=1) + 1) * e**2, rtol=1e-10)
    assert influence(model, X, labels, X[0]).label == int(model.predict(X[0])[0] > 0.5)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: influence([], X, Y, X[0]), "models is empty"),
        (lambda: influence(linear(), X, Y, X[0], 3), "label is 3, and the model has 3 classes, from 0 to 2"),
        (lambda: influence(linear(), X, Y, X[0], -1), "label"),
        (lambda: influence(linear(), X, Y, X[:2]), "image"),
        (lambda: influence(linear(), X, Y[:3], X[0]), "20 images and y has 3 labels"),
        (lambda: self_influence(linear(), X, Y, rates=[1, 2]), "rates has 2 numbers, and there are 1 models"),
        (lambda: self_influence(linear(), X, Y, rates=[-1]), "rates is -1, expected a finite number of at least 0"),
        (lambda: self_influence(linear(), X, Y, rates=[0]), "rates are all 0"),
        (lambda: self_influence(CNN([Flatten(), Dense(3)]), X, Y), "call model.compile"),
    ],
)
def test_wrong_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()
