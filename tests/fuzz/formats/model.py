"""Model files in JSON and `.npz`."""

import io
import json

import numpy as np

from jitcnn import CNN, Conv2d, Dense, Flatten, Pool2d, load
from tests.fuzz.harness import Format, Sample


def small_model():
    model = CNN([Conv2d(2, activation="relu", input_shape=(6, 6, 1)), Pool2d(), Flatten(), Dense(3, activation="softmax")], seed=1)
    model.compile("adam")
    return model


def samples(folder):
    for suffix in ("json", "npz"):
        small_model().save(folder / f"model.{suffix}")
    text, archive = (folder / "model.json").read_bytes(), (folder / "model.npz").read_bytes()
    with np.load(folder / "model.npz") as arrays:
        numbers = {name: arrays[name] for name in arrays}

    def described(content):
        """An archive with right checksums around another description."""
        stream = io.BytesIO()
        np.savez(stream, **{**numbers, "description": np.frombuffer(content, np.uint8)})
        return stream.getvalue()

    small = json.dumps(json.loads(text)).encode()
    return [Sample(text), Sample(small), Sample(archive), Sample(numbers["description"].tobytes(), described)]


def read(folder, data):
    (folder / "model").write_bytes(data)
    model = load(folder / "model")
    model.summary()
    assert sum(array.size for array in model.parameters.values()) < 10_000


WORDS = (b'"', b"[", b"]", b"{", b"}", b",", b":", b"null", b'"type": "Upsample"', b'"Conv2d"', b"\\u0000", b"\xff", b"\\ud800", b"A" * 64)
FORMAT = Format(samples, read, WORDS)
