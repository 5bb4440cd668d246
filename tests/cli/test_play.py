"""`jitcnn play`."""

import http.client
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

from tests.cli.conftest import refused


def served(*arguments, **settings):
    """The process and the address that it printed."""
    code = "import sys; from jitcnn_cli.main import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "play", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )
    return process, urlsplit(process.stdout.readline().strip())


def test_serves_until_interrupted(trained, digits):
    process, address = served(trained, "--data", digits)
    try:
        assert address.hostname == "127.0.0.1"
        connection = http.client.HTTPConnection(address.netloc, timeout=20)
        connection.request("GET", address.path)
        assert b"<h1>jitcnn" in connection.getresponse().read()
        connection.request("POST", f"{address.path}about", "{}", {"Content-Type": "application/json"})
        assert b'"input_shape": [8, 8, 1]' in connection.getresponse().read()
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_model_and_a_preset(run, trained):
    assert "--preset" in refused(run("play", trained, "--preset", "deep"))


def test_a_file_that_is_no_model(run, tmp_path):
    (tmp_path / "broken.json").write_text("{}")
    assert "broken.json" in refused(run("play", "broken.json"))
    assert "missing.json" in refused(run("play", "missing.json"), 1 if os.name == "nt" else 2)


def test_data_that_does_not_fit(run, trained):
    assert "(28, 28, 1), and the model takes (8, 8, 1)" in refused(run("play", trained, "--data", "mnist"))


def test_out_is_a_model_file(run):
    assert ".npz" in refused(run("play", "--out", "model.txt"))


def test_a_port_that_is_taken(run, trained, digits):
    process, address = served(trained)
    try:
        assert "in use" in refused(run("play", trained, "--port", address.port), 1)
    finally:
        process.kill()
        process.communicate()
