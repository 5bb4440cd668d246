"""The loops of this package, compiled: what the "loops" engine runs.

Nothing is compiled on import. A kernel is compiled, or taken from the cache on disk, when it is first called with arrays of
new types (dtype, number of axes, memory order).
"""

import hashlib
from collections.abc import Callable
from functools import cache
from types import FunctionType

import numba

from jitcnn.reference.codes import SERIAL
from jitcnn.reference.prepared import PREPARED


class Compiled:
    """One prepared form, compiled once for each combination of argument types.

    Every combination is a function of its own, with a name of its own: two processes that fill the cache at the same time
    then write the same thing under the same name.
    """

    def __init__(self, name: str):
        self.name = name
        self.variants: dict[tuple, Callable] = {}

    def __call__(self, *arguments) -> None:
        """Run the prepared form; nothing is checked here."""
        types = tuple(map(numba.typeof, arguments))
        if types not in self.variants:
            self.variants[types] = compile_loops(self.name, types)
        self.variants[types](*arguments)

    def __repr__(self) -> str:
        return f"<compiled loops of {self.name}>"


@cache
def compiled(name: str) -> Compiled:
    """The prepared form `name`, compiled on its first call.

    Parameters
    ----------
    name
        A key of `PREPARED`.

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    if name not in PREPARED:
        raise ValueError(f"{name!r} is no kernel: expected one of {', '.join(PREPARED)}")
    return Compiled(name)


def compile_loops(name: str, types: tuple) -> Callable:
    """Compile the loops of one kernel for arguments of these Numba types."""
    loops = PREPARED[name]
    tag = hashlib.sha256(repr(types).encode()).hexdigest()[:10]
    function = FunctionType(loops.__code__, loops.__globals__, name, loops.__defaults__, loops.__closure__)
    function.__module__, function.__qualname__ = loops.__module__, f"{name}_{tag}"
    from jitcnn.kernels.compiling import njit  # not before something is compiled: the kernels import this package

    return njit(types, parallel=name not in SERIAL, error_model="numpy")(function)
