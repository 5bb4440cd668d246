"""Checkpoints whose digest is right again: resuming from one."""

import functools
import io
import json

import numpy as np

from jitcnn.runs.checkpointing import FILE
from jitcnn.storage import checkpoints
from tests.fuzz.formats.model import WORDS, small_model
from tests.fuzz.harness import Format, Sample

X, Y = np.arange(9 * 36, dtype=np.float32).reshape(9, 6, 6, 1) % 7, np.arange(9) % 3
EPOCHS = 2


def trained(folder, resume):
    """Two epochs in all."""
    return small_model().train(X, Y, epochs=EPOCHS, batch_size=4, checkpoint=folder, resume=resume, progress=False)


def packed(arrays):
    """An archive with the digest of what is in it."""
    stream = io.BytesIO()
    digest = np.frombuffer(checkpoints._digest(arrays), np.uint8)
    np.savez(stream, **arrays, digest=digest)
    return stream.getvalue()


def samples(folder):
    trained(folder, resume=False)
    whole = (folder / FILE).read_bytes()
    with np.load(folder / FILE) as archive:
        arrays = {name: archive[name] for name in archive if name != "digest"}

    def with_state(content):
        return packed(arrays | {"state": np.frombuffer(content, np.uint8)})

    def with_array(content, name):
        """Another number of them, or of another dtype."""
        dtype = arrays[name].dtype if len(content) % arrays[name].dtype.itemsize == 0 else np.uint8
        return packed(arrays | {name: np.frombuffer(content, dtype)})

    state = arrays["state"].tobytes()
    others = [Sample(arrays[name].tobytes(), functools.partial(with_array, name=name)) for name in arrays if arrays[name].ndim == 1]
    return [
        Sample(whole),
        Sample(state, with_state),
        Sample(json.dumps(json.loads(state)).encode(), with_state),
        *(o for o in others if o.content != state),
    ]


def read(folder, data):
    (folder / FILE).write_bytes(data)
    trained(folder, resume=True)


FORMAT = Format(samples, read, WORDS)
