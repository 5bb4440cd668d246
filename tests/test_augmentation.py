"""Augmentation by name and by settings, and in training: the same in every engine, and only there."""

import dataclasses

import numpy as np
import pytest

from jitcnn import CNN, Augmentation, Conv2d, Dense, Flatten, initializers, kernels
from jitcnn.augmentation import NAMES, PRESETS, USUAL, Augmenter, as_augmentation
from jitcnn.forms.augment import LIMITS

RNG = np.random.default_rng(4)
IMAGES, KINDS = RNG.integers(0, 256, (40, 9, 8, 1)).astype(np.uint8), RNG.integers(0, 3, 40)


def test_every_setting_has_a_limit_and_a_usual_value():
    assert NAMES == tuple(LIMITS) == tuple(USUAL)


def test_presets():
    assert list(PRESETS) == ["none", "light", "digits", "photos"]
    assert not PRESETS["none"] and all(PRESETS[name] for name in ("light", "digits", "photos"))
    assert PRESETS["digits"].flip == PRESETS["light"].flip == 0 and PRESETS["photos"].flip == 0.5


def test_parsing():
    assert Augmentation.parse("none") == Augmentation()
    assert Augmentation.parse("photos, flip=0,erase") == dataclasses.replace(PRESETS["photos"], flip=0, erase=USUAL["erase"])
    assert Augmentation.parse("shift=0.25,rotate") == Augmentation(shift=0.25, rotate=USUAL["rotate"])
    for augmentation in (*PRESETS.values(), Augmentation(shift=1 / 3, rotate=100, noise=1e-7)):
        assert Augmentation.parse(str(augmentation)) == augmentation
        assert Augmentation.from_dict(augmentation.to_dict()) == augmentation


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ("digit", "augment has 'digit', expected one of none, light, digits, photos, or of the settings shift, "),
        ("light,photos", "augment has 'photos'"),
        ("", "augment has ''"),
        ("rotate=x", "augment: rotate is 'x', expected a number"),
        ("rotate=nan", "augment: rotate is nan, expected a number from 0 to 180 degrees"),
        ("mixup=0.6", "mixup is 0.6, expected a number from 0 to 0.5"),
        ({"turn": 3}, "augment has 'turn'"),
        ({"flip": True}, "flip is True, expected"),
        ({"shift": -0.1}, "shift is -0.1, expected a number from 0 to 1"),
        (3, "augment is 3, expected one of 'none'"),
    ],
)
def test_what_is_refused(augment, message):
    with pytest.raises(ValueError, match=message):
        as_augmentation(augment)


def network(**settings):
    model = CNN(
        [Conv2d(3, activation="relu", input_shape=(9, 8, 1)), Flatten(), Dense(3, activation="softmax")],
        seed=6,
        normalize="per-image",
        **settings,
    )
    model.compile("momentum", 0.01)
    return model


def trained(augment, epochs=2, batch_size=8, loss="cross_entropy", **settings):
    model = network(**settings)
    model.compile("momentum", 0.01, loss=loss)
    model.train(IMAGES[:24], KINDS[:24], epochs=epochs, batch_size=batch_size, augment=augment, progress=False)
    return model


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_engines_agree(loss):
    models = [trained("photos,noise,mixup", engine=engine, dtype="float64", loss=loss) for engine in ("python", "loops", "fast")]
    for model in models[1:]:
        for name, array in models[0].parameters.items():
            np.testing.assert_allclose(model.parameters[name], array, rtol=0, atol=1e-9)
        assert model.history["loss"] == pytest.approx(models[0].history["loss"], rel=1e-9)
        assert model.history["accuracy"] == models[0].history["accuracy"]


def test_the_same_bits_again_and_on_any_threads_and_other_bits_without():
    digests = {trained("digits,mixup", threads=threads).digest() for threads in (1, 2, 2)}
    assert len(digests) == 1
    assert trained(None).digest() == trained("none").digest() not in digests


def test_one_training_in_two_calls_sees_the_same_images():
    model = trained("digits", epochs=1)
    model.train(IMAGES[:24], KINDS[:24], epochs=1, batch_size=8, augment="digits", progress=False)
    assert model.digest() == trained("digits", epochs=2).digest()


def test_only_what_is_trained_on_is_augmented():
    model, plain = trained("digits"), network()
    before = model.evaluate(IMAGES, KINDS)
    for name, array in model.parameters.items():
        plain.parameters[name][...] = array
    assert plain.evaluate(IMAGES, KINDS) == before
    np.testing.assert_array_equal(model.predict(IMAGES), plain.predict(IMAGES))
    history = network().train(IMAGES, KINDS, epochs=1, augment="photos", validation=(IMAGES, KINDS), progress=False)
    assert history["val_loss"][0] != history["loss"][0]


def test_a_step_learns_from_the_images_that_the_kernel_gives():
    """The loss of a first step is that of the untrained network on images augmented beforehand."""
    model = trained("photos,mixup", epochs=1, batch_size=24, dtype="float64")
    key, augmentation = Augmenter(model.seed).key, Augmentation.parse("photos,mixup")
    order = initializers.generator(6, 0, initializers.SHUFFLE).permutation(24)
    images = kernels.augment_images(IMAGES[:24], order, seed=key, epoch=0, dtype="float64", **augmentation.to_dict())
    targets = kernels.mix_labels(KINDS[:24], order, seed=key, epoch=0, mixup=augmentation.mixup, classes=3, dtype="float64")
    assert (targets.max(axis=1) < 1).any()
    loss = -np.mean(np.sum(targets * np.log(network(dtype="float64").predict(images)), axis=1))
    assert model.history["loss"][0] == pytest.approx(loss, rel=1e-9)


def test_rows_of_features_are_refused():
    model = CNN([Dense(3, activation="softmax")], seed=1)
    model.compile()
    with pytest.raises(ValueError, match=r"augment is for images, \(rows, columns, channels\), and x is \(40, 72\): leave augment out"):
        model.train(IMAGES.reshape(40, -1), KINDS, epochs=1, augment="light", progress=False)
