"""Every pass of a network as plain loops over NumPy arrays, under the names and signatures of `jitcnn.kernels`.

One file a subject, written to be read from top to bottom and stepped through with a debugger: `conv`, `padding`, `pool`, `dense`,
`upsample`, `activation`, `dropout`, `loss`, `update`, `clipping`, `scaling`, `image`, `augment`. Compiled, the same functions are the
engine "loops".

The functions of this namespace check their arguments and make room for the result (`jitcnn.forms`), then run the loops as they stand,
in Python. `PREPARED` has the loops themselves by name: positional, with the outputs passed in.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jitcnn.forms import NAMES, bind_all
from jitcnn.forms.pool import PoolState
from jitcnn.forms.prepared import check, without_hints
from jitcnn.reference.prepared import PREPARED


def call(name: str, *arguments: Any) -> None:
    """Check a prepared call and run its loops, uncompiled."""
    check(name, *arguments)
    PREPARED[name](*without_hints(name, arguments))


# After the imports above, so that `dense` and `dropout` are the functions here; the files stay in reach as `jitcnn.reference.conv` etc.
globals().update(bind_all(call, __name__))

__all__ = ["PREPARED", "PoolState", *NAMES]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable: ...
