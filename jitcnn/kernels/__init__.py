"""Kernels of convolutional networks, each usable alone: hand-written loops on a SIMD register tile, compiled by Numba across cores.

Images are NHWC, convolution weights HWIO, dense weights (in, out), in float32 or float64. `jitcnn.reference` has the same functions as
plain loops. Nothing is compiled on import: a kernel is compiled, or loaded from the cache, when it is first called.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jitcnn.forms import NAMES, bind_all
from jitcnn.forms.pool import PoolState
from jitcnn.kernels.lowering import run_alone
from jitcnn.kernels.overloads import register

# After the imports above, so that `dense` and `dropout` are the functions here.
globals().update(bind_all(run_alone, __name__))
register(globals(), NAMES)

__all__ = ["PoolState", *NAMES]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable: ...
