"""Callbacks that watch a metric: when they stop, save and lower the rate, what they remember, and what they refuse."""

import contextlib
import json

import numpy as np
import pytest

from jitcnn import CNN, Dense, load
from jitcnn.callbacks import BestCheckpoint, EarlyStopping, ReduceOnPlateau
from tests.interruption import Interrupt

X = np.random.default_rng(0).standard_normal((40, 3))
Y = X @ np.array([[1.0, -1.0], [0.5, 2.0], [0.0, 1.0]])


def model(rate=0.05):
    net = CNN([Dense(2, input_shape=3)], seed=1, engine="python")
    net.compile("sgd", rate, loss="mse", metrics=())
    return net


def epochs(callback, name, values, net=None):
    return [callback.on_epoch_end(net, epoch, {name: value}) for epoch, value in enumerate(values)]


def test_stops_after_epochs_without_a_better_value():
    assert epochs(EarlyStopping("loss", patience=2), "loss", [5, 4, 4, 3, 3.5, 3]) == [False] * 5 + [True]
    assert epochs(EarlyStopping("accuracy", patience=1), "accuracy", [0.5, 0.6, 0.6]) == [False, False, True]
    assert epochs(EarlyStopping("loss", patience=1, min_delta=0.5), "loss", [5, 4.4, 4]) == [False, False, True]
    assert epochs(EarlyStopping("loss", patience=2), "loss", [float("nan"), 3, float("nan"), float("nan")]) == [False] * 3 + [True]


class Worse:
    """Spoils the weights from an epoch on."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, epoch):
        if epoch >= self.epoch:
            net.parameters["dense1/weights"][...] += 10 * epoch


@pytest.mark.parametrize("restore_best", [False, True])
def test_training_ends_and_the_best_parameters_come_back(restore_best):
    net, twin = model(), model()
    stop = EarlyStopping("val_loss", patience=2, restore_best=restore_best)
    net.train(X, Y, epochs=20, validation=0.25, callbacks=[Worse(3), stop], progress=False)
    assert net.epochs == 5
    assert stop.best_epoch == 2
    assert stop.best == net.history["val_loss"][2] == min(net.history["val_loss"])
    twin.train(X, Y, epochs=3, validation=0.25, progress=False)
    assert (net.digest() == twin.digest()) == restore_best


@pytest.mark.parametrize("epoch", [1, 3, 4])
def test_the_best_parameters_survive_an_interruption(tmp_path, epoch):
    """The best epoch was before it, or comes after; also where training had stopped already and only its end is left."""

    def run(at=None, **settings):
        net, stop = model(), EarlyStopping("val_loss", patience=2, restore_best=True)
        with contextlib.suppress(KeyboardInterrupt):
            net.train(X, Y, epochs=20, validation=0.25, callbacks=[Worse(3), stop, Interrupt(at)], progress=False, **settings)
        return net, stop

    whole, stop = run()
    run(epoch, checkpoint=tmp_path)
    for _ in range(2):
        net, again = run(checkpoint=tmp_path, resume=True)
        assert (net.digest(), net.epochs, again.state()) == (whole.digest(), 5, stop.state())


def test_other_callbacks_than_before_are_refused(tmp_path):
    model().train(X, Y, epochs=1, callbacks=[EarlyStopping("loss", 3)], checkpoint=tmp_path, progress=False)
    with pytest.raises(
        ValueError, match="callbacks holds 0 that remember something, and held 1 in the run that goes on: give the same ones"
    ):
        model().train(X, Y, epochs=2, callbacks=[Worse(3)], checkpoint=tmp_path, resume=True, progress=False)


def test_callbacks_that_remember_nothing_come_and_go(tmp_path):
    stop = EarlyStopping("loss", 3)
    model().train(X, Y, epochs=1, callbacks=[Worse(3), stop], checkpoint=tmp_path, progress=False)
    net = model()
    net.train(X, Y, epochs=2, callbacks=[EarlyStopping("loss", 3)], checkpoint=tmp_path, resume=True, progress=False)
    assert net.epochs == 2


def test_arrays_in_a_state(tmp_path):
    class Keeps:
        def __init__(self, *values):
            self.values = dict(zip(("number", "array", "of zero size"), values, strict=False))

        def on_epoch_end(self, net, epoch, logs):
            pass

        def state(self):
            return self.values

        def restore(self, state):
            self.values = dict(state)

    keeps, again = Keeps(3, np.arange(6.0).reshape(2, 3), np.zeros((0, 2), np.int64)), Keeps()
    model().train(X, Y, epochs=1, callbacks=[Keeps(1), keeps], checkpoint=tmp_path, progress=False)
    model().train(X, Y, epochs=1, callbacks=[Keeps(), again], checkpoint=tmp_path, resume=True, progress=False)
    assert again.values["number"] == 3
    for name in ("array", "of zero size"):
        np.testing.assert_array_equal(again.values[name], keeps.values[name], strict=True)


def test_the_best_model_is_in_the_file(tmp_path):
    net, twin = model(), model()
    net.train(X, Y, epochs=6, callbacks=[Worse(3), BestCheckpoint(tmp_path / "best.json", "loss")], progress=False)
    twin.train(X, Y, epochs=3, progress=False)
    assert load(tmp_path / "best.json").digest() == twin.digest() != net.digest()


def test_the_rate_falls_on_a_plateau():
    net = model(0.4)
    callback, rates = ReduceOnPlateau("loss", factor=0.5, patience=2, min_rate=0.15), []
    for epoch, loss in enumerate([5, 4, 4, 4, 4, 4, 3, 3, 3, 2]):
        callback.on_epoch_end(net, epoch, {"loss": loss})
        rates.append(net.optimizer.learning_rate)
    assert rates == [0.4, 0.4, 0.4, 0.2, 0.2, 0.15, 0.15, 0.15, 0.15, 0.15]
    small = model(0.1)
    epochs(ReduceOnPlateau("loss", patience=1, min_rate=0.15), "loss", [1, 1, 1], small)
    assert small.optimizer.learning_rate == 0.1  # a rate below the limit is left alone


@pytest.mark.parametrize(
    "make", [lambda: EarlyStopping("loss", 2), lambda: BestCheckpoint("best.json", "loss"), lambda: ReduceOnPlateau("loss", patience=2)]
)
def test_goes_on_from_its_state(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole, first, second = make(), make(), make()
    values = [5, 4, 4.5, 4.2, 3, 3.1]
    nets = model(), model()
    expected = epochs(whole, "loss", values, nets[0])
    found = epochs(first, "loss", values[:3], nets[1])
    second.restore(json.loads(json.dumps(first.state())))
    found += [second.on_epoch_end(nets[1], epoch, {"loss": values[epoch]}) for epoch in range(3, 6)]
    assert found == expected
    assert second.state() == whole.state() == {"best": 3, "best_epoch": 4, "waited": 1}
    assert nets[0].optimizer.learning_rate == nets[1].optimizer.learning_rate


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping("f1"), "monitor is 'f1'"),
        (lambda: EarlyStopping(patience=0), "patience is 0, expected at least 1"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta is -1, expected a finite number of at least 0"),
        (lambda: ReduceOnPlateau(factor=1), "factor is 1, expected a number between 0 and 1"),
        (lambda: ReduceOnPlateau(min_rate=0), "min_rate is 0"),
        (lambda: EarlyStopping().restore({"best": 1}), "state has 'best', expected 'best', 'best_epoch' and 'waited'"),
        (lambda: EarlyStopping().restore({"best": "x", "best_epoch": 1, "waited": 0}), "best is 'x', expected a number"),
        (lambda: model().train(X, Y, epochs=1, callbacks=EarlyStopping(), progress=False), "'val_loss', and only loss are measured"),
    ],
)
def test_faults(make, message):
    with pytest.raises(ValueError, match=message):
        make()
