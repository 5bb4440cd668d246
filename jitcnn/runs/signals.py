"""Signals that end a program, heard between two steps of training instead of anywhere."""

import signal
import threading
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """While in the `with` statement, SIGINT and SIGTERM are only noted, until `deliver` is called; a second Ctrl-C is heard at once.

    Signals that are ignored stay ignored. Outside the main thread, which alone may handle signals, nothing is held.

    Attributes
    ----------
    pending : int or None
        The signal that came.
    """

    def __init__(self) -> None:
        self.pending: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "HeldSignals":
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                previous = signal.getsignal(number)
                if previous not in (signal.SIG_IGN, None):
                    self._previous[number] = previous
                    signal.signal(number, self._hold)
        return self

    def __exit__(self, *error: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous = {}

    def deliver(self) -> None:
        """Let the signal that came do what it would have done."""
        number = self.pending
        if number is not None:
            self.pending = None
            signal.signal(number, self._previous[number])
            signal.raise_signal(number)
            signal.signal(number, self._hold)

    def _hold(self, number: int, _: FrameType | None) -> None:
        if self.pending == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.pending = number
