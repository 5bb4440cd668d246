"""The folders of runs: settings in TOML and the history beside them."""

import numpy as np

from jitcnn.runs import toml
from jitcnn.runs.folder import COLUMNS, CONFIG, HISTORY, Run
from tests.fuzz.harness import Format, Sample

SETTINGS = toml.dumps({"train": {"epochs": 3, "rate": 0.5, "names": ["a", "b"], "flag": True}, "data": {"name": "mnist"}}).encode()
LINES = f"epoch,{','.join(COLUMNS)}\n1,0.5,0.9,,,0.001,1.25\n2,0.25,0.95,,,0.001,1.5\n".encode()


def samples(folder):
    return [Sample(SETTINGS), Sample(SETTINGS + b'\n[[layers]]\nname = "x"\nd = 2020-01-01T00:00:00\n'), Sample(LINES)]


def read(folder, data):
    is_history = data[:3] == LINES[:3]
    (folder / CONFIG).write_bytes(SETTINGS if is_history else data)
    (folder / HISTORY).write_bytes(data if is_history else LINES)
    run = Run(folder)
    assert len({len(column) for column in run.history.values()}) == 1 and np.ndim(run.history["loss"]) == 1 and run.config is not None


WORDS = (
    b"[",
    b"]",
    b"[a.b.c]",
    b"a.a = 1\n",
    b"=",
    b'"""',
    b"\\U0010FFFF",
    b"\0",
    b"\xff",
    b"1e9999",
    b"9" * 5000,
    b"0x",
    b"[" * 500,
    b"\n",
)
FORMAT = Format(samples, read, WORDS)
