"""NumPy's archives: the zip around the arrays, and each array inside one whose checksums are right."""

import io
import zipfile

import numpy as np

from jitcnn.data import load
from tests.fuzz.harness import Format, Sample

ARRAYS = {"x": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "y": np.array([0, 1])}


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def archive(members, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as target:
        for name, content in members.items():
            target.writestr(zipfile.ZipInfo(f"{name}.npy"), content, method)
    return stream.getvalue()


def with_images(content):
    return archive({"x": content, "y": npy(ARRAYS["y"])})


def with_labels(content):
    return archive({"x": npy(ARRAYS["x"]), "y": content}, zipfile.ZIP_STORED)


def samples(folder):
    members = {name: npy(array) for name, array in ARRAYS.items()}
    images = [ARRAYS["x"], np.asfortranarray(ARRAYS["x"]), ARRAYS["x"].astype(">f4"), ARRAYS["x"].astype("<f8")]
    labels = [ARRAYS["y"], np.eye(2), np.array([[0], [1]], ">i2"), np.array([True, False])]
    return [
        Sample(archive(members)),
        Sample(archive(members, zipfile.ZIP_STORED)),
        *(Sample(npy(array), with_images) for array in images),
        *(Sample(npy(array), with_labels) for array in labels),
    ]


def read(folder, data):
    (folder / "data.npz").write_bytes(data)
    found = load(folder / "data.npz")
    assert len(found.x) == len(found.y) and np.isfinite(found.x).all() and found.x.dtype.isnative


FORMAT = Format(samples, read, words=(b"O", b"'", b"(", b",)", b"'>f4'", b"True", b"PK\x05\x06", b"PK\x01\x02", b"../x.npy"))
