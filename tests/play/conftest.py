"""What the playground's tests share: a served playground, its endpoints as functions, and one browser for all."""

import http.client
import json
import os
import shutil
import struct
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from selenium import webdriver

from jitcnn.data import load
from jitcnn.play.images import encode
from jitcnn.play.playground import Playground
from jitcnn.play.server import Server
from jitcnn.presets import PRESETS

GET_CHROMIUM = "apt-get install chromium chromium-driver"


@pytest.fixture(scope="session")
def digits():
    return load("mnist", train_limit=320, test_limit=100)


def new_model(name, dataset):
    """A preset's network, untrained, on digits as `jitcnn play` makes it."""
    model = PRESETS[name].build(seed=1)
    model.preparation = replace(model.preparation, resize="digit", invert="auto", classes=tuple(dataset.classes))
    return model


@contextmanager
def serving(playground, **settings):
    """A server of it, in a thread."""
    with Server(playground.answers(), **settings) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Client:
    """Asks a server as the page does."""

    def __init__(self, server):
        self.server = server
        self.host = f"127.0.0.1:{server.gate.port}"

    def request(self, method, path, body=None, headers=None):
        """(status, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post(self, name, payload, headers=None):
        """(status, body) of a question with this payload."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        kind = "application/octet-stream" if isinstance(payload, bytes) else "application/json"
        return self.request("POST", f"/{self.server.gate.token}/{name}", data, {"Content-Type": kind, **(headers or {})})

    def ask(self, question, **payload):
        """The answer to a question, a dict; of packed numbers the header, with the arrays under `numbers` and `weights_numbers`."""
        status, body = self.post(question, payload)
        assert status == 200, body
        return json.loads(body) if body.startswith(b"{") else unpack(body)

    def refused(self, question, **payload):
        """The line of a question that is the client's fault."""
        status, body = self.post(question, payload)
        assert status == 400, body
        return body.decode()


def unpack(body):
    (length,) = struct.unpack("<I", body[:4])
    header = json.loads(body[4 : 4 + length])
    numbers = np.frombuffer(body[4 + length :], "<f4")
    for layer in header["layers"]:
        for part in ("", "weights_"):
            if f"{part}sent" in layer:
                shape = layer[f"{part}sent"]
                layer[f"{part}numbers"] = numbers[: np.prod(shape, dtype=int)].reshape(shape)
                numbers = numbers[np.prod(shape, dtype=int) :]
    assert not len(numbers)
    return header


@pytest.fixture(scope="session")
def playground(digits):
    found = Playground(new_model("conv-pool", digits), digits)
    yield found
    found.close()


@pytest.fixture(scope="session")
def client(playground):
    with serving(playground) as server:
        yield Client(server)


@pytest.fixture(scope="session")
def image(digits):
    """A test image as the page sends it."""
    return encode(digits.x_test[0])


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium, one for all tests; without it they are skipped, but not in CI."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs Chromium: {GET_CHROMIUM}")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield found
    finally:
        found.quit()
