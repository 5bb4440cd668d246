"""Training that is stopped and continued ends with the bits of training that never was."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jitcnn import CNN, Adam
from jitcnn.runs import Checkpointing, checkpointing
from jitcnn.storage.checkpoints import read_checkpoint
from tests.interruption import Stop, once_saved, stop
from tests.training_process import X, Y, net, state, train

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")


def interrupt(model, folder, monkeypatch, action, steps, **settings):
    """Train, and do something as soon as so many steps are saved."""
    with once_saved(monkeypatch, steps, action):
        train(model, folder, **settings)


def process(*arguments):
    command = [sys.executable, "-m", "tests.training_process", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def whole():
    """The state after four epochs in one go, by engine."""
    states = {}
    for engine in ("fast", "python"):
        model = net(engine)
        train(model, None)
        states[engine] = state(model)
    return states


@pytest.mark.parametrize("engine", ["fast", "python"])
@pytest.mark.parametrize("steps", [1, 6, 7, 8, 20])
def test_a_new_model_goes_on_to_the_same_bits(tmp_path, monkeypatch, whole, steps, engine):
    with pytest.raises(Stop):
        interrupt(net(engine), tmp_path, monkeypatch, stop, steps)
    model = net(engine)
    train(model, tmp_path, resume=True)
    assert state(model) == whole[engine]


def test_the_same_model_goes_on_too(tmp_path, monkeypatch, whole):
    model = net()
    with pytest.raises(Stop):
        interrupt(model, tmp_path, monkeypatch, stop, 10)
    train(model, tmp_path, resume=True)
    assert state(model) == whole["fast"]


def test_killed_at_any_moment(tmp_path, full, figures):
    """SIGKILL at random moments; every process goes on where the one before was killed, until a run is at its end."""
    random, whole, epochs = np.random.default_rng(), net(), 100 if full else 40
    train(whole, None, epochs=epochs)
    kills = runs = 0
    while kills < (200 if full else 5) or not runs:
        child = process(tmp_path / str(runs), epochs)
        assert child.stdout.readline() == "training\n"
        if kills < (200 if full else 5):
            time.sleep(random.uniform(0, 0.7))
            child.kill()
        output, errors = child.communicate()
        assert not errors
        if child.returncode == 0:
            assert output.splitlines()[-1] == str(state(whole))
            runs += 1
        else:
            kills += 1
    figures["kills"] = f"{kills}, in {runs} runs that came to their end"


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_killed_inside_a_write(tmp_path, whole, function):
    child = process(tmp_path, 4, function, 19)
    _, errors = child.communicate()
    assert (child.returncode, errors) == (-signal.SIGKILL, "")
    assert list(tmp_path.glob(".checkpoint.npz.*.tmp"))
    assert read_checkpoint(tmp_path / "checkpoint.npz").state["steps"] > 0
    model = net()
    train(model, tmp_path, resume=True)
    assert state(model) == whole["fast"]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


@posix
@pytest.mark.parametrize("steps", [3, 7, 12])
def test_signals_wait_for_the_end_of_a_step(tmp_path, monkeypatch, whole, steps):
    with pytest.raises(KeyboardInterrupt):
        interrupt(net(), tmp_path, monkeypatch, lambda: os.kill(os.getpid(), signal.SIGINT), steps)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert read_checkpoint(tmp_path / "checkpoint.npz").state["steps"] <= steps + 1
    model = net()
    train(model, tmp_path, resume=True)
    assert state(model) == whole["fast"]


@posix
def test_a_signal_during_validation(tmp_path, monkeypatch, whole):
    """The epoch's training is not done again, its validation is."""
    model = net()
    measure = checkpointing.Saver.measure

    def signalled(saver, arrays):
        os.kill(os.getpid(), signal.SIGTERM if model.epochs == 1 else 0)
        measure(saver, arrays)

    before = signal.signal(signal.SIGTERM, lambda *_: stop())
    monkeypatch.setattr(checkpointing.Saver, "measure", signalled)
    try:
        with pytest.raises(Stop):
            train(model, tmp_path)
    finally:
        signal.signal(signal.SIGTERM, before)
    monkeypatch.undo()
    saved = read_checkpoint(tmp_path / "checkpoint.npz").state
    assert (saved["steps"], saved["epoch"], saved["images"]) == (14, 1, len(X))
    again = net()
    train(again, tmp_path, resume=True)
    assert state(again) == whole["fast"]


@posix
def test_a_full_disk_keeps_the_last_good_state(tmp_path, monkeypatch, whole):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(OSError, match=r"so that training stopped; the last good checkpoint: after 1 epoch and \d+ images of the next"):
            interrupt(net(), tmp_path, monkeypatch, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1])), 9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
    model = net()
    train(model, tmp_path, resume=True)
    assert state(model) == whole["fast"]


def test_going_on_after_the_end(tmp_path):
    """With a constant rate, three epochs and then two more are five in one go."""
    model, parts = net(), net()
    train(model, None, epochs=5, schedule=None)
    train(net(), tmp_path, epochs=3, schedule=None)
    train(parts, tmp_path, epochs=5, resume=True, schedule=None)
    assert state(parts) == state(model)
    train(parts, tmp_path, epochs=5, resume=True, schedule=None)
    assert state(parts) == state(model)


def test_stopped_by_a_callback_is_finished(tmp_path):
    class Enough:
        def on_epoch_end(self, model, epoch, logs):
            return epoch == 1

    for resume in (False, True):
        model = net()
        model.train(X, Y, epochs=4, callbacks=[Enough()], checkpoint=tmp_path, resume=resume, progress=False)
        assert (model.epochs, len(model.history["loss"])) == (2, 2)


def test_what_diverged_is_not_saved(tmp_path):
    model = net()
    train(model, tmp_path, epochs=1)
    good = model.digest()
    for layer in model.layers:
        for value in layer.parameters.values():
            value[...] = np.nan
    with pytest.warns(RuntimeWarning, match="the loss became nan"):
        train(model, tmp_path, epochs=2, on_nan="ignore")
    again = net()
    train(again, tmp_path, epochs=1, resume=True)
    assert again.digest() == good


OTHER = {
    "batch size was 8 in that run, and is 4 now": {"batch_size": 4},
    "schedule was {'type': 'cosine'": {"schedule": "linear"},
    "augment was ": {"augment": None},
    "images was '52 of 52": {"validation": 0.5},
}


@pytest.mark.parametrize("message", OTHER)
def test_another_training_is_refused(tmp_path, message):
    train(net(), tmp_path, epochs=1)
    with pytest.raises(ValueError, match=f"checkpoint.npz: {message}"):
        train(net(), tmp_path, resume=True, **OTHER[message])


def test_another_model_is_refused(tmp_path):
    train(net(), tmp_path, epochs=1)
    with pytest.raises(ValueError, match="seed was 1 in that run, and is 2 now"):
        train(net(seed=2), tmp_path, resume=True)


def test_damage_is_noticed(tmp_path):
    train(net(), tmp_path, epochs=1)
    path = tmp_path / "checkpoint.npz"
    content = path.read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match=r"checkpoint\.npz"):
            train(net(), tmp_path, resume=True)
    path.write_bytes(content)
    whole = read_checkpoint(path)
    for place in np.random.default_rng(0).integers(0, len(content), 40):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with contextlib.suppress(ValueError):  # or a byte that zip files have and nobody reads, such as a date
            state, arrays = read_checkpoint(path)
            assert state == whole.state
            np.testing.assert_equal(arrays, whole.arrays)


def test_a_changed_number_is_noticed_by_the_digest(tmp_path):
    train(net(), tmp_path, epochs=1)
    path = tmp_path / "checkpoint.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["hyper"][0] *= 2
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="its digest is not that of what it holds"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resume": True}, "give checkpoint=FOLDER too"),
        ({"resume": "runs/x", "checkpoint": "x"}, "expected True or False"),
        ({"checkpoint": 3}, "expected a folder"),
    ],
)
def test_bad_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        net().train(X, Y, epochs=1, progress=False, **settings)


def test_bad_settings():
    with pytest.raises(ValueError, match="steps is 0"):
        Checkpointing("x", steps=0)
    with pytest.raises(ValueError, match="minutes is -1"):
        Checkpointing("x", minutes=-1)


def test_every_so_many_minutes(tmp_path, monkeypatch):
    """A clock that goes a minute a look: saved within epochs too."""
    clock = iter(range(0, 60_000, 60))
    monkeypatch.setattr(checkpointing.time, "monotonic", lambda: next(clock))
    places = []
    monkeypatch.setattr(checkpointing, "write_checkpoint", lambda path, saved: places.append(saved.state["images"]))
    model = CNN(net("python").layers[3:], seed=1, engine="python")
    model.compile(Adam(0.01))
    model.train(X, Y, epochs=1, batch_size=8, checkpoint=Checkpointing(tmp_path, minutes=2), progress=False)
    assert places[-1] == 0
    assert len(places) > 1
