"""A run's folder, as it is read: what was trained, how it went, and the models that came out.

config.toml         tables: "train", the settings; "data"; "machine"; "result", once there is one
history.csv         a line an epoch: the columns of `COLUMNS`, then what else was measured
best.json|npz       the model of the best epoch
last.json|npz       the model of the last epoch, once training has ended
checkpoint.npz      what training goes on with
log.txt             what was said
"""

import csv
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jitcnn.data import files
from jitcnn.forms.geometry import choice
from jitcnn.runs import toml
from jitcnn.runs.checkpointing import FILE as CHECKPOINT

if TYPE_CHECKING:
    from jitcnn.model import CNN

CONFIG, HISTORY, LOG = "config.toml", "history.csv", "log.txt"
COLUMNS = ("loss", "accuracy", "val_loss", "val_accuracy", "rate", "seconds")
MODELS = ("best", "last")
SUFFIXES = (".json", ".npz")
_LARGEST = 64 * 2**20  # bytes of a history


class Run:
    """A folder that `jitcnn train` made.

    Parameters
    ----------
    path : path
        The folder.

    Raises
    ------
    ValueError
        If it is no run's folder, or its settings cannot be read.

    Attributes
    ----------
    path : Path
        The folder.
    name : str
        Its name.
    config : dict
        What `config.toml` says: tables by name.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not self.path.is_dir():
            raise ValueError(f"{path}: {'not a folder' if self.path.exists() else 'no such folder'}; `jitcnn train` makes a run's folder")
        if not (self.path / CONFIG).exists():
            raise ValueError(f"{path}: not the folder of a run, there is no {CONFIG} in it; `jitcnn train` makes one")
        self.name = self.path.resolve().name
        self.config = toml.read(self.path / CONFIG)
        for table, content in self.config.items():
            if not isinstance(content, dict) and table != "layers":
                raise ValueError(f"{self.path / CONFIG}: {table!r} is {content!r}, expected a table, [{table}]")

    @cached_property
    def history(self) -> dict[str, list[float | None]]:
        """Losses, metrics, rate, seconds and what else was measured, by name: a number for each epoch, None where there is none.

        Read when it is first asked for; without any epoch yet, every list is empty.
        """
        path = self.path / HISTORY
        if not path.exists():
            return {name: [] for name in COLUMNS}
        if files.size_of(path) > _LARGEST:
            raise ValueError(f"{path}: more than {_LARGEST:,} bytes, no history of a run")
        with files.open_file(path) as stream:
            text = files.read_bytes(stream, _LARGEST, str(path))
        whole = text[: text.rfind(b"\n") + 1]  # a process that is being killed may write half a line
        return read_history(whole.decode(errors="replace").splitlines(), path)

    @property
    def checkpoint(self) -> Path:
        """The file that training goes on with, whether it is there or not."""
        return self.path / CHECKPOINT

    def model_path(self, which: str = "best") -> Path:
        """The file of the "best" or the "last" model; a ValueError if there is none."""
        choice("which", which, MODELS)
        for suffix in SUFFIXES:
            if (path := self.path / f"{which}{suffix}").exists():
                return path
        why = "no epoch is done yet" if which == "best" else "training has not come to its end"
        raise ValueError(f"{self.path}: there is no {which} model, {why}; go on with it: jitcnn train --resume {self.path}")

    def model(self, which: str = "best") -> "CNN":
        """The "best" or the "last" model, read from its file."""
        from jitcnn.storage import load

        return load(self.model_path(which))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"


def read_history(lines: Iterable[str], path: str | os.PathLike) -> dict[str, list[float | None]]:
    """The columns of a history's lines; a ValueError names the line that is wrong."""
    rows = csv.reader(lines)
    expected, head = ["epoch", *COLUMNS], next(rows, None) or []
    further = head[len(expected) :]
    if head[: len(expected)] != expected or len(set(head)) < len(head) or not all(map(str.isidentifier, further)):
        raise ValueError(f"{path}: line 1 is {','.join(head)!r}, expected {','.join(expected)!r} and names of what else was measured")
    columns: dict[str, list[float | None]] = {name: [] for name in head[1:]}
    for number, row in enumerate(rows, 1):
        try:
            epoch, *values = row
            if int(epoch) != number:
                raise ValueError(f"epoch {epoch} in the place of epoch {number}")
            for name, value in zip(columns, values, strict=True):
                columns[name].append(float(value) if value else None)
        except ValueError as error:
            raise ValueError(f"{path}: line {number + 1} is damaged ({error})") from error
    return columns
