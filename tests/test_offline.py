"""No socket is opened by import, train, eval, predict or summary."""

import subprocess
import sys

WATCH = """
import sys

def watch(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname":
        print("opened", event, arguments, file=sys.stderr)
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(watch)
"""

COMMANDS = """
from click.testing import CliRunner
from jitcnn_cli.main import main

def command(*arguments):
    result = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output

command("train", "--preset", "single-conv", "--train-limit", "64", "--val-limit", "32", "--epochs", "1", "--out", "model.json")
command("eval", "model.json")
command("summary", "model.json")
command("summary", "--preset", "deep")
"""

MODEL = """
import jitcnn
from jitcnn.data import mnist

(x, y), (x_test, y_test) = mnist.load()
model = jitcnn.CNN([jitcnn.Conv2d(2, input_shape=(28, 28, 1)), jitcnn.Flatten(), jitcnn.Dense(10, activation="softmax")])
model.compile()
model.summary()
model.train(x[:64], y[:64], epochs=1)
model.predict(x_test[:3])
model.evaluate(x_test[:32], y_test[:32])
"""


def run(script, folder):
    done = subprocess.run([sys.executable, "-c", WATCH + script], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "opened" not in done.stderr, done.stderr


def test_watch_sees_a_socket(tmp_path):
    done = subprocess.run([sys.executable, "-c", WATCH + "import socket; socket.socket()"], capture_output=True, text=True)
    assert done.returncode != 0 and "opened socket.__new__" in done.stderr


def test_commands_open_no_socket(tmp_path):
    run(COMMANDS, tmp_path)


def test_model_opens_no_socket(tmp_path):
    run(MODEL, tmp_path)
