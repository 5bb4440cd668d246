"""Compile kernels on demand and keep the machine code on disk, correctly.

Numba's own cache key leaves out other source files, decorator options and captured intrinsics.  So the folder's name holds a
digest of every source file that reaches compiled code and of Numba's settings, and every variant made in a factory has a name
of its own that holds its parameters: then two processes that write the same name always write the same meaning.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numba
from numba import config, types
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.core.sigutils import normalize_signature
from numba.np.numpy_support import from_dtype

#: A dict, not a set: options enter the cache key of what captures a helper, and a set's order changes from process to process.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": dict.fromkeys(("contract", "reassoc", "nsz", "arcp"), True)}

#: Called before a kernel is compiled, or loaded from the cache, for the first time in a process: with its name, and how many are known to
#: come after it.
listeners: list[Callable[[str, int], None]] = []
_coming = 0


def hold_across_forks(lock: Any) -> None:
    """Let a fork wait until no other thread has the lock, which nobody in the new process could give back."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


hold_across_forks(global_compiler_lock)


def expect(kernels: int) -> None:
    """Say that so many kernels are to be compiled or loaded."""
    global _coming
    _coming = kernels


def announce(kernel: str) -> None:
    """Tell the listeners which kernel comes next."""
    expect(max(0, _coming - 1))
    for listener in listeners:
        listener(kernel, _coming)


_PACKAGE = Path(__file__).resolve().parent.parent
_SOURCES = ("kernels", "reference", "engine")
UNUSED_SECONDS = 30 * 24 * 3600
UNREADABLE = (EOFError, pickle.UnpicklingError)  # a file that was cut short
OURS = re.compile(r"\.nb[ic](\.tmp\.\w+)?$|^made-")


@functools.cache
def digest() -> str:
    """Name of the cache folder: 16 hex digits of the sources that reach compiled code and of Numba's settings."""
    files = [path for folder in _SOURCES for path in sorted((_PACKAGE / folder).rglob("*.py"))]
    settings = repr((config.OPT, config.LOOP_VECTORIZE, config.SLP_VECTORIZE, config.BOUNDSCHECK))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files) + settings.encode()).hexdigest()[:16]


@functools.cache
def cache_folders() -> tuple[str, ...]:
    """Where machine code is kept, "" if nowhere, and behind that folders that hold some and cannot be written.

    JITCNN_CACHE_DIR says where, else it is beside the package, else in the home folder.  Never a folder that others can write to, such
    as /tmp: the files are pickles.
    """
    readable = []
    for base in (os.environ.get("JITCNN_CACHE_DIR") or None, _PACKAGE / "__pycache__", os.path.expanduser("~/.cache/jitcnn")):
        with contextlib.suppress(OSError, TypeError):
            folder = Path(base) / digest()  # type: ignore[arg-type]
            is_new = not folder.is_dir()
            if not is_new:
                readable.append(str(folder))
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)
            if is_new:
                remove_old(folder.parent)
            return str(folder), *(other for other in readable if other != str(folder))
    return "", *readable


def cache_folder() -> str:
    """The folder into which machine code is written; "" when none can be."""
    return cache_folders()[0]


def remove_old(base: Path) -> None:
    """Remove folders of other digests that no process has started with for a month; what is not ours stays."""
    for folder in base.iterdir():
        with contextlib.suppress(OSError):
            old = time.time() - folder.stat().st_mtime > UNUSED_SECONDS
            if re.fullmatch("[0-9a-f]{16}", folder.name) and not folder.is_symlink() and folder.is_dir() and old:
                files = [path for path in folder.rglob("*") if not path.is_dir()]
                if all(OURS.search(path.name) for path in files):
                    shutil.rmtree(folder, ignore_errors=True)


class Cache(FunctionCache):
    """Numba's cache of a function, in our folder; what cannot be read is compiled, and what cannot be written is not kept."""

    def __init__(self, function: Callable, folders: Sequence[str], writes: bool):
        place = type("Place", (Place,), {"folder": folders[0]})
        self._impl_class = type("Implementation", (FunctionCache._impl_class,), {"_locator_classes": [place]})
        super().__init__(function)
        self.writes, self.next = writes, Cache(function, folders[1:], False) if folders[1:] else None

    def load_overload(self, sig, target_context):
        """From this folder or the next one."""
        with contextlib.suppress(OSError, *UNREADABLE):
            if (found := super().load_overload(sig, target_context)) is not None:
                return found
        return self.next.load_overload(sig, target_context) if self.next else None

    def save_overload(self, sig, data):
        """Into this folder, if that can be done."""
        if not self.writes:
            return
        with contextlib.suppress(OSError):
            try:
                super().save_overload(sig, data)
            except UNREADABLE:
                self.flush()
                super().save_overload(sig, data)


class Place:
    """Tells Numba where the code of one function is kept."""

    folder: str

    def __init__(self, function: Callable, file: str):
        self.path = os.path.join(self.folder, os.path.basename(os.path.dirname(file)))
        self.line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, function: Callable, file: str) -> "Place":
        """What Numba makes one with."""
        return cls(function, file)

    def ensure_cache_path(self) -> None:
        """Before something is written."""
        os.makedirs(self.path, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder."""
        return self.path

    def get_source_stamp(self) -> str:
        """What makes an entry stale."""
        return digest()

    def get_disambiguator(self) -> str:
        """What tells two functions of one name in one file apart."""
        return str(self.line)


def _keep(compiled, function: Callable):
    if folders := [folder for folder in cache_folders() if folder]:
        compiled._cache = Cache(function, folders, writes=bool(cache_folder()))
    return compiled


def njit(signature=None, **options) -> Callable[[Callable], Any]:
    """Decorator like `numba.njit`, with our cache."""

    def wrap(function: Callable):
        dispatcher = _keep(numba.njit(**options)(function), function)
        if signature is not None:
            dispatcher.compile(signature)
            dispatcher.disable_compile()
        return dispatcher

    return wrap


def cfunc(signature, **options) -> Callable[[Callable], CFunc]:
    """Decorator like `numba.cfunc`, with our cache."""

    def wrap(function: Callable):
        compiled = _keep(CFunc(function, normalize_signature(signature), locals={}, options=options), function)
        compiled.compile()
        return compiled

    return wrap


def rename(function: Callable, key: object) -> str:
    """Give a function made in a factory a name of its own, which holds the key."""
    tag = hashlib.sha256(repr(key).encode()).hexdigest()[:10]
    function.__qualname__ = f"{function.__qualname__}_{tag}"
    return f"{function.__module__}.{function.__qualname__}"


def inline(key: object = ()) -> Callable[[Callable], Callable]:
    """Decorator of a helper that kernels call: compiled into them; `key` holds what its closure captures."""

    def wrap(function: Callable) -> Callable:
        name = rename(function, key)
        dispatcher = numba.njit(**OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)  # nobody else calls it
        dispatcher._set_uuid(name)  # a captured dispatcher would otherwise enter the cache key under a new name in every process
        return dispatcher

    return wrap


def kernel(record, key: object = (), label: str = "") -> Callable[[Callable], "numba.core.ccallback.CFunc"]:
    """Decorator of a kernel: `void(record* arguments, int64 first, int64 last, int64 worker)`, compiled at once.

    `record` is the NumPy dtype of its arguments, which it reads by name from `arguments(a)`.
    """
    signature = types.void(types.CPointer(from_dtype(record)), types.int64, types.int64, types.int64)

    def wrap(function: Callable):
        announce(label or function.__name__)
        rename(function, key)
        return cfunc(signature, **OPTIONS)(function)

    return wrap
