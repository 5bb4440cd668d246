"""NumPy's single arrays, mapped into memory."""

import numpy as np

from jitcnn.data import load
from tests.fuzz.formats.npz import npy
from tests.fuzz.harness import Format, Sample

X = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def samples(folder):
    return [Sample(npy(array)) for array in (X, np.asfortranarray(X), X.astype(">f8"), X.astype("<f4"), X[..., None])]


def read(folder, data):
    (folder / "x.npy").write_bytes(data)
    (folder / "y.npy").write_bytes(npy(np.array([0, 1])))
    found = load(folder)
    assert len(found.x) == len(found.y) and np.isfinite(found.x).all() and found.x.dtype.isnative


FORMAT = Format(samples, read, words=(b"O", b"'", b"(", b",)", b"'>f4'", b"True", b"\x93NUMPY\x02\x00"))
