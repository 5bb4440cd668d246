"""How a run ends that does not come to its end: stopped by a signal, by numbers that are not finite, by a full disk."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from jitcnn.runs import Checkpointing

from .running import FAILED, INTERRUPTED, Failure, describe

TERMINATED = 128 + signal.SIGTERM


class Terminated(BaseException):
    """SIGTERM came."""


@contextlib.contextmanager
def hearing_sigterm() -> Iterator[None]:
    """While in the `with` statement, SIGTERM ends the command as Ctrl-C does, with exit code 143."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        yield
        return

    def end(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except Terminated as error:
        raise Failure("terminated", TERMINATED) from error
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def said_how_to_go_on(folder: Path, new: bool) -> Iterator[None]:
    """If training ends early, say what there is and how to go on; of a new folder without any checkpoint nothing is left."""
    try:
        yield
    except BaseException as error:
        if not Checkpointing(folder).path.exists():
            if new:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        raise failure(error, folder) from error


def failure(error: BaseException, folder: Path) -> BaseException:
    """What ends the command in place of an error."""
    go_on = f"jitcnn train --resume {folder}"
    if isinstance(error, KeyboardInterrupt):
        return Failure(f"interrupted, all is saved; go on with: {go_on}", INTERRUPTED)
    if isinstance(error, Terminated):
        return Failure(f"terminated, all is saved; go on with: {go_on}", TERMINATED)
    if isinstance(error, FloatingPointError):
        return Failure(f"{describe(error)}; the last good checkpoint is {Checkpointing(folder).path}", FAILED)
    if isinstance(error, OSError):
        return Failure(f"{describe(error)}; what was saved is in {folder}; once that is mended, go on with: {go_on}", FAILED)
    return error
