"""Reads changed files of one format, many times, and fails at whatever a reader may not do.

A reader may raise a ValueError or an OSError of one line, or read. Any other exception, more than `MOST_SECONDS` for a file or
`MOST_MEMORY` in all is a defect; the file that shows it is kept.
"""

import faulthandler
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis

from tests.fuzz.mutations import changed

MOST_SECONDS = 10  # of processor time: others may keep the machine busy
ENDLESS = 300  # seconds until a file counts as one that is never done
MOST_MEMORY = 2**30
ROUND = 1000  # examples of one seed


@dataclass(frozen=True)
class Sample:
    """A part of a file that is changed, and what makes a file of it: compression, checksums and digests that are right again."""

    content: bytes
    pack: Callable[[bytes], bytes] = bytes


@dataclass(frozen=True)
class Format:
    """What is fuzzed.

    Attributes
    ----------
    samples
        Makes small, right files; the folder is for what has to be written on the way.
    read
        `read(folder, file)` reads a file's bytes in an empty folder.
    words
        What is put in between others.
    """

    samples: Callable[[Path], Sequence[Sample]]
    read: Callable[[Path, bytes], object]
    words: tuple[bytes, ...] = ()


class Defect(Exception):
    """A file that a reader did not take as it must."""


@dataclass
class Figures:
    """What a run found: files, those that were read, and the slowest."""

    files: int = 0
    accepted: int = 0
    slowest: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.files:,} files in {self.seconds:.0f} s, {self.accepted:,} of them read, the slowest in {self.slowest:.2f} s, "
            f"at most {peak_memory() // 2**20} MiB of memory"
        )


def peak_memory() -> int:
    """The most bytes of memory that this process has held; `getrusage` would count those of the process that began it, too."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def fuzz(name: str, form: Format, *, examples: int, seconds: float, seed: int, keep: Path) -> Figures:
    """Read changed files until there were so many, or so many seconds have passed."""
    figures, started = Figures(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        samples = form.samples(Path(folder))
        for sample in samples:
            with tempfile.TemporaryDirectory() as empty:
                form.read(Path(empty), sample.pack(sample.content))  # what is not changed can be read
        groups: dict[Callable[[bytes], bytes], list[bytes]] = {}
        for sample in samples:
            groups.setdefault(sample.pack, []).append(sample.content)
        choices = [hypothesis.strategies.tuples(hypothesis.strategies.just(p), changed(c, form.words)) for p, c in groups.items()]
        while figures.files < examples and (figures.seconds < seconds or not figures.files):
            one_round(name, form, choices, min(ROUND, examples - figures.files), seed, keep, figures)
            seed, figures.seconds = seed + 1, time.monotonic() - started
    return figures


def one_round(name, form, choices, examples, seed, keep, figures):
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(hypothesis.strategies.one_of(choices))
    def look(drawn):
        pack, content = drawn
        try:
            data = pack(content)
        except (ValueError, OverflowError):  # no file holds that
            return
        attempt(name, form, data, keep, figures)

    look()


def attempt(name: str, form: Format, data: bytes, keep: Path, figures: Figures) -> None:
    """Read one file."""
    started, wrong = time.process_time(), ""
    file = keep / f"{name}.bin"
    file.write_bytes(data)  # where it is found if the process ends
    faulthandler.dump_traceback_later(ENDLESS, exit=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            form.read(Path(folder), data)
        figures.accepted += 1
    except (ValueError, OSError) as error:
        if not re.fullmatch(r".*\w\w\w.*", str(error)):
            wrong = f"{type(error).__name__} that says {str(error)!r}, expected one line"
        elif isinstance(error, UnicodeError):
            wrong = f"{type(error).__name__}: {error}"
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        wrong = f"{type(error).__name__}: {error}"
    finally:
        faulthandler.cancel_dump_traceback_later()
    took, peak = time.process_time() - started, peak_memory()
    figures.files, figures.slowest = figures.files + 1, max(figures.slowest, took)
    if not wrong and took > MOST_SECONDS:
        wrong = f"{took:.1f} s of processor time"
    if not wrong and peak > MOST_MEMORY:
        wrong = f"{peak / 2**20:.0f} MiB of memory"
    if wrong:
        raise Defect(f"{name}: {wrong}; the file is {file}")
    file.unlink()
