"""Compile kernels on demand and keep the machine code on disk, correctly.

Numba's own cache key leaves out other source files, decorator options and captured intrinsics.  So the folder's name holds a
digest of every source file that reaches compiled code and of Numba's settings, and every variant made in a factory has a name
of its own that holds its parameters: then two processes that write the same name always write the same meaning.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
from numba import config, types
from numba.np.numpy_support import from_dtype

#: A dict, not a set: options enter the cache key of what captures a helper, and a set's order changes from process to process.
OPTIONS = {"error_model": "numpy", "fastmath": dict.fromkeys(("contract", "reassoc", "nsz", "arcp"), True)}

#: Called with a kernel's name before it is compiled, or loaded from the cache, for the first time in a process.
listeners: list[Callable[[str], None]] = []

_PACKAGE = Path(__file__).resolve().parent.parent
_SOURCES = ("kernels", "reference", "engine")


@functools.cache
def digest() -> str:
    """Name of the cache folder: 16 hex digits of the sources that reach compiled code and of Numba's settings."""
    files = [path for folder in _SOURCES for path in sorted((_PACKAGE / folder).rglob("*.py"))]
    settings = repr((config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE, config.BOUNDSCHECK))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files) + settings.encode()).hexdigest()[:16]


@functools.cache
def cache_folder() -> str:
    """Where machine code is kept: JITCNN_CACHE_DIR, else beside the package, else in the home folder; "" when none can be written.

    Never a folder that others can write to, such as /tmp: the files are pickles.
    """
    for base in (os.environ.get("JITCNN_CACHE_DIR") or None, _PACKAGE / "__pycache__", os.path.expanduser("~/.cache/jitcnn")):
        with contextlib.suppress(OSError, TypeError):
            folder = Path(base) / digest()  # type: ignore[arg-type]
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            return str(folder)
    return ""


@contextlib.contextmanager
def cache_here() -> Iterator[bool]:
    """Numba decorators inside this block use our cache folder; gives False when there is none."""
    saved, config.CACHE_DIR = config.CACHE_DIR, cache_folder()
    try:
        yield bool(cache_folder())
    finally:
        config.CACHE_DIR = saved


def rename(function: Callable, key: object) -> str:
    """Give a function made in a factory a name of its own, which holds the key."""
    tag = hashlib.sha256(repr(key).encode()).hexdigest()[:10]
    function.__qualname__ = f"{function.__qualname__}_{tag}"
    return f"{function.__module__}.{function.__qualname__}"


def inline(key: object = ()) -> Callable[[Callable], Callable]:
    """Decorator of a helper that kernels call: compiled into them; `key` holds what its closure captures."""

    def wrap(function: Callable) -> Callable:
        name = rename(function, key)
        dispatcher = numba.njit(**OPTIONS)(function)
        dispatcher._set_uuid(name)  # a captured dispatcher would otherwise enter the cache key under a new name in every process
        return dispatcher

    return wrap


def kernel(record, key: object = (), label: str = "") -> Callable[[Callable], "numba.core.ccallback.CFunc"]:
    """Decorator of a kernel: `void(record* arguments, int64 first, int64 last, int64 worker)`, compiled at once.

    `record` is the NumPy dtype of its arguments, which it reads by name from `arguments(a)`.
    """
    signature = types.void(types.CPointer(from_dtype(record)), types.int64, types.int64, types.int64)

    def wrap(function: Callable):
        for listener in listeners:
            listener(label or function.__name__)
        rename(function, key)
        with cache_here() as cached:
            return numba.cfunc(signature, cache=cached, **OPTIONS)(function)

    return wrap
