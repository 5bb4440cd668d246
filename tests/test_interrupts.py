"""Ctrl-C at any moment of training, evaluating or predicting leaves a model that does all of it as if nothing had been."""

import copy
import os
import random
import signal
import time

import pytest

from jitcnn import Dense
from jitcnn.engine import Parameter
from jitcnn.kernels import program
from tests.training_process import VALIDATION, X, Y, net

SETTINGS = {"batch_size": 8, "augment": "light", "schedule": "cosine", "progress": False}


def train(model, epochs=1):
    model.train(X, Y, epochs=epochs, validation=VALIDATION, **SETTINGS)


def use(model):
    train(model)
    return model.digest(), model.evaluate(X, Y), model.predict(X).tobytes()


def check(model, where):
    """A copy makes all of its programs anew: what the model itself kept has to do the same."""
    twin = copy.deepcopy(model)
    assert twin.predict(X).tobytes() == model.predict(X).tobytes(), where
    assert set(map(len, model.history.values())) <= {model.epochs}, where
    assert use(model) == use(twin), where


ACTS = {"train": train, "evaluate": lambda model: model.evaluate(X, Y), "predict": lambda model: model.predict(X)}


@pytest.mark.parametrize(("act", "count"), [("train", 1), ("train", 2), ("train", 7), ("evaluate", 1), ("evaluate", 2), ("predict", 1)])
def test_while_arrays_are_exchanged(monkeypatch, act, count):
    """A program half of which names arrays of before, and half those of now, is not run."""
    model, point, calls = net(), program.point, iter(range(10**6))
    use(model)

    def interrupted(*arguments):
        if next(calls) == count:
            raise KeyboardInterrupt
        point(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(program, "point", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ACTS[act](model)
    check(model, count)


@pytest.mark.parametrize(
    ("owner", "name", "count"), [(Parameter, "view", 1), (Parameter, "bind", 1), (Parameter, "bind", 3), (Dense, "build", 0)]
)
def test_while_a_new_model_is_laid_out(monkeypatch, owner, name, count):
    """What was not built is built later, and no parameter is left with zeros instead of its first values."""
    model, original, calls = net(), getattr(owner, name), iter(range(10**6))

    def interrupted(*arguments):
        if next(calls) == count:
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.predict(X)
    assert use(model) == use(net())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_at_any_moment(figures):
    """300 interrupts at random moments, some of them while programs are made."""
    chance, model, start = random.Random(), net(), time.monotonic()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    places = set()
    try:
        for number in range(300):
            act = ACTS["evaluate" if number % 4 == 3 else "train"]
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, 0.05), 1)  # again: where memory is freed Python drops it
                while True:
                    act(model)
            except KeyboardInterrupt as interrupt:
                signal.setitimer(signal.ITIMER_REAL, 0)
                traceback = interrupt.__traceback__
                while traceback.tb_next is not None:
                    traceback = traceback.tb_next
                code = traceback.tb_frame.f_code
                places.add((code.co_filename, code.co_name))
            check(model, (number, code))
            if number % 10 == 9:
                model = net(seed=number)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    figures["interrupts"] = f"300 at random moments, in {len(places)} functions, {time.monotonic() - start:.0f} s"
