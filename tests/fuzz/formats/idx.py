"""IDX files, plain and compressed."""

import gzip

import numpy as np

from jitcnn.data import load
from tests.data.reading import encode
from tests.fuzz.harness import Format, Sample

LABELS = encode(np.array([0, 1], "u1"))


def compressed(content):
    return gzip.compress(content, 1, mtime=0)


def samples(folder):
    plain = [encode(np.arange(24).reshape(2, 3, 4).astype(dtype)) for dtype in ("u1", "f4", "f8")]
    labels = [encode(np.array([0, 1], dtype)) for dtype in ("u1", "i4")]
    return [Sample(content, pack) for content in plain + labels for pack in (bytes, compressed)] + [Sample(compressed(plain[0]))]


def read(folder, data):
    """As images beside right labels, and as labels beside right images."""
    answers = []
    for images, labels in ((data, LABELS), (encode(np.ones((2, 3, 4), "u1")), data)):
        (folder / "train-images-idx3-ubyte").write_bytes(images)
        (folder / "train-labels-idx1-ubyte").write_bytes(labels)
        try:
            found = load(folder)
            assert found.x.shape[0] == len(found.y) and np.isfinite(found.x).all()
        except ValueError as error:
            answers.append(error)
    if len(answers) == 2:
        raise answers[0]


FORMAT = Format(samples, read)
