"""Who may work with a model: the Python threads of a process take turns."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self


class Turns:
    """A lock that a thread may take again while it has it; a copy or a pickle of what holds it gets one of its own."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Turns, ()

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Take it without waiting; a RuntimeError if another thread has it."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("another thread trains or evaluates this model: wait until it is done, or use copy.deepcopy(model)")
        try:
            yield
        finally:
            self._lock.release()
