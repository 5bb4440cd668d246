"""Downloads from a server of this test's own, which answers as bad servers do."""

import contextlib
import hashlib
import http.server
import io
import socket
import sys
import tarfile
import threading

import numpy as np
import pytest

from jitcnn.data import download as downloads
from jitcnn.data.download import DownloadError, data_folder, download, is_complete
from jitcnn.data.published import SETS, File, Published

pytest.importorskip("pooch")

CONTENT = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
HALF = len(CONTENT) // 2


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of a path says how the server behaves."""

    def do_GET(self):
        _, kind, name = self.path.split("/")
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-")) if "Range" in self.headers else 0
        self.server.asked.append((kind, start))
        content = self.server.files[name]
        if kind == "missing":
            self.send_error(404)
            return
        if kind == "wrong":
            content = bytes(len(content))
        if kind == "larger":
            content = bytes(2 * len(content))
        if kind == "norange":
            start = 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = len(content)
        if kind == "cut":  # always at half of what is left
            end = start + (len(content) - start) // 2
        if kind == "cutonce" and not start:
            end = HALF
        if kind == "silent":
            end = start
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content[start:end])

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.files = [], {"one.bin": CONTENT}
        server.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(server, monkeypatch):
    """`publish(*kinds)`: a data set "tiny" with a mirror of each kind."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}"

    def call(*kinds, members=()):
        files = tuple(File(name, len(data), hashlib.sha256(data).hexdigest(), members) for name, data in server.files.items())
        mirrors = tuple(f"{dead if kind == 'dead' else server.address}/{kind}/" for kind in kinds)
        monkeypatch.setitem(SETS, "tiny", Published("Tiny", "https://example.org/tiny", "none", mirrors, files, ("a", "b")))

    return call


def holds(folder, *names):
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_the_right_file(server, publish, tmp_path):
    publish("right")
    assert not is_complete("tiny", tmp_path)
    folder = download("tiny", tmp_path, progress=False)
    assert folder == tmp_path / "tiny" and (folder / "one.bin").read_bytes() == CONTENT
    assert is_complete("tiny", tmp_path) and holds(folder, "one.bin")
    download("tiny", tmp_path)
    assert server.asked == [("right", 0)], "what is there is not asked for again"
    (folder / "one.bin").write_bytes(CONTENT[:10])
    assert not is_complete("tiny", tmp_path)
    download("tiny", tmp_path, progress=False)
    assert (folder / "one.bin").read_bytes() == CONTENT


def test_a_cut_connection_is_resumed_where_it_was_cut(server, publish, tmp_path):
    publish("cutonce")
    folder = download("tiny", tmp_path, progress=False)
    assert (folder / "one.bin").read_bytes() == CONTENT and holds(folder, "one.bin")
    (first, second) = server.asked
    assert first == ("cutonce", 0) and HALF - downloads.CHUNK < second[1] <= HALF, "what has come is not asked for again"


def test_the_next_call_goes_on_too(server, publish, tmp_path):
    publish("cut")
    with pytest.raises(DownloadError, match=r"^tiny: one.bin could not be downloaded, 127.0.0.1:\d+: the connection was cut\. Without"):
        download("tiny", tmp_path, progress=False)
    assert len(server.asked) == downloads.ATTEMPTS
    have = (tmp_path / "tiny" / "one.bin.part").stat().st_size
    assert HALF < have < len(CONTENT) and not is_complete("tiny", tmp_path)
    publish("right")
    folder = download("tiny", tmp_path, progress=False)
    assert server.asked[-1] == ("right", have)
    assert (folder / "one.bin").read_bytes() == CONTENT and holds(folder, "one.bin")


def test_a_server_without_ranges_sends_all_of_it_again(server, publish, tmp_path):
    publish("cutonce")
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "one.bin.part").write_bytes(CONTENT[:1000])
    publish("norange")
    assert (download("tiny", tmp_path, progress=False) / "one.bin").read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_not_kept(server, publish, tmp_path):
    for kind in ("wrong", "larger"):
        publish(kind)
        with pytest.raises(DownloadError, match="what came is another file \\(its SHA-256 is not the published one\\)"):
            download("tiny", tmp_path, progress=False)
        assert holds(tmp_path / "tiny")


def test_mirrors_in_turn(server, publish, tmp_path):
    publish("dead", "missing", "wrong", "right", "cut")
    folder = download("tiny", tmp_path, progress=False)
    assert (folder / "one.bin").read_bytes() == CONTENT
    assert server.asked == [("missing", 0), ("wrong", 0), ("right", 0)]


def test_another_mirror_goes_on_and_a_wrong_beginning_is_thrown_away(server, publish, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "one.bin.part").write_bytes(bytes(1000))
    publish("right")
    assert (download("tiny", tmp_path, progress=False) / "one.bin").read_bytes() == CONTENT
    assert server.asked == [("right", 1000), ("right", 0)]
    (tmp_path / "tiny" / "one.bin").unlink()
    publish("cut", "right")
    assert (download("tiny", tmp_path, progress=False) / "one.bin").read_bytes() == CONTENT
    assert server.asked[-1][0] == "right" and server.asked[-1][1] > HALF


def test_no_network(publish, tmp_path):
    publish("dead", "dead")
    with pytest.raises(
        DownloadError, match=r"cannot be reached; .* cannot be reached\. Without a network, get the files of https://example"
    ):
        download("tiny", tmp_path, progress=False)


def test_every_mirror_says_why(server, publish, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.2)
    publish("missing", "silent")
    with pytest.raises(DownloadError, match=r"answers 404 Not Found; .*: the connection was cut"):
        download("tiny", tmp_path, progress=False)


def archive(*names):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 5
            tar.addfile(entry, io.BytesIO(b"bytes"))
        link = tarfile.TarInfo("inside/b.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return stream.getvalue()


def test_of_an_archive_only_what_was_named_is_taken(server, publish, tmp_path):
    server.files = {"all.tar.gz": archive("inside/a.bin", "../../outside.txt", "inside/other.txt", "/b.bin")}
    publish("right", members=(("a.bin", 5), ("b.bin", 5)))
    folder = download("tiny", tmp_path, progress=False)
    assert holds(folder, "a.bin", "b.bin") and holds(tmp_path, "tiny") and (folder / "a.bin").read_bytes() == b"bytes"
    assert is_complete("tiny", tmp_path)
    download("tiny", tmp_path)
    assert len(server.asked) == 1


def test_where_files_are_kept(monkeypatch, tmp_path):
    assert data_folder("tiny", tmp_path) == tmp_path / "tiny"
    monkeypatch.setenv("JITCNN_DATA_DIR", str(tmp_path / "data"))
    assert data_folder("tiny") == tmp_path / "data" / "tiny"
    monkeypatch.delenv("JITCNN_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder("tiny") == tmp_path / ".cache" / "jitcnn" / "data" / "tiny"


def test_unknown_names_and_no_pooch(publish, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'imagenet' cannot be downloaded, expected one of fashion-mnist, kmnist, cifar10"):
        download("imagenet", tmp_path)
    publish("right")
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ValueError, match=r"downloading needs pooch: pip install 'jitcnn\[downloads\]'"):
        download("tiny", tmp_path)


def test_what_is_published():
    for published in SETS.values():
        assert published.mirrors and all(mirror.startswith("http") and mirror.endswith("/") for mirror in published.mirrors)
        assert len(published.classes) == len(set(published.classes)) == 10
        assert all(len(file.sha256) == 64 and int(file.sha256, 16) and file.size > 0 for file in published.files)
