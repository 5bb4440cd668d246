"""A process forked while another thread trains, predicts or compiles: what works there works, and the rest says why; nothing hangs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORKS = """
import os, signal, sys, threading
import numpy as np
from jitcnn import kernels
from tests.training_process import X, Y, net

busy = sys.argv[1]
model, other = net(), net()
expected = other.predict(X).tobytes()
model.predict(X), model.train(X, Y, epochs=1, progress=False)
go_on, begun = True, threading.Event()


def work():
    channels = 0
    while go_on:
        begun.set()
        channels += 1
        if busy == "train":
            model.train(X, Y, epochs=2, progress=False)
        elif busy == "predict":
            model.predict(X)
        elif busy == "kernel":
            kernels.relu(X.astype(np.float32))
        else:  # a lock that a fork waits for would be had for seconds otherwise
            kernels.conv2d(np.ones((1, 8, 8, channels), np.float32), np.ones((3, 3, channels, 8), np.float32))


def child(attempt):
    signal.alarm(900)
    answers = []
    for call in (lambda: model.predict(X), lambda: model.train(X, Y, epochs=1, progress=False), lambda: kernels.relu(X.astype(np.float32))):
        try:
            call()
            answers.append("worked")
        except RuntimeError as error:
            answers.append("refused" if "forked while another thread worked" in str(error) and "spawn" in str(error) else str(error))
    answers.append("same" if other.predict(X).tobytes() == expected else "differs")
    print(*answers, flush=True)
    os._exit(0)


thread = threading.Thread(target=work)
thread.start()
begun.wait()
for attempt in range(int(sys.argv[2])):
    if not (pid := os.fork()):
        child(attempt)
    if status := os.waitpid(pid, 0)[1]:
        print("ended with", status, flush=True)
go_on = False
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks of POSIX")
@pytest.mark.parametrize("busy", ["train", "predict", "kernel", "compile"])
def test_a_fork_beside_a_busy_thread(busy, full):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, "-c", FORKS, busy, str(100 if full else 8)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200)
    assert (done.returncode, done.stderr) == (0, "")
    answers = set(done.stdout.splitlines())
    assert answers <= {"worked worked worked same", "worked refused worked same", "refused refused worked same"}
    assert "worked worked worked same" in answers if busy != "train" else "worked refused worked same" in answers
