"""A step of a training done once more: the same bits, and what adds up to them."""

import copy

import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Dropout, Flatten, Pool2d
from jitcnn.callbacks import ReduceOnPlateau
from jitcnn.replay import find_weight, replay
from jitcnn.runs import Checkpointing
from tests.interruption import Stop, once_saved
from tests.training_process import X, Y, net

SETTINGS = {"epochs": 3, "batch_size": 8, "schedule": "cosine", "augment": "light", "validation": (X[:20], Y[:20]), "progress": False}
STEPS = 7  # an epoch: 52 images in steps of 8, the last one of 4


class Begun:
    def __init__(self):
        self.epochs = []

    def on_epoch_begin(self, model, epoch):
        self.epochs.append(epoch)


def stopped_after(model, step, folder, monkeypatch, **settings):
    """The model of a training that ends after a step."""
    with once_saved(monkeypatch, step), pytest.raises(Stop):
        model.train(X, Y, checkpoint=Checkpointing(folder, steps=1), **{**SETTINGS, **settings})
    return model


def same(left, right):
    return all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("step", [1, 2, 7, 8, 13, 21])
def test_its_update_is_that_of_a_training_stopped_after_it(tmp_path, monkeypatch, step):
    model = stopped_after(net(), step, tmp_path, monkeypatch)
    found = replay(net(), X, Y, step=step, **SETTINGS)
    assert same(found.after, model.parameters)
    assert (found.step, found.epoch) == (step, 1 + (step - 1) // STEPS)
    assert not same(found.before, found.after)


def test_the_eager_engine_too(tmp_path, monkeypatch):
    model = stopped_after(net("python"), 9, tmp_path, monkeypatch)
    found = replay(net("python"), X, Y, step=9, **SETTINGS)
    assert same(found.after, model.parameters)
    assert not same(found.after, replay(net(), X, Y, step=9, **SETTINGS).after)  # other sums: nothing is copied from anywhere


def test_from_a_checkpoint_as_from_the_start(tmp_path, monkeypatch):
    stopped_after(net(), 10, tmp_path, monkeypatch)
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    before = replay(net(), X, Y, step=16, why="conv1[1,1,0,2]", **SETTINGS)
    begun = Begun()
    found = replay(net(), X, Y, step=16, why="conv1[1,1,0,2]", checkpoint=tmp_path, callbacks=[begun], **SETTINGS)
    assert begun.epochs == [2]  # the checkpoint is within epoch 1
    assert same(found.after, before.after) and same(found.gradient, before.gradient)
    assert np.array_equal(found.losses, before.losses) and np.array_equal(found.earlier, before.earlier)
    assert np.array_equal(found.weight.by_image, before.weight.by_image)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept  # nothing is written
    early = replay(net(), X, Y, step=4, checkpoint=tmp_path, **SETTINGS)  # before the checkpoint: from the start
    assert same(early.after, replay(net(), X, Y, step=4, **SETTINGS).after)
    with pytest.raises(ValueError, match=r"checkpoint.npz: seed was 1 in that run, and is 2 now"):
        replay(net(seed=2), X, Y, step=16, checkpoint=tmp_path, **SETTINGS)


def test_the_batch():
    """Without augmentation and shuffling, everything about the batch is known."""
    settings = {**SETTINGS, "augment": None, "shuffle": False}
    found = replay(net(), X, Y, step=STEPS + 2, **settings)
    assert np.array_equal(found.images, np.arange(8, 16)) and np.array_equal(found.labels, Y[8:16])
    pixels = X[8:16].astype(np.float64)
    axes = (1, 2, 3)
    expected = (pixels - pixels.mean(axes, keepdims=True)) / pixels.std(axes, keepdims=True)
    np.testing.assert_allclose(found.x, expected, atol=1e-5)
    assert len(found.earlier) == 8
    shuffled = replay(net(), X, Y, step=STEPS + 2, **{**settings, "shuffle": True})
    assert len(set(shuffled.images)) == 8 and np.array_equal(shuffled.labels, Y[shuffled.images])
    assert not np.array_equal(shuffled.images, found.images)
    augmented = replay(net(), X, Y, step=STEPS + 2, **{**settings, "augment": "light"})
    assert np.array_equal(augmented.images, found.images) and not np.array_equal(augmented.x, found.x)


def small(dtype="float64", **settings):
    layers = [Conv2d(3, activation="tanh"), Dropout(0.4), Pool2d(kind="average"), Flatten(), Dense(3, activation="softmax")]
    model = CNN(layers, seed=5, dtype=dtype, normalize="per-image")
    model.compile(**{"optimizer": "momentum", "learning_rate": 0.05, **settings})
    return model


def test_masks_and_losses_by_numpy():
    """The losses that a forward pass in NumPy gives, with the masks that were found."""
    found = replay(small(), X, Y, step=3, epochs=1, batch_size=8, progress=False)
    (mask,) = found.masks.values()
    assert mask.shape == (8, 6, 6, 3) and 0.5 < mask.mean() < 0.7
    kernel, bias, weights, offset = found.before.values()
    windows = np.lib.stride_tricks.sliding_window_view(found.x, (3, 3), axis=(1, 2))
    y = np.tanh(np.einsum("nrcikl,klio->nrco", windows, kernel) + bias) * mask / 0.6
    pooled = y.reshape(8, 3, 2, 3, 2, 3).mean(axis=(2, 4)).reshape(8, -1)
    logits = pooled @ weights + offset
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(8), found.labels]
    np.testing.assert_allclose(found.losses, losses, rtol=1e-6)
    assert np.array_equal(found.predictions, logits.argmax(axis=1))
    assert found.loss == pytest.approx(losses.mean())
    assert list(found.worst) == list(np.argsort(-losses))


@pytest.mark.parametrize("why", ["conv1[0,1,0,2]", "conv1/bias[1]", "dense1[4, -1]"])
def test_gradients_of_images_add_up_to_the_batchs_and_to_central_differences(why):
    settings = {"epochs": 1, "batch_size": 8, "progress": False}
    model = small()
    found = replay(model, X, Y, step=1, why=why, **settings)
    name = found.weight.name
    assert found.weight.by_image.sum() == pytest.approx(found.weight.gradient, rel=1e-12)
    assert found.weight.gradient == found.gradient[name.parameter][name.index]
    h, losses = 1e-5, []
    for shift in (h, -h):
        moved = small()
        moved.check_images(X)
        moved.parameters[name.parameter][name.index] += shift
        losses.append(replay(moved, X, Y, step=1, **settings).losses)
    measured = (losses[0] - losses[1]) / (2 * h)
    np.testing.assert_allclose(found.weight.by_image, measured / 8, atol=1e-9, rtol=1e-7)
    # momentum's first update is -rate * gradient
    assert found.weight.after - found.weight.before == pytest.approx(-0.05 * found.weight.gradient, rel=1e-9)
    assert found.weight.states[0][0] == 0 and found.weight.states[0][1] == pytest.approx(found.weight.gradient, rel=1e-9)
    assert np.array_equal(model.parameters[name.parameter], found.before[name.parameter])  # the model stays as it is


def test_lengths_are_those_of_images_alone():
    """In a batch of two the first image's gradient is known once the other's and the sum are: |a| from the parts."""
    settings = {"epochs": 1, "batch_size": 2, "progress": False, "shuffle": False}
    weights = np.ones(len(X))
    pair = replay(small("float64"), X, Y, step=1, **settings)
    weights[1] = 0
    alone = replay(small("float64"), X, Y, step=1, sample_weight=weights, **settings)
    total = np.sqrt(sum((array**2).sum() for array in alone.gradient.values()))
    assert pair.lengths[0] == pytest.approx(total, rel=1e-9)
    assert alone.lengths[1] == 0 and alone.lengths[0] == pytest.approx(total, rel=1e-12)


def test_clipped_gradients():
    settings = {"epochs": 1, "batch_size": 8, "progress": False, "why": "dense1/bias[0]"}
    free = replay(small(), X, Y, step=1, **settings)
    clipped = replay(small(clip_norm=0.01), X, Y, step=1, **settings)
    length = np.sqrt(sum((array**2).sum() for array in free.gradient.values()))
    assert free.clipping == 1 and clipped.clipping == pytest.approx(0.01 / length, rel=1e-4)
    assert clipped.weight.gradient == free.weight.gradient
    assert clipped.weight.taken == pytest.approx(free.weight.gradient * clipped.clipping, rel=1e-9)


def test_a_callback_that_lowers_the_rate_is_done_again_too(tmp_path, monkeypatch):
    settings = {"schedule": None}

    def lower():
        return [ReduceOnPlateau("loss", patience=1, factor=0.1, min_delta=100)]

    model = stopped_after(net(), 20, tmp_path, monkeypatch, callbacks=lower(), **settings)
    found = replay(net(), X, Y, step=20, **{**SETTINGS, **settings}, callbacks=lower())
    assert found.optimizer["name"] == "adam" and found.optimizer["learning_rate"] < 0.005
    assert same(found.after, model.parameters)


def test_what_is_refused():
    with pytest.raises(ValueError, match="step is 22, and the training has 21"):
        replay(net(), X, Y, step=22, **SETTINGS)
    with pytest.raises(ValueError, match="step"):
        replay(net(), X, Y, step=0, **SETTINGS)
    trained = net()
    trained.train(X, Y, epochs=1, batch_size=8, progress=False)
    with pytest.raises(ValueError, match="step is 3, and the model has done 7 already"):
        replay(trained, X, Y, step=3, **SETTINGS)
    fresh = copy.deepcopy(trained)
    assert replay(fresh, X, Y, step=9, **SETTINGS).epoch == 2  # goes on where the model is
    with pytest.raises(ValueError, match="replay needs an optimizer and a loss"):
        replay(CNN([Flatten(), Dense(3, activation="softmax")]), X, Y, step=1, **SETTINGS)


SHAPES = {"conv1/weights": (3, 3, 1, 4), "conv1/bias": (4,), "own1/beta": (2,)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv1/weights[0,0,0,3]", "conv1/weights[0,0,0,3]"),
        ("conv1[2, 2, 0, -1]", "conv1/weights[2,2,0,3]"),
        (" conv1/bias[-4] ", "conv1/bias[0]"),
        ("own1[1]", "own1/beta[1]"),
    ],
)
def test_names_of_weights(text, expected):
    assert str(find_weight(SHAPES, text)) == expected


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("conv1", r"expected a parameter and an index, such as conv1/weights\[0,0,0,0\]"),
        ("conv2[0,0,0,0]", "the model's parameters are conv1/weights, conv1/bias, own1/beta; conv1 was perhaps meant"),
        ("conv1[0,0,0]", "conv1/weights is 3 x 3 x 1 x 4: give 4 numbers in brackets"),
        ("conv1[3,0,0,0]", "conv1/weights is 3 x 3 x 1 x 4: number 1 goes from 0 to 2"),
        ("conv1/bias[-5]", "number 1 goes from 0 to 3"),
        ("conv1/bias[x]", r"\[x\] is no index"),
        ("conv1/bias[]", r"\[\] is no index"),
        ("", "expected a parameter and an index"),
    ],
)
def test_names_of_no_weight(text, match):
    with pytest.raises(ValueError, match=match):
        find_weight(SHAPES, text)
