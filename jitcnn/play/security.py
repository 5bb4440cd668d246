"""Who is let in: what a request must be like before anything is done for it.

The page is served on 127.0.0.1, which keeps other machines out. Other pages in the same browser could still send requests there, so each
must name a path that begins with a random token, carry the `Host` of this server (another name may have been made to point here, "DNS
rebinding"), and no `Origin` but this server's. Sizes, times and connections are limited.
"""

from __future__ import annotations

import hmac
import io
import re
import secrets
import socket
import time
from collections.abc import Mapping
from typing import Any

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")
MOST_URL = 512  # characters
MOST_BODY = 16 * 2**20  # bytes
MOST_CONNECTIONS = 64
SECONDS = 10.0  # that a request may take to arrive, or its answer to be fetched
KINDS = {"application/json", "application/octet-stream"}
NAME = re.compile(r"[a-z0-9_.-]*")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Refusal(Exception):
    """What ends a request that is not answered: a status of HTTP and a line for people."""

    def __init__(self, status: int, line: str):
        super().__init__(line)
        self.status, self.line = status, line


class Gate:
    """Decides which requests are answered.

    Parameters
    ----------
    port : int
        The server's.
    token : str, optional
        The first part of every path; drawn if missing.
    """

    def __init__(self, port: int, token: str | None = None):
        self.port = port
        self.token = secrets.token_urlsafe(24) if token is None else token
        self.hosts = {f"{name}:{port}" for name in NAMES}
        self.origins = {f"http://{host}" for host in self.hosts}

    def open(self, path: str, headers: Any) -> str:
        """The name that is asked for, the path behind the token.

        Parameters
        ----------
        path
            Of the request's first line.
        headers
            A message of `email`, as `http.server` parses it.

        Raises
        ------
        Refusal
            If the request is not let in.
        """
        if len(path) > MOST_URL:
            raise Refusal(414, f"the path is longer than {MOST_URL} characters")
        self._check_origin(headers)
        token, slash, name = path.removeprefix("/").partition("/")
        if not path.startswith("/") or not hmac.compare_digest(token.encode(errors="replace"), self.token.encode()):
            raise Refusal(403, "open the address that `jitcnn play` printed, with its token")
        if not slash or not NAME.fullmatch(name):
            raise Refusal(404, "there is no such page")
        return name

    def _check_origin(self, headers: Any) -> None:
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].strip() not in self.hosts:
            raise Refusal(403, f"Host must be {ADDRESS}:{self.port}")
        if any(origin.strip() not in self.origins for origin in headers.get_all("Origin", [])):
            raise Refusal(403, "requests from other pages are not answered")
        if headers.get("Sec-Fetch-Site", "none").strip() not in ("none", "same-origin"):
            raise Refusal(403, "requests from other pages are not answered")


def body_length(headers: Any) -> int:
    """How many bytes a request brings; a Refusal if that is not said, is too many, or they are of no known kind."""
    if headers.get("Transfer-Encoding") is not None:
        raise Refusal(501, "give Content-Length instead of Transfer-Encoding")
    lengths = headers.get_all("Content-Length", [])
    if len(lengths) != 1 or not re.fullmatch(r"[0-9]{1,12}", lengths[0].strip()):
        raise Refusal(411, "give one Content-Length")
    if int(lengths[0]) > MOST_BODY:
        raise Refusal(413, f"at most {MOST_BODY // 2**20} MiB are taken")
    if headers.get_content_type() not in KINDS:
        raise Refusal(415, f"Content-Type must be {' or '.join(sorted(KINDS))}")
    return int(lengths[0])


class Deadline(io.RawIOBase):
    """A socket's bytes, all of which have to come before a moment: a client that sends one now and then holds nobody up.

    Parameters
    ----------
    connection
        The socket.
    seconds
        From `start` on.
    """

    def __init__(self, connection: socket.socket, seconds: float = SECONDS):
        self.connection, self.seconds = connection, seconds
        self.start()

    def start(self) -> None:
        """Begin to count anew."""
        self.end = time.monotonic() + self.seconds

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is; a TimeoutError once the time is over."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self.connection.settimeout(left)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(self.seconds)


def finite_json(number: str) -> Any:
    """What `json.loads` calls for NaN and infinities, which JSON does not have."""
    raise ValueError(f"{number} is not JSON")


def field(payload: Mapping[str, Any], name: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
    """An entry of a request, checked: a ValueError names it if it is missing, or of another kind. Booleans are no numbers."""
    value = payload.get(name, default)
    if value is ...:
        raise ValueError(f"{name} is missing")
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if value is not default and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        raise ValueError(f"{name} is {type(value).__name__}, expected {' or '.join(each.__name__ for each in kinds)}")
    return value
