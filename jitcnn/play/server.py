"""The server: files of the page and answers to its questions, on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

from jitcnn.play.security import ADDRESS, HEADERS, MOST_CONNECTIONS, SECONDS, Deadline, Gate, Refusal, body_length, finite_json

KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_HEADERS = 64
LINGER = 0.5  # seconds

Answer = dict[str, Any] | bytes
Answers = Mapping[str, Callable[[Any], Answer]]


def page_files() -> dict[str, tuple[str, bytes]]:
    """Everything the page consists of, read once: (kind, content) by name, the page itself under "". No request names a file on disk."""
    found = {}
    for file in resources.files("jitcnn.play").joinpath("page").iterdir():
        kind = KINDS.get(f".{file.name.rpartition('.')[2]}")
        if kind is not None:
            found["" if file.name == "index.html" else file.name] = (f"{kind}; charset=utf-8", file.read_bytes())
    return found


class Server(ThreadingHTTPServer):
    """Answers requests for the page, each connection in a thread of its own.

    Parameters
    ----------
    answers
        Functions by the name that a POST asks for. They take the JSON object or the bytes that came with it and return a JSON object or
        bytes; a ValueError is the client's fault and its text is sent.
    port
        0 for one that is free.
    token, seconds
        As for `Gate` and `Deadline`.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answers: Answers, port: int = 0, token: str | None = None, seconds: float = SECONDS):
        self.answers, self.seconds = dict(answers), seconds
        self.files = page_files()
        self.places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((ADDRESS, port), Handler)
        self.gate = Gate(self.server_address[1], token)

    @property
    def url(self) -> str:
        """The page's address, with the token."""
        return f"http://{ADDRESS}:{self.gate.port}/{self.gate.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or refuse it where there are too many."""
        if not self.places.acquire(blocking=False):
            try:
                request.settimeout(1)
                request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                pass  # it has gone already
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line what no handler foresaw; a connection that broke says nothing."""
        error = sys.exception()
        if not isinstance(error, OSError):
            complain(error)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    refused = False
    disable_nagle_algorithm, wbufsize = True, 2**16  # an answer leaves at once, and in one piece
    server_version, sys_version = "jitcnn", ""

    def setup(self) -> None:
        """Read through a deadline."""
        super().setup()
        self.connection.settimeout(self.server.seconds)
        self.deadline = Deadline(self.connection, self.server.seconds)
        self.rfile = io.BufferedReader(self.deadline)

    def finish(self) -> None:
        """Close; of a refused request a little is read first, since a client that still sends would see a broken connection, no answer."""
        super().finish()
        if self.refused:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR)
                self.deadline.seconds = LINGER
                self.deadline.start()
                while self.deadline.readinto(bytearray(2**16)):
                    pass

    def handle_one_request(self) -> None:
        """One request, whose time begins now."""
        self.deadline.start()
        try:
            super().handle_one_request()
        except (OSError, ValueError):  # gone, too slow, or no HTTP
            self.close_connection = True

    def do_GET(self) -> None:
        """A file of the page."""
        self._answer(self._file)

    def do_POST(self) -> None:
        """An answer to a question of the page."""
        self._answer(self._question)

    def _answer(self, find: Callable[[str], tuple[str, bytes]]) -> None:
        try:
            if len(self.headers) > MOST_HEADERS:
                raise Refusal(431, "too many headers")
            kind, content = find(self.server.gate.open(self.path, self.headers))
            self._send(200, kind, content)
        except Refusal as refusal:
            self.send_error(refusal.status, refusal.line)
        except ValueError as error:
            self.send_error(400, str(error))
        except OSError:
            raise
        except RecursionError:
            self.send_error(400, "the JSON is too deep")
        except MemoryError:
            self.send_error(500, "not enough memory")
        except Exception as error:  # a defect: the page shows it as a line, and so does the terminal
            complain(error)
            self.send_error(500, f"{type(error).__name__}: {error}")

    def _file(self, name: str) -> tuple[str, bytes]:
        if self.headers.get("Content-Length", "0").strip() != "0" or self.headers.get("Transfer-Encoding") is not None:
            raise Refusal(400, "GET takes no body")
        if name not in self.server.files:
            raise Refusal(404, "there is no such page")
        return self.server.files[name]

    def _question(self, name: str) -> tuple[str, bytes]:
        length = body_length(self.headers)
        if name not in self.server.answers:
            raise Refusal(404, "there is no such question")
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refusal(400, "the body is shorter than its Content-Length")
        answer = self.server.answers[name](body if self.headers.get_content_type() == "application/octet-stream" else parse(body))
        if isinstance(answer, bytes):
            return "application/octet-stream", answer
        return "application/json", json.dumps(answer, allow_nan=False).encode()

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        for header, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(header, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """One line of plain text, and the end of the connection: what is left of a refused request is not read."""
        self.close_connection = True
        self.refused, self.request_version = True, "HTTP/1.1"  # which a request that is no HTTP has not
        line = " ".join((message or "no").split())[:300]
        self._send(code, "text/plain; charset=utf-8", f"{line}\n".encode(errors="replace"))

    def handle_expect_100(self) -> bool:
        """Ask for no body before the request is known to be let in."""
        self.send_error(417, "Expect is not answered")
        return False

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: a page that trains asks many times a second."""


def complain(error: BaseException | None) -> None:
    """Say in one line on the terminal what nobody foresaw."""
    if sys.stderr is not None:
        print(f"jitcnn play: {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object; a ValueError if it is none."""
    try:
        payload = json.loads(body.decode(), parse_constant=finite_json)
    except UnicodeDecodeError:
        raise ValueError("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is no JSON: {error.msg}") from None
    if not isinstance(payload, dict):
        raise ValueError("the body is no JSON object")
    return payload
