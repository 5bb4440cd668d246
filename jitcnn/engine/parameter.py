"""Parameters, and the two flat buffers that hold the values and the gradients of all parameters of a network."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np

from jitcnn.forms.geometry import count
from jitcnn.kernels.buffers import ALIGNMENT, aligned_zeros


class Parameter:
    """One array of weights, which training changes.

    Attributes
    ----------
    name : str
        Its name within its layer, "weights".
    shape : tuple of int
        The public shape.
    flat, flat_gradient : array (size,)
        Its numbers, and the loss's gradient with respect to them, as they lie in memory.
    value, gradient : array of `shape`
        The same memory under the public shape. Read and write in place: `parameter.value[...] = array`.
    """

    def __init__(self, name: str, shape: Sequence[int], initializer: Callable[..., Any], transposed: bool = False):
        """Describe a parameter; memory is taken when somebody first looks at it.

        Parameters
        ----------
        name, shape
            As above.
        initializer
            `initializer(shape, generator=…)`, or `initializer(shape)` for one that draws nothing: the first values.
        transposed
            Whether the numbers lie in memory with the axes in reverse order, (out, in) for the public (in, out).
        """
        self.name = name
        self.shape = tuple(int(size) for size in shape)
        self.initializer = initializer
        self.transposed = transposed
        self.size = count(f"parameter {name!r}", self.shape)
        self.allocate: Callable[[], None] | None = None  # set by whoever takes memory for this parameter: a graph, or a layer used alone
        self._flat: np.ndarray | None = None
        self._flat_gradient: np.ndarray | None = None

    @property
    def is_allocated(self) -> bool:
        """Whether it has memory, and so values, already."""
        return self._flat is not None

    @property
    def flat(self) -> np.ndarray:
        """The numbers in the order in which they lie in memory."""
        if self._flat is None:
            if self.allocate is None:
                raise ValueError(f"parameter {self.name!r} has no values yet: add its layer to a model, or call the layer on images")
            self.allocate()
        assert self._flat is not None
        return self._flat

    @property
    def flat_gradient(self) -> np.ndarray:
        """The gradient in the order in which it lies in memory."""
        assert self.flat is not None and self._flat_gradient is not None
        return self._flat_gradient

    @property
    def value(self) -> np.ndarray:
        """The numbers under the public shape, a view."""
        return self.view(self.flat)

    @property
    def gradient(self) -> np.ndarray:
        """The gradient under the public shape, a view."""
        return self.view(self.flat_gradient)

    def bind(self, flat: np.ndarray, flat_gradient: np.ndarray) -> None:
        """Live in this memory from now on; its contents are left to the caller."""
        self._flat, self._flat_gradient = flat, flat_gradient

    def initial(self, generator: np.random.Generator) -> np.ndarray:
        """The first values under the public shape, in float64."""
        values = np.asarray(call_initializer(self.initializer, self.shape, generator), np.float64)
        if values.shape != self.shape:
            raise ValueError(f"the initializer of parameter {self.name!r} gave {values.shape}, expected {self.shape}")
        return values

    def view(self, flat: np.ndarray) -> np.ndarray:
        """Numbers that lie as this parameter's do under the public shape."""
        return flat.reshape(self.shape[::-1]).T if self.transposed else flat.reshape(self.shape)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A parameter with memory of its own and the same values."""
        copy = type(self)(self.name, self.shape, deepcopy(self.initializer, memo), self.transposed)
        memo[id(self)] = copy
        if self._flat is not None and self._flat_gradient is not None:
            copy.bind(self._flat.copy(), self._flat_gradient.copy())
        return copy

    def __repr__(self) -> str:
        return f"<Parameter {self.name} {self.shape}>"


def call_initializer(initializer: Callable[..., Any], shape: tuple[int, ...], generator: np.random.Generator) -> Any:
    """Draw first values; only an initializer that names `generator` in its signature gets one."""
    try:
        draws = "generator" in inspect.signature(initializer).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature
        draws = False
    return initializer(shape, generator=generator) if draws else initializer(shape)


class FlatLayout:
    """Where each parameter lies in a flat buffer: one after the other, each aligned to 64 bytes."""

    def __init__(self, parameters: Iterable[Parameter], dtype: Any):
        self.dtype = np.dtype(dtype)
        self.slices: dict[Parameter, slice] = {}
        step = ALIGNMENT // self.dtype.itemsize
        used = 0
        for parameter in parameters:
            self.slices[parameter] = slice(used, used + parameter.size)
            used += -(-parameter.size // step) * step
        self.size = used

    def zeros(self) -> np.ndarray:
        """A buffer of this layout."""
        return aligned_zeros(self.size, self.dtype)
