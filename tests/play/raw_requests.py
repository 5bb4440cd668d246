"""Requests to the playground written out byte by byte, right and wrong ones."""

import socket


def raw(client, data, seconds=20):
    """What a server answers to these bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", client.server.gate.port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            if answer.startswith(b"HTTP/1.1 200"):
                break
        return answer


def short_error(answer, *statuses):
    """Whether an answer is one line of text with one of these statuses."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split()[1]) in statuses, answer
    assert body.count(b"\n") == 1 and len(body) < 400
    assert b"Traceback" not in body and b".py" not in body
    return body.decode()


def head(client, line=None, **others):
    """The first lines of a request."""
    headers = {"Host": client.host, **others}
    line = line or f"GET /{client.server.gate.token}/ HTTP/1.1"
    return "\r\n".join([line, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()), "", ""]).encode()


def post(client, name="about", body=b"{}", **headers):
    headers = {"Content_Type": "application/json", "Content_Length": len(body), **headers}
    return head(client, f"POST /{client.server.gate.token}/{name} HTTP/1.1", **headers) + body
