"""What every public form does with arrays: take them without a copy where possible, and give outputs a place.

Compiled code trusts what it is given. So everything that reaches it is here made, or found to be, a C-contiguous, aligned array of
float32 or float64 in the processor's byte order, and outputs are writable and lie apart from the inputs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jitcnn.forms.geometry import no_empty_axis

Array = np.ndarray
ArrayLike = Any  # whatever has __array_interface__, __array__ or __dlpack__ (a PyTorch tensor on the CPU), or nested sequences of floats

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
SHARING = ("__array_interface__", "__array_struct__", "__array__", "__dlpack__")

IMAGES = ("images", "rows", "columns", "channels")
KERNEL = ("kernel rows", "kernel columns", "channels", "filters")


def take(name: str, value: ArrayLike) -> Array:
    """Any array, of any dtype, as it is: memory is shared with whatever can share it.

    Raises
    ------
    ValueError
        If `value` cannot be read as an array (a tensor on a GPU or one that records gradients, a ragged list).
    """
    if type(value) is np.ndarray:
        return value
    only_dlpack = hasattr(value, "__dlpack__") and not any(hasattr(value, way) for way in SHARING[:3])
    try:
        return np.from_dlpack(value) if only_dlpack else np.asarray(value)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from error


def floating(name: str, value: ArrayLike, axes: Sequence[str] | None = None) -> Array:
    """A C-contiguous, aligned float array: `value` itself where it is one, else a copy.

    Parameters
    ----------
    name
        The argument's name, for messages.
    value
        Anything `take` reads.
    axes
        What the axes mean, one word an axis; None for any number of axes from one up.

    Raises
    ------
    ValueError
        If the dtype is not float32 or float64 in the processor's byte order, the number of axes is wrong, or an axis is empty.
    """
    array = floating_any_order(name, value, axes)
    return array if array.flags.c_contiguous and array.flags.aligned else np.require(array, requirements=["C", "A"])


def floating_any_order(name: str, value: ArrayLike, axes: Sequence[str] | None = None) -> Array:
    """As `floating`, in whatever memory order `value` has."""
    array = take(name, value)
    if array.dtype not in FLOATS:
        raise ValueError(f"{name} is {array.dtype}, expected float32 or float64 in native byte order: give {name}.astype(np.float32)")
    check_axes(name, array, axes)
    return array


def check_axes(name: str, array: Array, axes: Sequence[str] | None) -> None:
    """Raise a ValueError unless `array` has these axes (at least one where `axes` is None) and none of them is empty."""
    if axes is None and array.ndim == 0:
        raise ValueError(f"{name} is a single number, expected an array of at least one axis: give np.atleast_1d({name})")
    if axes is not None and array.ndim != len(axes):
        hint = ""
        if array.ndim == len(axes) - 1 and tuple(axes) == IMAGES:
            hint = f": add the channel axis, {name}[..., None], or the image axis, {name}[None]"
        raise ValueError(f"{name} is {array.shape}, expected {len(axes)} axes ({', '.join(axes)}){hint}")
    no_empty_axis(name, array.shape, axes)


def matrix(name: str, value: ArrayLike, axes: Sequence[str]) -> Array:
    """A float matrix in C or Fortran order (dense weights go through as they are), else a copy in C order."""
    array = floating_any_order(name, value, axes)
    if (array.flags.c_contiguous or array.flags.f_contiguous) and array.flags.aligned:
        return array
    return np.require(array, requirements=["C", "A"])


def same_dtype(**arrays: Array) -> None:
    """Raise a ValueError unless all arrays have one dtype."""
    (first, array), *rest = arrays.items()
    for name, other in rest:
        if other.dtype != array.dtype:
            raise ValueError(
                f"{name} is {other.dtype} and {first} is {array.dtype}, expected one dtype in a call: give {name}.astype({first}.dtype)"
            )


def in_place(name: str, value: ArrayLike, any_order: bool = False) -> Array:
    """An array that can be written where it lies: shared, not copied; C-contiguous (or also Fortran), aligned, writable.

    Raises
    ------
    ValueError
        If writing to the result would not write to `value`.
    """
    if type(value) is not np.ndarray and not any(hasattr(value, way) for way in SHARING):
        raise ValueError(f"{name} is a {type(value).__name__}, expected an array to write to: give a NumPy array")
    array = take(name, value)
    contiguous = array.flags.c_contiguous or (any_order and array.flags.f_contiguous)
    if not (contiguous and array.flags.aligned):
        raise ValueError(f"{name} is written in place and must be C-contiguous and aligned: give np.ascontiguousarray({name})")
    if not array.flags.writeable:
        raise ValueError(f"{name} is written in place but is read-only: give {name}.copy()")
    return array


def output(
    out: ArrayLike | None,
    shape: tuple[int, ...],
    dtype: np.dtype,
    *inputs: Array,
    instead_of: Array | None = None,
    any_order: bool = False,
) -> Array:
    """The array that a kernel writes: `out`, checked, or a new one.

    Parameters
    ----------
    out
        What the caller gave as `out=`.
    shape, dtype
        What it must have.
    *inputs
        Prepared arrays that the kernel reads, which `out` must not overlap.
    instead_of
        The input that `out` may be, exactly (elementwise kernels work in place).
    any_order
        Whether Fortran order is as good as C order.

    Raises
    ------
    ValueError
        If `out` has another shape or dtype, cannot be written in place, or overlaps an input.
    """
    if out is None:
        return np.empty(shape, dtype)
    array = in_place("out", out, any_order)
    if array.shape != tuple(shape) or array.dtype != dtype:
        raise ValueError(
            f"out is {array.shape} of {array.dtype}, expected {tuple(shape)} of {dtype}: give np.empty({tuple(shape)}, np.{dtype})"
        )
    apart(out=array, inputs=[a for a in inputs if not (a is instead_of and is_same(a, array))])
    return array


def apart(out: Array, inputs: Sequence[Array], name: str = "out") -> None:
    """Raise a ValueError if `out` shares memory with an input. All are contiguous, so comparing their bounds is exact."""
    if any(np.may_share_memory(out, array) for array in inputs):
        raise ValueError(f"{name} overlaps an input, which would be overwritten while it is read: give an array of its own")


def is_same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same numbers in memory."""
    return a.shape == b.shape and a.dtype == b.dtype and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
