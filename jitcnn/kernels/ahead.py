"""Compile several kernels at once: other processes compile a part of them into the cache, from where this one loads them.

Numba compiles one function at a time in a process, a quarter of a second each; a network's first run needs some thirty.
"""

import functools
import hashlib
import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jitcnn.kernels.compiling import cache_folder, cache_folders, expect

Wanted = tuple[Callable[..., Any], dict[str, Any]]  # a factory, which remembers what it has made, and its arguments

FEWEST = 8  # kernels that another process is worth its start for
MOST_PROCESSES = 3

_known: set[str] = set()  # marks of what this process has compiled or loaded


def compile_all(wanted: Sequence[Wanted]) -> list[Any]:
    """The kernels, compiled or loaded."""
    new = {mark: each for each in wanted if (mark := _mark(each)) not in _known}
    missing = {}
    if cache_folder():
        missing = {mark: each for mark, each in new.items() if not any((Path(folder) / mark).exists() for folder in cache_folders())}
    expect(len(new))
    processes = _start(list(missing.values()))
    try:
        for factory, key in list(missing.values())[:: len(processes) + 1]:
            factory(**key)
        for process in processes:
            process.wait()
        kernels = [factory(**key) for factory, key in wanted]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    expect(0)
    _known.update(new)
    for mark in missing:
        with suppress(OSError):
            (Path(cache_folder()) / mark).touch()
    return kernels


def _mark(wanted: Wanted) -> str:
    """The name of a file that says that the cache holds a kernel; for a guess only: what is not there is compiled."""
    factory, key = wanted
    text = f"{factory.__module__}.{factory.__qualname__}{sorted(key.items())}"
    return f"made-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _start(missing: list[Wanted]) -> list[subprocess.Popen]:
    """Processes that compile all but this one's part."""
    count = min(_processors() - 1, len(missing) // FEWEST, MOST_PROCESSES)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    processes: list[subprocess.Popen] = []
    for number in range(1, count + 1):
        part = [(factory.__module__, factory.__name__, key) for factory, key in missing[number :: count + 1]]
        with suppress(OSError):
            process = subprocess.Popen(
                [sys.executable, "-m", "jitcnn.kernels.ahead"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": path, "JITCNN_CACHE_DIR": str(Path(cache_folder()).parent)},
            )  # fmt: skip
            processes.append(process)
            assert process.stdin is not None
            with process.stdin as pipe:
                pickle.dump(part, pipe)
    return processes


@functools.cache
def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _as_written(value: Any) -> Any:
    """The value with words that are one object each, as in source code: Numba's cache tells two objects of one word apart."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, tuple):
        parts = map(_as_written, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


if __name__ == "__main__":
    for module, name, arguments in pickle.load(sys.stdin.buffer):
        getattr(importlib.import_module(module), name)(**{key: _as_written(value) for key, value in arguments.items()})
