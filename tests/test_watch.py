"""NaN and infinity: training stops at the very step and says where they came from, or leaves the step out; what went before stays."""

import warnings

import numpy as np
import pytest

from jitcnn import CNN, SGD, Adam, Conv2d, Dense, Flatten, Momentum, Pool2d, watch
from jitcnn.engine import session
from jitcnn.layers import Layer
from jitcnn.runs import Checkpointing
from tests.interruption import Interrupt, Stop, once_saved

RNG = np.random.default_rng(7)
ENGINES = ("python", "loops", "fast")
X, Y = RNG.normal(size=(28, 6, 6, 1)).astype(np.float32), np.arange(28) % 3
each_engine = pytest.mark.parametrize("engine", ENGINES)


class Poison(Layer):
    """Passes numbers on, but for those of the first image, which it spoils in some steps, on the way forward or back."""

    def __init__(self, steps=(), forward=True, value=np.nan, **settings):
        super().__init__(**settings)
        self.steps, self.spoils_forward, self.value = steps, forward, value

    def build(self, input_shape):
        return input_shape

    def spoiled(self, x, y, step_number, spoils):
        y[...] = x
        if spoils and step_number[0] in self.steps:
            y[0] = self.value

    def forward(self, step, x):
        y = step.buffer(x.shape)
        number = step.step_number if step.training else np.zeros(1, np.int64)
        step.call(lambda x, y, number: self.spoiled(x, y, number, self.spoils_forward), x, y, number)

        def backward(grad_y):
            grad_x = step.gradient_buffer(x)
            step.call(lambda g, grad, number: self.spoiled(g, grad, number, not self.spoils_forward), grad_y, grad_x, number)
            return grad_x

        return y, backward


def net(engine="fast", optimizer=None, layers=None, **poison):
    middle = [Poison(**poison)] if poison else []
    layers = layers or [Conv2d(2, activation="relu"), *middle, Flatten(), Dense(3, activation="softmax")]
    model = CNN(layers, seed=3, engine=engine, threads=1)
    model.compile(optimizer or Momentum(0.05))
    return model


def train(model, x=X, y=Y, **settings):
    return model.train(x, y, **{"epochs": 2, "batch_size": 8, "shuffle": False, "progress": False} | settings)


def state(model):
    return [model.digest(), [buffer.tobytes() for buffer in model.optimizer.buffers], int(model.steps[0])]


@each_engine
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("forward", [True, False])
def test_stops_at_the_step_and_says_where(engine, value, forward):
    """Step 7 is the third of the second epoch: an epoch has four, the last with four images."""
    model, twin = (net(engine, steps=steps, forward=forward, value=value) for steps in ((7,), ()))
    kind, where = (
        "NaN" if np.isnan(value) else "infinity",
        f"the {'output' if forward else 'gradient with respect to the input'} of poison1",
    )
    message = rf"^{kind} in {where} at step 7 \(epoch 2, images 16 to 23\): training stopped with the weights from before it; lower"
    with pytest.raises(FloatingPointError, match=message):
        train(model)
    train(twin, epochs=1)
    train(twin, X[:16], Y[:16], epochs=1)
    assert state(model) == state(twin)
    assert len(model.history["loss"]) == model.epochs == 1
    model.layers[1].steps = ()
    assert np.isfinite(train(model, epochs=1)["loss"]).all()


@each_engine
@pytest.mark.parametrize("forward", [True, False])
def test_skip_leaves_the_update_out(engine, forward):
    model, twin = net(engine, steps=(2, 8), forward=forward), net(engine, steps=())
    with pytest.warns(RuntimeWarning, match="at step 2 .*its update is left out; further ones are only counted") as told:
        history = train(model, on_nan="skip")
    assert len(told) == 1
    kept = np.r_[0:8, 16:28]
    first = [train(twin, X[part], Y[part], epochs=1)["loss"][-1] for part in (slice(0, 8), slice(16, 28))]
    train(twin, X[:24], Y[:24], epochs=1)
    assert state(model)[:2] == state(twin)[:2]
    assert history["skipped"] == [1, 1] and model.steps[0] == 8
    assert history["loss"][0] == pytest.approx((8 * first[0] + 12 * first[1]) / len(kept), rel=1e-6)
    assert 0 < history["accuracy"][0] < 1 and history["loss"][1] == pytest.approx(twin.history["loss"][-1], rel=1e-6)


def test_the_last_smaller_step_is_watched_too():
    with pytest.raises(FloatingPointError, match=r"poison1 at step 4 \(epoch 1, images 24 to 27\)"):
        train(net(steps=(4,)))


@pytest.mark.parametrize("on_nan", ["stop", "skip"])
def test_how_often_copies_are_kept_and_how_long_chunks_are_changes_nothing(monkeypatch, on_nan):
    """Also a gradient that is found late, by what became of the parameters."""
    states = set()
    for patience, seconds in ((0, 0), (0, 10), (np.inf, 0), (np.inf, 10)):
        monkeypatch.setattr(watch, "PATIENCE", patience)
        monkeypatch.setattr(session, "CHUNK_SECONDS", seconds)
        model = net(optimizer=Adam(0.01), steps=(3, 6), forward=False)
        with warnings.catch_warnings(record=True) as told:
            try:
                train(model, batch_size=4, on_nan=on_nan)
                text = str(told[0].message)
            except FloatingPointError as error:
                text = str(error)
        states.add((str(state(model)), text.partition(":")[0]))
    assert len(states) == 1
    assert states.pop()[1] == "NaN in the gradient with respect to the input of poison1 at step 3 (epoch 1, images 8 to 11)"


@each_engine
def test_a_rate_far_too_large_is_told_by_the_layer(engine):
    layers = [Conv2d(3, activation="relu"), Conv2d(2), Pool2d(), Flatten(), Dense(3)]
    model = CNN(layers, seed=1, engine=engine)
    model.compile(SGD(1e12), loss="mse", metrics=())
    with pytest.raises(FloatingPointError, match=r"^(NaN|infinity) in .*(conv1|conv2|dense1).* at step \d+ \(epoch 1"):
        train(model, X * 1e3, batch_size=2)
    assert all(np.isfinite(array).all() for array in model.parameters.values())


def test_an_update_that_overflows_is_told():
    model = CNN([Flatten(), Dense(3)], seed=1, engine="python")
    model.compile(SGD(1e38), loss="mse", metrics=())
    with pytest.raises(FloatingPointError, match=r"^infinity in dense1/weights, after an update with a finite gradient at step 1 "):
        train(model, X * 1e3)


@each_engine
def test_weights_that_were_no_numbers_before(engine):
    model = net(engine)
    model.graph.take_input_shape((6, 6, 1))
    model.parameters["dense1/weights"][3, 1] = np.nan
    with pytest.raises(FloatingPointError, match=r"^NaN in dense1/weights, before the step at step 1 "):
        train(model)


def test_images_that_overflow():
    model = CNN([Flatten(), Dense(3, activation="softmax")], seed=1, engine="python")
    model.compile()
    with pytest.raises(FloatingPointError, match=r"^infinity in the images, prepared for the first layer at step 2 "):
        train(model, np.where(np.arange(28)[:, None, None, None] == 9, 1e300, X.astype(np.float64)))


def test_ignore_goes_on_and_warns():
    model = net(steps=(2,))
    with pytest.warns(RuntimeWarning, match="the loss became nan in epoch 1"):
        history = train(model, epochs=1, on_nan="ignore")
    assert np.isnan(history["loss"][0]) and model.steps[0] == 4


def test_an_epoch_of_which_nothing_is_left():
    model = net(steps=range(5, 9))
    with pytest.warns(RuntimeWarning), pytest.raises(FloatingPointError, match="every step of epoch 2 was skipped: lower learning_rate"):
        train(model, on_nan="skip")
    assert model.epochs == 1 and np.isfinite(model.history["loss"]).all()


def test_the_last_good_checkpoint_is_kept_and_training_goes_on_from_it(tmp_path):
    """Stopped at step 7; resumed with "skip", it ends as a run that skipped from the start."""
    whole = net(steps=(3, 7))
    with pytest.warns(RuntimeWarning):
        train(whole, on_nan="skip")
    with pytest.warns(RuntimeWarning), pytest.raises(KeyboardInterrupt):
        train(net(steps=(3, 7)), checkpoint=tmp_path, on_nan="skip", callbacks=[Interrupt(1)])
    with pytest.raises(FloatingPointError, match="at step 7 "):
        train(net(steps=(3, 7)), checkpoint=tmp_path, resume=True, callbacks=[Interrupt()])
    model = net(steps=(3, 7))
    with pytest.warns(RuntimeWarning):
        train(model, checkpoint=tmp_path, resume=True, on_nan="skip", callbacks=[Interrupt()])
    assert state(model) == state(whole) and model.history["loss"] == whole.history["loss"]
    assert model.history["skipped"] == [1, 1]


def test_skipped_steps_within_an_epoch_survive_a_checkpoint(tmp_path, monkeypatch):
    whole = net(steps=(2,))
    with pytest.warns(RuntimeWarning):
        train(whole, on_nan="skip")
    with once_saved(monkeypatch, 3), pytest.warns(RuntimeWarning), pytest.raises(Stop):
        train(net(steps=(2,)), on_nan="skip", checkpoint=Checkpointing(tmp_path, steps=1))
    model = net(steps=(2,))
    train(model, on_nan="skip", checkpoint=Checkpointing(tmp_path, steps=1), resume=True)
    assert state(model) == state(whole) and model.history["loss"] == whole.history["loss"]


def test_watching_changes_no_bit():
    digests = set()
    for on_nan in ("stop", "skip", "ignore"):
        model = net(optimizer=Adam(0.01))
        train(model, on_nan=on_nan, shuffle=True)
        digests.add((model.digest(), tuple(model.history["loss"])))
    assert len(digests) == 1


def test_a_wrong_word():
    with pytest.raises(ValueError, match="on_nan is 'raise', expected one of 'stop', 'skip', 'ignore'"):
        train(net(), on_nan="raise")


@each_engine
@pytest.mark.parametrize(("last", "loss"), [("softmax", "cross_entropy"), ("sigmoid", "cross_entropy"), ("tanh", "mse")])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_logits_of_ten_thousand_overflow_nowhere(engine, last, loss, smoothing):
    """Right and wrong by 1e4: probabilities of exactly 0 and 1, losses of 1e4 or 0, and gradients that are finite."""
    if smoothing and last != "softmax":
        return
    model = CNN([Dense(3, activation=last, input_shape=3)], seed=1, engine=engine)
    model.compile("sgd", 1e-3, loss=loss, label_smoothing=smoothing)
    model.parameters["dense1/weights"][...] = 1e4 * (2 * np.eye(3) - 1)
    model.parameters["dense1/bias"][...] = 0
    x, y = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]], np.array([0, 1, 2, 1])
    np.testing.assert_array_equal(model.predict(x), x if last != "tanh" else 2 * x - 1)
    wrong = {"softmax": 2e4 * (1 - smoothing / 3), "sigmoid": 2e4 / 3, "tanh": 6 / 3}[last]
    right = {"softmax": 4e4 * smoothing / 3, "sigmoid": 0, "tanh": 2 / 3}[last]
    assert model.evaluate(x, y)["loss"] == pytest.approx((3 * right + wrong) / 4, rel=1e-5)
    assert model.evaluate(x, y)["accuracy"] == 0.75
    history = model.train(x, y, epochs=1, progress=False)
    assert history["loss"][0] == pytest.approx((3 * right + wrong) / 4, rel=1e-5)
    assert all(np.isfinite(array).all() for array in model.parameters.values())
