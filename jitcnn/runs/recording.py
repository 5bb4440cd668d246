"""A run's folder, as it is written while training goes on."""

import csv
import datetime
import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from jitcnn.progress import numbers
from jitcnn.runs import toml
from jitcnn.runs.folder import COLUMNS, CONFIG, HISTORY, LOG
from jitcnn.storage.atomic import replace_file


def new_folder(parent: str | os.PathLike, name: str) -> Path:
    """Make the first folder of name, name-2, name-3, … that is not there: a run never overwrites another one."""
    Path(parent).mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = Path(parent) / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


class Recording:
    """A callback that writes each epoch into the history and the log of a run's folder.

    Parameters
    ----------
    folder : path
        The folder, which is there.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self._columns: list[str] = []

    def configure(self, config: Mapping[str, Any]) -> None:
        """Write the settings and whatever else is known, in place of what was known before."""
        text = "# jitcnn train --config THIS FILE repeats the run.\n\n" + toml.dumps(config)
        replace_file(self.folder / CONFIG, lambda stream: stream.write(text.encode()))

    def log(self, text: str) -> None:
        """Write lines into the log, with the time before the first."""
        now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
        with open(self.folder / LOG, "a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"{now}  {text.rstrip().replace(chr(10), chr(10) + ' ' * (len(now) + 2))}\n")

    @contextmanager
    def warnings_too(self) -> Iterator[None]:
        """Write the warnings that are shown meanwhile into the log."""
        with warnings.catch_warnings():
            show = warnings.showwarning

            def show_and_log(message: Warning | str, *others: Any) -> None:
                self.log(f"warning: {message}")
                show(message, *others)

            warnings.showwarning = show_and_log  # type: ignore[assignment]
            yield

    def on_epoch_end(self, model: Any, epoch: int, logs: Mapping[str, float]) -> None:
        """Write the epoch down; the first time all that were before, since a process that was killed may have left anything."""
        columns = list(dict.fromkeys([*COLUMNS, *model.history]))
        if columns == self._columns:
            with open(self.folder / HISTORY, "a", encoding="ascii", newline="") as stream:
                csv.writer(stream, lineterminator="\n").writerow(_row(epoch, logs, columns))
        else:
            replace_file(self.folder / HISTORY, lambda stream: _write_history(stream, model.history, columns))
            self._columns = columns
        self.log(f"epoch {epoch + 1}: {numbers(logs)}, rate {logs['rate']:.4g}, {logs['seconds']:.1f} s")


def _write_history(stream: IO[bytes], history: Mapping[str, list], columns: Sequence[str]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *columns])
    for epoch in range(len(history["loss"])):
        writer.writerow(_row(epoch, {name: column[epoch] for name, column in history.items()}, columns))
    stream.write(text.getvalue().encode())


def _row(epoch: int, logs: Mapping[str, float | None], columns: Sequence[str]) -> list[Any]:
    values = (logs.get(name) for name in columns)
    return [epoch + 1, *("" if value is None else repr(float(value)) for value in values)]
