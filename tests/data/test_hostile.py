"""Files that ask for much memory, run another program, or write on the terminal: each is refused in one line, or costs little."""

import io
import os
import struct
import threading
import time
import zlib

import numpy as np
import pytest

from jitcnn.data import download, files, load, table
from jitcnn.decoding import shown
from jitcnn.pixels import grey_of, mixed_with_white
from jitcnn.preparation import Preparation

Image = pytest.importorskip("PIL.Image", reason="pictures need Pillow")


def png(rows, columns, channels):
    """A picture of zeros: 1 kB for each MB of pixels."""
    kind = {1: 0, 3: 2, 4: 6}[channels]
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows * (1 + columns * channels)))),
    ]
    body = b"".join(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + body + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


def test_more_pixels_than_memory_is_taken_for():
    with pytest.raises(ValueError, match="more than 52,000,000 pixels: make it smaller"):
        Preparation((8, 8), 1).prepare(png(7300, 7300, 1))


def test_a_picture_is_computed_with_some_rows_at_a_time():
    pixels = np.random.default_rng(0).integers(0, 256, (1500, 999, 4), np.uint8)  # several strips
    whole = Preparation((1500, 999), 1).prepare(pixels)
    np.testing.assert_array_equal(whole, grey_of(mixed_with_white(pixels)))


def test_pictures_that_run_programs_are_not_opened(tmp_path):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "EPS")
    with pytest.raises(ValueError, match="not a picture that Pillow reads"):
        Preparation((8, 8), 1).prepare(stream.getvalue())


@pytest.mark.parametrize(
    ("name", "text"),
    [("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"), (os.fsdecode(b"\xff"), "\\udcff"), ("\u202egnp", "\\u202egnp"), ("né 1", "né 1")],
)
def test_names_are_one_line(name, text):
    assert shown(name) == text


def test_a_picture_whose_name_is_several_lines(tmp_path):
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(png(4, 4, 1))
        (tmp_path / name / f"x\n{number}.png").write_bytes(b"")
    assert all("\n" not in note and "x\\n" in note for note in load(tmp_path).notes)


def test_threads_decode_as_far_as_memory_goes():
    budget, most, now, lock = files.Budget(10), [0], [0], threading.Lock()

    def work(amount):
        with budget.share(amount):
            with lock:
                now[0] += amount
                most[0] = max(most[0], now[0])
            time.sleep(0.002)
            with lock:
                now[0] -= amount

    threads = [threading.Thread(target=work, args=(amount,)) for amount in (4, 3, 5, 6, 1, 25, 2, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 25 and now[0] == budget.taken == 0  # the one that is larger than all, alone


@pytest.mark.parametrize("row", ["0," * 60, '0,"\n\n\n\n\n\n",' * 20], ids=["one line", "many lines"])
def test_a_long_row(tmp_path, monkeypatch, row):
    monkeypatch.setattr(table, "LONGEST_ROW", 100)
    (tmp_path / "t.csv").write_text(f"0,1\n1,2\n{row}\n")
    with pytest.raises(ValueError, match="a row of more than 100 characters"):
        load(tmp_path / "t.csv")


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
def test_a_pipe_among_pictures(tmp_path):
    """Whoever opened it would wait for somebody who writes into it."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(png(4, 4, 1))
    os.mkfifo(tmp_path / "b" / "1.png")
    assert len(load(tmp_path).y) == 2


def test_a_table_of_more_than_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "CELLS", 64)
    (tmp_path / "t.csv").write_text("0,1,2,3,4\n1,5,6,7,8\n" * 100)
    assert load(tmp_path / "t.csv").x.shape == (200, 2, 2, 1)  # read in parts
    monkeypatch.setattr(files, "DECOMPRESSED_LIMIT", 30_000)
    with pytest.raises(ValueError, match="more than 15,000 bytes of pixels and labels; save them as"):
        load(tmp_path / "t.csv")


def test_a_table_of_too_many_paths(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "MOST_PATHS", 3)
    (tmp_path / "a.png").write_bytes(png(4, 4, 1))
    (tmp_path / "t.csv").write_text("a.png,cat\na.png,dog\n" * 2)
    with pytest.raises(ValueError, match="names more than 3 pictures"):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\0" + bytes(30), b"BZh9" + bytes(30), b"\xfd7zXZ\0" + bytes(30)])
def test_a_download_that_is_no_archive(tmp_path, content):
    (tmp_path / "all.tar.gz").write_bytes(content)
    with pytest.raises(download.DownloadError, match="cannot be unpacked") as raised:
        download.unpack(tmp_path / "all.tar.gz", (("a.bin", 5),))
    assert "\n" not in str(raised.value)
