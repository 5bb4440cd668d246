"""CIFAR's binary files."""

from jitcnn.data import load
from tests.fuzz.harness import Format, Sample

IMAGE = bytes(range(256)) * 12


def samples(folder):
    return [Sample(b"".join(bytes([number]) + IMAGE for number in range(3))), Sample(b"cat\ndog\n" * 5), Sample(b"\x01\x02" + IMAGE)]


def read(folder, data):
    """As ten classes, as a hundred, and as their names."""
    if len(data) > 100 and len(data) % 3074 == 0:
        (folder / "train.bin").write_bytes(data)
    elif len(data) > 100:
        (folder / "data_batch_1.bin").write_bytes(data)
    else:
        (folder / "data_batch_1.bin").write_bytes(b"\0" + IMAGE)
        (folder / "batches.meta.txt").write_bytes(data)
    found = load(folder)
    assert found.y.max() < len(found.classes) and found.describe().encode()


FORMAT = Format(samples, read, words=(b"\n", b"\xff", b" "))
