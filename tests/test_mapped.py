"""Files larger than memory: the same bits as from memory, in little of it."""

import mmap
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jitcnn import CNN, Dense, Flatten, mapped

ROOT = Path(__file__).parents[1]


def resident():
    """Bytes of files that are mapped and present."""
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("RssFile"))


def images(tmp_path, mode="r", count=3000):
    """A file of images 64 x 64, most of it empty."""
    path = tmp_path / "images"
    written = np.memmap(path, np.uint8, "w+", shape=(count, 64, 64, 1))
    written[::3, :8] = np.random.default_rng(0).integers(0, 256, written[::3, :8].shape, np.uint8)
    written.flush()
    del written
    return np.memmap(path, np.uint8, mode, shape=(count, 64, 64, 1))


class Watch:
    def __init__(self):
        self.found = []

    def on_epoch_end(self, model, epoch, logs):
        self.found.append(resident())


def trained(x, watch):
    model = CNN([Flatten(), Dense(3, activation="softmax")], seed=1, normalize="per-image")
    model.compile("sgd", learning_rate=0.01)
    model.train(x, np.arange(len(x)) % 3, epochs=2, callbacks=[watch], progress=False)
    return model.digest()


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="pages are given back where the system can")
def test_training_from_a_large_file(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 2**20)
    expected = trained(np.array(images(tmp_path)), Watch())
    x = images(tmp_path)
    before, watch = resident(), Watch()
    assert trained(np.asarray(x), watch) == expected
    assert max(watch.found) - before < x.nbytes / 2  # 12 MB that stay if nothing is given back


def test_only_files_that_cannot_be_changed(tmp_path, monkeypatch):
    assert mapped.large_file(np.zeros(9)) is None
    assert mapped.large_file(images(tmp_path)[::2]) is None  # small
    monkeypatch.setattr(mapped, "LARGE", 2**20)
    assert mapped.large_file(images(tmp_path)[::2]) is not None
    private = images(tmp_path, "c")
    private[5] = 77
    assert mapped.large_file(private) is None
    mapped.give_back(private)
    assert (private[5] == 77).all()


def test_as_many_rows_as_earlier_ones_allow(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "LARGE", 2**20)
    assert mapped.Reading(np.zeros((2, 2**20), np.uint8)).rows() is None
    reading, row = mapped.Reading(images(tmp_path)), 64 * 64
    rows = [reading.rows()]
    sizes = iter([0, 10 * row, 0, 10 * 2**24, 0, 0, 0])  # mapped after and before each
    reading.before = next(sizes)
    monkeypatch.setattr(mapped, "mapped_bytes", lambda: next(sizes))
    for _ in range(3):
        reading.done(10)
        rows.append(reading.rows())
    first = row + mapped.A_ROW
    assert rows == [int(mapped.MOST / size) for size in (first, first / 2, 2**24, 2**23)]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="VmHWM is Linux's")
@pytest.mark.parametrize(
    ("kind", "side", "mebibytes", "limit"),
    [
        ("idx", 64, 300, 400),
        pytest.param("npy", 64, 4096, 600, marks=pytest.mark.slow),
        pytest.param("idx", 28, 4096, 600, marks=pytest.mark.slow),
    ],
)
def test_the_peak_of_training_on_a_large_set(kind, side, mebibytes, limit, figures):
    """MiB at most, mapped pages included, of a process that reads a set with mean, deviation and validation."""
    command = [sys.executable, "-m", "bench.memory_map", "--kind", kind, "--side", str(side), "--mebibytes", str(mebibytes)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    peak = int(re.search(r"VmHWM ([0-9,]+) MiB", done.stdout)[1].replace(",", ""))
    figures[f"VmHWM of training on {mebibytes} MiB, {kind}, {side} x {side}"] = f"{peak} MiB"
    assert 100 < peak < limit
