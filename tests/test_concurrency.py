"""Processes that share a cache, a cache that goes in the middle, and threads that share a model."""

import copy
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jitcnn import CNN
from jitcnn.kernels import compiling
from tests.training_process import X, Y, net, state, train

ROOT = Path(__file__).parents[1]
BREAKING = """
import resource, shutil, signal, sys
from jitcnn.kernels import compiling
from tests.training_process import X, Y, net

mode = sys.argv[1]


class Break:
    def on_epoch_end(self, model, epoch, logs):
        if mode == "deleted":
            shutil.rmtree(compiling.cache_folder(), ignore_errors=True)
        elif mode == "full":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


model = net()
model.train(X, Y, epochs=2, batch_size=8, callbacks=[Break()], progress=False)
model.compile("sgd")  # whose kernel is not in memory yet
model.train(X, Y, epochs=2, batch_size=8, progress=False)
print(model.digest())
"""


def start(*arguments, cache):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JITCNN_CACHE_DIR": str(cache)}
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    output, errors = process.communicate(timeout=600)
    assert (process.returncode, errors) == (0, "")
    return output.splitlines()[-1]


@pytest.fixture(scope="module")
def together(tmp_path_factory, pytestconfig):
    """What two processes print that train at once and compile the same kernels, some or with --full all; their cache."""
    folder = tmp_path_factory.mktemp("together")
    train(net(), None)
    if not pytestconfig.getoption("--full"):
        shutil.copytree(compiling.cache_folder(), folder / "cache" / compiling.digest())
        for path in [*folder.rglob("dropout*"), *folder.rglob("update*")]:
            path.unlink()
    processes = [start("-m", "tests.training_process", folder / name, 4, cache=folder / "cache") for name in ("a", "b")]
    return [finish(process) for process in processes], folder / "cache"


def test_two_processes_on_one_cache(together):
    alone = net()
    train(alone, None)
    assert together[0] == [str(state(alone))] * 2


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_cache_that_goes_in_the_middle_of_training(together, tmp_path):
    processes = []
    for mode in ("nothing", "deleted", "full"):
        shutil.copytree(together[1], tmp_path / mode)
        processes.append(start("-c", BREAKING, mode, cache=tmp_path / mode))
    assert len(set(map(finish, processes))) == 1


def in_threads(*functions):
    """Call them at once, each in a thread; what they returned, or the exceptions."""
    answers, gate = [None] * len(functions), threading.Barrier(len(functions))

    def call(number):
        gate.wait()
        try:
            answers[number] = functions[number]()
        except Exception as error:
            answers[number] = error

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_threads_predict_with_a_new_model():
    """Its parameters are placed, and its programs made, once."""
    right = net().predict(X).tobytes()
    for _ in range(10):
        model = CNN([type(layer)(**layer.describe()) for layer in net().layers], seed=1, normalize="per-image")
        assert in_threads(*[lambda model=model: model.predict(X).tobytes()] * 4) == [right] * 4


def test_one_thread_at_a_time_trains_a_model():
    model, twin, others = net(), net(), []

    class Meanwhile:
        def on_epoch_end(self, model, epoch, logs):
            model.evaluate(X, Y)  # in the thread that trains
            others.extend(in_threads(lambda: model.train(X, Y, epochs=1, progress=False), lambda: model.evaluate(X, Y)))
            assert in_threads(lambda: model.predict(X).tobytes()) == [model.predict(X).tobytes()]

    model.train(X, Y, epochs=2, callbacks=[Meanwhile()], progress=False)
    assert len(others) == 4
    assert all(isinstance(error, RuntimeError) and "another thread trains or evaluates this model" in str(error) for error in others)
    twin.train(X, Y, epochs=2, progress=False)
    assert model.digest() == twin.digest()
    answers = in_threads(*[copy.deepcopy(model).digest] * 2, lambda: model.evaluate(X, Y))
    assert answers == [model.digest()] * 2 + [twin.evaluate(X, Y)]
