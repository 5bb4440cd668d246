"""The playground under pressure: slow, idle and many clients, a thousand requests, defects, and fuzzers; nothing falls over."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitcnn.play.security import MOST_CONNECTIONS
from tests.play.conftest import Client, serving
from tests.play.raw_requests import post, raw, short_error


@pytest.fixture
def quick(playground):
    """A server that waits for a fifth of a second."""
    with serving(playground, seconds=0.2) as server:
        yield Client(server)


@pytest.mark.parametrize("start", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_slow_clients_are_left(quick, start):
    """Also those that send a byte now and then."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", quick.server.gate.port), timeout=0.05) as connection:
        connection.sendall(start)
        while True:
            assert time.monotonic() - started < 60
            try:
                if not connection.recv(100):
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            with suppress(ConnectionError):
                connection.sendall(b"x" if start else b"")


def test_a_body_that_never_comes(quick):
    assert raw(quick, post(quick, Content_Length=1000)) == b""


def test_many_idle_connections_keep_nobody_out_for_long(quick):
    idle = [socket.create_connection(("127.0.0.1", quick.server.gate.port), timeout=20) for _ in range(MOST_CONNECTIONS + 5)]
    try:
        time.sleep(0.6)
        assert quick.ask("about")["classes"]
    finally:
        for connection in idle:
            connection.close()


def test_too_many_connections_are_told_so(playground):
    with serving(playground, seconds=5) as server:
        idle = [socket.create_connection(("127.0.0.1", server.gate.port), timeout=5) for _ in range(MOST_CONNECTIONS + 1)]
        try:
            assert idle[-1].recv(100).startswith(b"HTTP/1.1 503")
        finally:
            for connection in idle:
                connection.close()


def test_a_thousand_requests(client, image):
    """By several clients at once, all of them right."""
    wanted = client.ask("look", image=image)["outputs"]
    wrong = []

    def work():
        for _ in range(125):
            if client.ask("look", image=image)["outputs"] != wanted:
                wrong.append(1)

    before = threading.active_count()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    time.sleep(0.1)
    assert threading.active_count() <= before + 2


class Broken:
    def answers(self):
        return {"broken": self.broken}

    def broken(self, payload):
        raise KeyError("/secret/path")


def test_a_defect_is_one_line(capfd):
    with serving(Broken()) as server:
        status, body = Client(server).post("broken", {})
    assert (status, body) == (500, b"KeyError: '/secret/path'\n")
    assert capfd.readouterr().err == "jitcnn play: KeyError: '/secret/path'\n"


# Fuzzers

NUMBER = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=60)
@given(data=st.one_of(st.binary(max_size=200), st.from_regex(rb"\A(GET|POST) /[ -~]{0,40} HTTP/1.[01]\r\n([ -~]{0,30}\r\n){0,4}\r\n\Z")))
def test_any_bytes(client, data):
    """Whatever comes is refused, or its connection closed, and the server lives on."""
    with socket.create_connection(("127.0.0.1", client.server.gate.port), timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    if answer:
        short_error(answer, 400, 403, 411, 413, 414, 417, 431, 501, 505)


@settings(max_examples=40)
@given(data=st.data())
def test_any_json(client, playground, image, data):
    """Every question with right and wrong fields: an answer or a line that says what is wrong."""
    name = data.draw(st.sampled_from(sorted(set(playground.answers()) - UNFUZZED)))
    fields = sorted(
        {"image", "shape", "dtype", "data", "number", "label", "layer", "index", "parameter", "output", "what", "action", "since", "side"}
    )
    payload = {field: data.draw(st.one_of(st.just(image), VALUE), label=field) for field in data.draw(st.sets(st.sampled_from(fields)))}
    status, body = client.post(name, json.loads(json.dumps(payload)))
    assert status in (200, 400), (name, payload, body)
    assert status == 200 or (body.count(b"\n") == 1 and b"Traceback" not in body)


UNFUZZED = {"train", "save"}  # a fuzzer that trains would change the model that other tests look at; it has one of its own


@settings(max_examples=30)
@given(data=st.binary(max_size=300))
def test_any_picture(client, data):
    status, body = client.post("picture", data)
    assert status == 400, body
    assert body.count(b"\n") == 1
