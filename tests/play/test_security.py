"""Nobody is let in: other hosts and pages, missing tokens, malformed and oversized requests, paths."""

import pytest

from jitcnn.play.security import MOST_BODY, MOST_URL
from tests.play.conftest import serving
from tests.play.raw_requests import head, post, raw, short_error


def test_only_this_machine(client):
    assert client.server.server_address[0] == "127.0.0.1"
    assert client.server.url == f"http://{client.host}/{client.server.gate.token}/"


def test_the_token_is_drawn_and_long(client, playground):
    with serving(playground) as other:
        assert other.gate.token != client.server.gate.token
        assert len(other.gate.token) >= 32


def test_the_page_has_all_that_keeps_others_out(client):
    answer = raw(client, head(client)).decode()
    assert answer.startswith("HTTP/1.1 200")
    policy = next(line for line in answer.splitlines() if line.startswith("Content-Security-Policy"))
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "http" not in policy.partition(":")[2]
    for header in ("X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Cross-Origin-Resource-Policy: same-origin"):
        assert header in answer


def test_localhost_is_this_machine_too(client):
    host = f"localhost:{client.server.gate.port}"
    assert raw(client, head(client, Host=host, Origin=f"http://{host}")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1", "127.0.0.1:1", "localhost", "127.0.0.2:{port}", "localhost:{port}.example.org", ""]
)
def test_other_hosts(client, host):
    assert "Host" in short_error(raw(client, head(client, Host=host.format(port=client.server.gate.port))), 403)


def test_no_host_or_two(client):
    start = head(client).partition(b"\r\n")[0]
    short_error(raw(client, start + b"\r\n\r\n"), 403)
    short_error(raw(client, start + f"\r\nHost: {client.host}\r\nHost: example.org\r\n\r\n".encode()), 403)


@pytest.mark.parametrize("origin", ["null", "http://example.org", "https://{host}", "http://{host}.example.org", "http://127.0.0.1", ""])
def test_other_origins(client, origin):
    assert "other pages" in short_error(raw(client, head(client, Origin=origin.format(host=client.host))), 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_of_other_sites(client, site):
    short_error(raw(client, head(client, Sec_Fetch_Site=site)), 403)


@pytest.mark.parametrize(
    "path", ["/", "/main.js", "//", "/{short}/", "/{token}x/", "/{lower}/", "/x/{token}/", "http://{host}/{token}/", "*"]
)
def test_without_the_token(client, path):
    token = client.server.gate.token
    path = path.format(token=token, short=token[:-1], lower=token.swapcase(), host=client.host)
    assert "token" in short_error(raw(client, head(client, f"GET {path} HTTP/1.1")), 403)


@pytest.mark.parametrize(
    "name",
    [
        "../main.js",
        "..%2fmain.js",
        "%2e%2e/",
        "/etc/passwd",
        "..\\main.js",
        "page/main.js",
        "main.js/",
        "main.js%00.css",
        "main.js?x",
        "main.py",
        ".",
        "..",
        "~",
        "index.html",
        "é",
    ],
)
def test_paths_lead_nowhere(client, name):
    request = head(client, f"GET /{client.server.gate.token}/{name} HTTP/1.1".encode().decode("latin-1"))
    short_error(raw(client, request), 400, 404)


def test_every_file_of_the_page_is_there_and_nothing_else(client):
    for name, (kind, content) in client.server.files.items():
        assert client.request("GET", f"/{client.server.gate.token}/{name}") == (200, content)
        assert kind.endswith("charset=utf-8")
    assert {"", "main.js", "style.css"} <= set(client.server.files)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "get", "HACK"])
def test_other_methods(client, method):
    short_error(raw(client, head(client, f"{method} /{client.server.gate.token}/ HTTP/1.1")), 501)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/x\r\n\r\n",
        b"\x00\xff\xfe\r\n\r\n",
        b"GET  /  HTTP/1.1 x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_malformed_requests(client, data):
    answer = raw(client, data)
    if answer:
        short_error(answer, 400, 403, 414, 431, 501, 505)
    assert client.ask("about")["classes"]


def test_a_long_path(client):
    short_error(raw(client, head(client, f"GET /{client.server.gate.token}/{'x' * MOST_URL} HTTP/1.1")), 414)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Length": MOST_BODY + 1}, 413),
        ({"Content_Length": "-1"}, 411),
        ({"Content_Length": "2, 2"}, 411),
        ({"Content_Length": "0x2"}, 411),
        ({"Content_Length": "9" * 40}, 411),
        ({"Transfer_Encoding": "chunked"}, 501),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Expect": "100-continue"}, 417),
    ],
)
def test_bodies_that_are_not_taken(client, headers, status):
    short_error(raw(client, post(client, **headers)), status)


def test_an_oversized_body_is_not_read(client):
    short_error(raw(client, post(client, body=b" " * (MOST_BODY + 1))[:300_000]), 413)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"null", b'{"x": NaN}', b'{"x": 1e999}x', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000]
)
def test_bodies_that_are_no_json_object(client, body):
    short_error(raw(client, post(client, body=body)), 400)


def test_get_with_a_body(client):
    short_error(raw(client, head(client, Content_Length=5) + b"hello"), 400)


def test_unknown_questions(client):
    short_error(raw(client, post(client, "save2")), 404)
    short_error(raw(client, head(client, f"GET /{client.server.gate.token}/about HTTP/1.1")), 404)
