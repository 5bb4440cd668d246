"""normalize="dataset": mean and deviation of each channel, measured once, and used the same way everywhere."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten, gradcheck, load, statistics
from jitcnn.convert import convert
from jitcnn.preparation import Preparation
from jitcnn.statistics import channel_statistics
from tests.interruption import Interrupt

RNG = np.random.default_rng(11)
PIXELS, Y = RNG.integers(0, 256, (40, 6, 5, 3)).astype(np.uint8), np.arange(40) % 3
PIXELS[..., 1] //= 4
ENGINES = ("python", "loops", "fast")


def net(engine="fast", **settings):
    model = CNN([Conv2d(3, activation="relu"), Flatten(), Dense(3, activation="softmax")], seed=2, engine=engine, **settings)
    model.compile("adam", 0.01)
    return model


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(40, 6, 5, 3), (60, 60)])
def test_numpys_mean_and_deviation(monkeypatch, dtype, shape):
    images = (PIXELS if shape[1:] == (6, 5, 3) else np.resize(PIXELS, shape)).astype(dtype)
    order = RNG.permutation(len(images))[:31]
    chosen = images[order].astype(np.float64).reshape(-1, shape[3] if len(shape) == 4 else 1)
    mean, deviation = channel_statistics(images, order)
    np.testing.assert_allclose(mean, chosen.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(deviation, chosen.std(axis=0), rtol=1e-13)
    assert channel_statistics(images, order[::-1].copy()) == (mean, deviation)
    monkeypatch.setattr(statistics, "PART", 200)
    other = channel_statistics(images, order)
    np.testing.assert_allclose(other, (mean, deviation), rtol=0 if dtype == np.uint8 else 1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_channel_of_one_colour_has_a_deviation_of_1(dtype):
    images = PIXELS.astype(dtype)
    images[..., 2] = 77
    mean, deviation = channel_statistics(images, np.arange(40))
    assert (mean[2], deviation[2]) == (77, 1) and min(deviation) > 0


def test_bytes_are_summed_without_rounding():
    images = np.full((30_000, 8, 8, 1), 255, np.uint8)
    images[7, 3, 3] = 254
    ((mean,), (deviation,)) = channel_statistics(images, np.arange(30_000))
    count = 30_000 * 64
    assert mean == (255 * count - 1) / count
    assert deviation == pytest.approx(np.sqrt((count - 1) / count**2), rel=1e-15)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("augment", [None, "light"])
def test_training_measuring_and_predicting_are_those_on_standardised_images(engine, augment):
    """The same as a model without normalization on images that NumPy standardised; brightness is changed before, so not with it."""
    model = net(engine, normalize="dataset", dtype="float64")
    history = model.train(PIXELS, Y, epochs=2, validation=0.25, augment=augment, progress=False)
    trained_on, _ = model._split(0.25, Y, 40)
    flat = PIXELS[trained_on].reshape(-1, 3).astype(float)
    np.testing.assert_allclose(model.preparation.mean, flat.mean(axis=0))
    if augment:
        return
    twin = net(engine, dtype="float64")
    images = (PIXELS - flat.mean(axis=0)) / flat.std(axis=0)
    expected = twin.train(images, Y, epochs=2, validation=0.25, progress=False)
    for name in ("loss", "val_loss"):
        assert history[name] == pytest.approx(expected[name], rel=1e-9)
    np.testing.assert_allclose(model.predict(PIXELS), twin.predict(images), rtol=1e-9)
    assert model.evaluate(PIXELS, Y)["loss"] == pytest.approx(twin.evaluate(images, Y)["loss"], rel=1e-9)


def test_every_way_gives_the_first_layer_the_same_bits(tmp_path):
    """Training, evaluation and prediction in every engine, a stored model, and the Python file: what a Flatten passes on."""
    expected, found = None, {}
    for engine in ENGINES:
        model = CNN([Flatten(), Dense(3, activation="softmax")], seed=2, engine=engine, normalize="dataset")
        model.compile("sgd", 0.0001)
        model.train(PIXELS, Y, epochs=1, progress=False)
        found[engine] = model.layer_outputs(PIXELS)["flatten1"][1]
        expected = model
    assert expected is not None
    for suffix in ("json", "npz"):
        expected.save(tmp_path / f"model.{suffix}")
        again = load(tmp_path / f"model.{suffix}")
        assert again.preparation == expected.preparation
        found[suffix] = again.layer_outputs(PIXELS)["flatten1"][1]
    convert(expected, tmp_path / "model.py")
    specification = importlib.util.spec_from_file_location("converted", tmp_path / "model.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    how = expected.preparation
    found["py"] = module.standardize_channels(PIXELS, mean=how.mean, deviation=how.deviation).astype(np.float32).reshape(40, -1)
    plain = ((PIXELS.astype(np.float64) - how.mean) / how.deviation).astype(np.float32).reshape(40, -1)
    for way, array in found.items():
        assert array.tobytes() == plain.tobytes(), way
    prepared = expected.prepare(PIXELS[5])
    assert expected.layer_outputs(prepared)["flatten1"][1].tobytes() == plain[5].tobytes()
    np.testing.assert_allclose(module.predict(PIXELS), expected.predict(PIXELS), atol=1e-6)


def test_it_is_measured_once():
    model = net(normalize="dataset")
    model.train(PIXELS[:20], Y[:20], epochs=1, progress=False)
    first = model.preparation
    model.train(PIXELS[20:] // 2, Y[20:], epochs=1, progress=False)
    assert model.preparation == first and first.mean is not None
    given = net(normalize="dataset")
    given.preparation = Preparation(normalize="dataset", mean=(1, 2, 3), deviation=(4, 5, 6))
    given.train(PIXELS, Y, epochs=1, progress=False)
    assert given.preparation.mean == (1, 2, 3)


def test_resumed_with_the_same_statistics(tmp_path):
    whole, model = net(normalize="dataset"), net(normalize="dataset")
    whole.train(PIXELS, Y, epochs=2, progress=False)
    with pytest.raises(KeyboardInterrupt):
        net(normalize="dataset").train(PIXELS, Y, epochs=2, checkpoint=tmp_path, callbacks=[Interrupt(1)], progress=False)
    model.train(PIXELS, Y, epochs=2, checkpoint=tmp_path, resume=True, callbacks=[Interrupt()], progress=False)
    assert model.digest() == whole.digest()
    with pytest.raises(ValueError, match="normalize was"):
        net(normalize="dataset").train(PIXELS // 2, Y, epochs=2, checkpoint=tmp_path, resume=True, callbacks=[Interrupt()], progress=False)


def test_gradient_check_and_any_threads():
    digests = set()
    for threads in (1, 2):
        model = net(normalize="dataset", threads=threads)
        model.train(PIXELS, Y, epochs=1, progress=False)
        digests.add(model.digest())
    assert len(digests) == 1
    assert gradcheck(model, PIXELS[:3], Y[:3]).ok


def test_what_is_not_measured_yet_and_what_does_not_fit():
    model = net(normalize="dataset")
    for act in (lambda: model.predict(PIXELS), lambda: model.evaluate(PIXELS, Y)):
        with pytest.raises(ValueError, match="normalize is 'dataset', whose mean and deviation are measured when the model is trained"):
            act()
    for settings, message in [
        ({"mean": (1,)}, "one of mean and deviation is missing"),
        ({"mean": (1, 2), "deviation": (1, 2), "channels": 3}, "mean has 2 numbers and deviation 2, expected one for each of 3 channels"),
        ({"mean": (1,), "deviation": (0,)}, "deviation is 0, expected a finite number above 0"),
        ({"mean": (np.inf,), "deviation": (1,)}, "mean is inf, expected a finite number"),
    ]:
        with pytest.raises(ValueError, match=message):
            Preparation(normalize="dataset", **settings)
    measured = Preparation(normalize="dataset", mean=(1,), deviation=(2,))
    assert replace(measured, normalize="per-image") == Preparation(normalize="per-image")
    assert Preparation.from_dict(measured.to_dict()) == measured
