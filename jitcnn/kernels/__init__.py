"""Kernels of convolutional networks, each usable alone.

Until the fast twins are in place, they run the plain loops of `jitcnn.reference`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jitcnn.forms import NAMES, bind_all
from jitcnn.forms.pool import PoolState
from jitcnn.reference import call

globals().update(bind_all(call, __name__))

__all__ = ["PoolState", *NAMES]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable: ...
