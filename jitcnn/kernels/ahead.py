"""Compile several kernels at once: other processes compile some of them into the cache, from where this one loads them.

Numba compiles one function at a time in a process, a quarter of a second each; a network's first run needs some thirty.  Whoever is ready
takes the next one, which a file in a folder says, since some take five times as long as others, and other processes begin later.
"""

import functools
import hashlib
import importlib
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
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
    if missing:
        _compile(list(missing.values()))
    kernels = [factory(**key) for factory, key in wanted]
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


def _compile(missing: list[Wanted]) -> None:
    """Compile these, and see to it that others help."""
    try:
        taken = tempfile.mkdtemp(prefix="jitcnn-")
    except OSError:
        return  # then everything is compiled where it is asked for
    processes = _start(missing, taken)
    try:
        for factory, key in _untaken(missing, taken):
            factory(**key)
        for process in processes:
            process.wait()
    finally:
        for process in processes:
            process.kill()
            process.wait()
        shutil.rmtree(taken, ignore_errors=True)


def _untaken(wanted: list[Any], taken: str) -> Iterator[Any]:
    """One after the other that no other process has taken: for each there is a file in the folder `taken`, named by its number."""
    for number, each in enumerate(wanted):
        try:
            Path(taken, str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        except OSError:
            pass  # where no file can be made, several compile the same
        yield each


def _start(missing: list[Wanted], taken: str) -> list[subprocess.Popen]:
    """Processes that compile too."""
    count = min(_processors() - 1, len(missing) // FEWEST, MOST_PROCESSES)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    names = [(factory.__module__, factory.__name__, key) for factory, key in missing]
    processes: list[subprocess.Popen] = []
    for _ in range(count):
        with suppress(OSError):
            process = subprocess.Popen(
                [sys.executable, "-m", "jitcnn.kernels.ahead"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": path, "JITCNN_CACHE_DIR": str(Path(cache_folder()).parent)},
            )  # fmt: skip
            processes.append(process)
            assert process.stdin is not None
            with process.stdin as pipe:
                pickle.dump((names, taken), pipe)
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
    names, taken = pickle.load(sys.stdin.buffer)
    for module, name, arguments in _untaken(names, taken):
        getattr(importlib.import_module(module), name)(**{key: _as_written(value) for key, value in arguments.items()})
