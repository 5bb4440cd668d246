"""Who may work with a model: the Python threads of a process take turns, and a process forked from it has but one of them."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

_all: "weakref.WeakSet[Turns]" = weakref.WeakSet()


class Turns:
    """A lock that a thread may take again while it has it; a copy or a pickle of what holds it gets one of its own.

    In a process forked while another thread had it, whoever wants it gets a RuntimeError: that thread is not there to give it back, and
    nobody knows how far it came.
    """

    def __init__(self) -> None:
        self._lock: Any = threading.RLock()
        _all.add(self)

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


class Lost:
    """The lock of a thread that a fork left behind."""

    def acquire(self, blocking: bool = True) -> bool:
        """Refuse."""
        raise RuntimeError(
            "this process was forked while another thread worked with this model, which may be half done: fork before that, "
            'or start processes with multiprocessing.get_context("spawn")'
        )


def _after_fork() -> None:
    for turns in _all:
        if turns._lock.acquire(blocking=False):
            turns._lock.release()
        else:
            turns._lock = Lost()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
