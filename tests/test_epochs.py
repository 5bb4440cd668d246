"""Epochs: order of images, validation, callbacks, interruption, and what is left behind."""

import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from jitcnn import CNN
from jitcnn.engine import session
from tests.small_network import X, Y, net


@pytest.fixture
def passes(monkeypatch):
    """(training or not, the order of images) of every pass."""
    seen = []
    run_all = session.Session.run_all

    def spy(self, *arguments):
        seen.append((self.program.training, self.data.order.copy()))
        run_all(self, *arguments)

    monkeypatch.setattr(session.Session, "run_all", spy)
    return seen


def test_shuffling(passes):
    def orders(seed, epochs, shuffle):
        passes.clear()
        net(seed=seed).train(X, Y, epochs=epochs, shuffle=shuffle, progress=False)
        return [order for _, order in passes]

    first, second = orders(1, 2, True)
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)
    assert np.array_equal(orders(1, 1, True)[0], first)
    assert not np.array_equal(orders(2, 1, True)[0], first)
    assert np.array_equal(orders(1, 1, False)[0], np.arange(50))


def test_validation_share_is_disjoint_and_the_same_in_every_call(passes):
    model = net()
    model.train(X, Y, epochs=2, validation=0.2, progress=False)
    model.train(X, Y, epochs=1, validation=0.2, progress=False)
    trained = [order for training, order in passes if training]
    measured = [order for training, order in passes if not training]
    assert (len(trained), len(measured)) == (3, 3)
    held_out = measured[0]
    assert len(held_out) == 10
    assert all(np.array_equal(order, held_out) for order in measured)
    assert all(sorted([*order, *held_out]) == list(range(50)) for order in trained)
    shares = np.bincount(Y[held_out], minlength=3) / np.bincount(Y, minlength=3)
    assert np.allclose(shares, 0.2, atol=0.06)


def test_validation_on_other_images():
    model = net()
    history = model.train(X[:30], Y[:30], epochs=1, validation=(X[30:].astype(np.float64), np.eye(3)[Y[30:]]), progress=False)
    measured = model.evaluate(X[30:], Y[30:])
    assert history["val_loss"][0] == pytest.approx(measured["loss"], rel=1e-5)
    assert history["val_accuracy"][0] == measured["accuracy"]


class Recorder:
    def __init__(self):
        self.calls = []

    def on_train_begin(self, model):
        self.calls.append("train")

    def on_epoch_begin(self, model, epoch):
        self.calls.append(epoch)

    def on_epoch_end(self, model, epoch, logs):
        self.calls.append((epoch, sorted(logs), len(model.history["loss"])))
        return epoch == 1

    def on_train_end(self, model):
        self.calls.append("end")


def test_callbacks():
    recorder = Recorder()
    model = net()
    model.train(X, Y, epochs=5, callbacks=[recorder], progress=False)
    names = ["accuracy", "loss", "rate", "seconds"]
    assert recorder.calls == ["train", 0, (0, names, 1), 1, (1, names, 2), "end"]
    model.train(X, Y, epochs=1, callbacks=recorder, progress=False)
    assert recorder.calls[-3:] == [2, (2, names, 3), "end"]
    with pytest.raises(ValueError, match="callbacks holds a int without any of the methods on_train_begin"):
        model.train(X, Y, epochs=1, callbacks=[3], progress=False)


def test_callbacks_may_use_the_model():
    class Busy:
        def on_epoch_end(self, model, epoch, logs):
            model.evaluate(X[:7], Y[:7])
            model.predict(X[:3])
            model.layers[0](X[:2])
            CNN([model.layers[0]], engine="python").parameters  # noqa: B018 (takes the layer's memory along)

    model, twin = net(), net()
    for each, callbacks in ((model, [Busy()]), (twin, [])):
        each.train(X, Y, epochs=3, validation=0.2, callbacks=callbacks, progress=False)
    assert model.history["val_loss"] == twin.history["val_loss"]
    assert model.digest() == twin.digest()


def test_ctrl_c_leaves_a_usable_model():
    model, twin = net(), net()

    class Interrupt(Recorder):
        def on_epoch_begin(self, model, epoch):
            if epoch == 1:
                raise KeyboardInterrupt

    interrupt = Interrupt()
    with pytest.raises(KeyboardInterrupt):
        model.train(X, Y, epochs=3, callbacks=[interrupt], progress=False)
    assert interrupt.calls[-1] == "end"
    twin.train(X, Y, epochs=1, progress=False)
    assert model.digest() == twin.digest()
    assert len(model.history["loss"]) == 1
    model.train(X, Y, epochs=1, progress=False)
    twin.train(X, Y, epochs=1, progress=False)
    assert model.digest() == twin.digest()


def test_ctrl_c_within_an_epoch(monkeypatch):
    model = net()
    model.train(X, Y, epochs=1, batch_size=2, progress=False)
    calls = iter(range(100))

    def interrupted(first, steps, batch=None, run=None):
        if next(calls) == 1:
            raise KeyboardInterrupt
        run(first, steps, batch)

    for each in model._get_trainer().sessions.values():
        monkeypatch.setattr(each, "program", SimpleNamespace(
            run=lambda *arguments, run=each.program.run: interrupted(*arguments, run=run),
            bind=each.program.bind, prepare=each.program.prepare,
        ))  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        model.train(X, Y, epochs=1, batch_size=2, progress=False)
    assert len(model.history["loss"]) == 1
    assert model.evaluate(X, Y)["loss"] > 0
    model.train(X, Y, epochs=1, batch_size=2, progress=False)
    assert len(model.history["loss"]) == 2


def test_nobodys_data_are_kept():
    model = net()
    x = X.copy()
    model.train(x, Y, epochs=1, validation=0.2, progress=False)
    model.predict(x)
    sessions = [*model._get_trainer().sessions.values(), *(each.session for each in model._sessions.values())]
    assert all(array.size < x.size or not np.shares_memory(array, x) for each in sessions for array in vars(each.data).values())


def test_in_another_thread():
    model, twin = net(), net()
    thread = threading.Thread(target=model.train, args=(X, Y), kwargs={"epochs": 1, "progress": False})
    thread.start()
    thread.join()
    twin.train(X, Y, epochs=1, progress=False)
    assert model.digest() == twin.digest()


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net().train(X, Y, epochs=1, progress=False)
