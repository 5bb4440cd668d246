"""The prepared form of every kernel, declared once, and the check of a prepared call.

A prepared call is positional: arrays and integers only, outputs passed in. A declaration lists its arguments in order. An array is
``name[axes]``; the same word in two places means the same size, ``...`` any axes, and a number exactly that size. Around it:

    *name          the kernel writes it
    name[axes]?    may be empty, shape (0,), for "none"
    name[axes]^    Fortran order is as good as C order
    name[…]:dtype  its dtype; without one, float32 or float64, the same for all such arrays of the call
    name=          a hint at the end, which may be left out and changes no result beyond rounding: only the fast kernels take it

Everything else is an integer, whose range is in `INTEGERS`.
"""

import re
from typing import Any, NamedTuple

import numpy as np

from jitcnn.forms.codes import ALGORITHMS, PADDINGS, POOLS
from jitcnn.forms.relations import RELATIONS

IMAGE = "images,rows,columns,channels"
Y_IMAGE = "images,y_rows,y_columns,channels"
CONV_Y = "images,y_rows,y_columns,filters"
KERNEL = "kernel_rows,kernel_columns,channels,filters"
TURN = "step[1]:int64 first[1]:int64"

DECLARATIONS = {
    "conv2d": f"x[{IMAGE}] w[{KERNEL}] b[filters]? *y[{CONV_Y}] stride_h stride_w top left algorithm=",
    "conv2d_grad_input": f"grad_y[{CONV_Y}] w[{KERNEL}] *grad_x[{IMAGE}] stride_h stride_w top left algorithm=",
    "conv2d_grad_weights": f"grad_y[{CONV_Y}] x[{IMAGE}] *grad_w[{KERNEL}] stride_h stride_w top left algorithm=",
    "bias_grad": "grad_y[images,...,filters] *grad_b[filters]",
    "pad2d": f"x[{IMAGE}] *y[{Y_IMAGE}] top left mode",
    "pad2d_grad_input": f"grad_y[{Y_IMAGE}] *grad_x[{IMAGE}] top left mode",
    "pool2d": f"x[{IMAGE}] *y[{Y_IMAGE}] kernel_h kernel_w stride_h stride_w top left kind",
    "pool2d_grad_input": f"grad_y[{Y_IMAGE}] x[{IMAGE}] y[{Y_IMAGE}] *grad_x[{IMAGE}] kernel_h kernel_w stride_h stride_w top left kind",
    "dense": "x[images,inputs] w[inputs,units]^ b[units]? *y[images,units]",
    "dense_grad_input": "grad_y[images,units] w[inputs,units]^ *grad_x[images,inputs]",
    "dense_grad_weights": "grad_y[images,units] x[images,inputs] *grad_w[inputs,units]^",
    "upsample2d": f"x[{IMAGE}] *y[{Y_IMAGE}] factor_h factor_w",
    "upsample2d_grad_input": f"grad_y[{Y_IMAGE}] *grad_x[{IMAGE}] factor_h factor_w",
    "relu": "x[...] *y[...]",
    "sigmoid": "x[...] *y[...]",
    "tanh": "x[...] *y[...]",
    "softmax": "x[images,...,classes] *y[images,...,classes]",
    "relu_grad": "grad_y[...] y[...] *grad_x[...]",
    "sigmoid_grad": "grad_y[...] y[...] *grad_x[...]",
    "tanh_grad": "grad_y[...] y[...] *grad_x[...]",
    "softmax_grad": "grad_y[images,...,classes] y[images,...,classes] *grad_x[images,...,classes]",
    "dropout": "x[images,...] *y[images,...] threshold seed step[1]:int64",
    "cross_entropy": "logits[images,classes] labels[images]:int64 *losses[images] *grad[images,classes]",
    "soft_cross_entropy": "logits[images,classes] targets[images,classes] *losses[images] *grad[images,classes]",
    "binary_cross_entropy": "logits[images,classes] targets[images,classes] *losses[images] *grad[images,classes]",
    "mse": "y[images,outputs] targets[images,outputs] *losses[images] *grad[images,outputs]",
    "smooth_labels": "targets[images,classes] smoothing[1]:float64 *y[images,classes]",
    "scale_rows": "x[images,...] scales[images] *y[images,...]",
    "sgd": f"*w[size] g[size] hyper[steps,2]:float64 {TURN}",
    "momentum": f"*w[size] g[size] *v[size] hyper[steps,3]:float64 {TURN}",
    "nesterov": f"*w[size] g[size] *v[size] hyper[steps,3]:float64 {TURN}",
    "rmsprop": f"*w[size] g[size] *v[size] hyper[steps,4]:float64 {TURN}",
    "adagrad": f"*w[size] g[size] *v[size] hyper[steps,3]:float64 {TURN}",
    "adadelta": f"*w[size] g[size] *v[size] *u[size] hyper[steps,4]:float64 {TURN}",
    "adam": f"*w[size] g[size] *m[size] *v[size] hyper[steps,5]:float64 {TURN}",
    "adamax": f"*w[size] g[size] *m[size] *u[size] hyper[steps,5]:float64 {TURN}",
    "adamw": f"*w[size] g[size] *m[size] *v[size] hyper[steps,5]:float64 {TURN}",
    "clip_norm": "g[size] limit[1]:float64 *y[size]",
    "take_images": f"images[count,rows,columns,channels]:pixels order[items]:int64 position[1]:int64 *y[{IMAGE}] normalize",
    "standardize": f"x[{IMAGE}] mean[channels]:float64 deviation[channels]:float64 *y[{IMAGE}]",
    "take_labels": "labels[count,...]:labels order[items]:int64 position[1]:int64 *y[images,...]:labels",
    "augment_images": "images[count,rows,columns,channels]:pixels order[items]:int64 position[1]:int64 turn[2]:int64 settings[10]:float64 "
    f"*y[{IMAGE}] normalize seed",
    "mix_labels": "labels[count,...]:targets order[items]:int64 position[1]:int64 turn[2]:int64 settings[10]:float64 "
    "*y[images,classes] seed",
    "score": "outputs[images,classes] labels[images]:int64 *hits[images]:int64 most",
    "score_binary": "outputs[images,classes] targets[images,classes] *hits[images]:int64",
}

INTEGERS: dict[str, tuple[int, int | None]] = {  # the smallest and the largest value
    **dict.fromkeys(("stride_h", "stride_w", "kernel_h", "kernel_w", "factor_h", "factor_w"), (1, None)),
    **dict.fromkeys(("top", "left"), (0, None)),
    "algorithm": (0, len(ALGORITHMS) - 1),
    "mode": (0, len(PADDINGS) - 1),
    "kind": (0, len(POOLS) - 1),
    "threshold": (0, 2**32 - 1),
    "seed": (-(2**63), 2**63 - 1),
    "normalize": (0, 1),
    "most": (1, None),
}

FLOAT = (np.dtype(np.float32), np.dtype(np.float64))
DTYPES = {
    "float": FLOAT,
    "labels": (np.dtype(np.int64), *FLOAT),
    "targets": (np.dtype(np.int64), *FLOAT),
    "pixels": (np.dtype(np.uint8), *FLOAT),
    "int64": (np.dtype(np.int64),),
    "float64": (np.dtype(np.float64),),
}
ONE_DTYPE = ("float", "labels")  # kinds of which a call has one dtype


class Argument(NamedTuple):
    """One argument of a prepared form; `axes` is None for an integer."""

    name: str
    axes: tuple[str, ...] | None
    written: bool
    may_be_none: bool
    any_order: bool
    dtype: str
    hint: bool


def _argument(text: str) -> Argument:
    written, name, axes, marks, dtype, hint = re.fullmatch(r"(\*?)(\w+)(?:\[(.*)\]([?^]?)(?::(\w+))?)?(=?)", text).groups()  # type: ignore[union-attr]
    return Argument(name, tuple(axes.split(",")) if axes else None, bool(written), marks == "?", marks == "^", dtype or "float", bool(hint))


ARGUMENTS = {name: tuple(map(_argument, text.split())) for name, text in DECLARATIONS.items()}


def without_hints(name: str, arguments: tuple[Any, ...] | list[Any]) -> tuple[Any, ...]:
    """The arguments of a prepared call that the loops take."""
    return tuple(arguments[: sum(not argument.hint for argument in ARGUMENTS[name])])


def check(name: str, *arguments: Any) -> None:
    """Raise a ValueError unless a prepared call can run without touching memory that is not its own.

    Parameters
    ----------
    name
        The kernel, a key of `DECLARATIONS`.
    *arguments
        What it is called with. Arrays are whatever has a shape and a dtype; of NumPy arrays, the memory order and whether they can be
        written are checked too. What the numbers in them point to (labels, orders) is not read, nor is overlap looked for.

    Raises
    ------
    ValueError
        With the kernel, the argument, what came and what was expected.
    """
    if name not in ARGUMENTS:
        raise ValueError(f"{name!r} is no kernel: expected one of {', '.join(ARGUMENTS)}")
    declared = ARGUMENTS[name]
    if declared[-1].hint and len(arguments) == len(declared) - 1:
        declared = declared[:-1]
    if len(arguments) != len(declared):
        raise ValueError(f"{name} takes {len(declared)} arguments, ({', '.join(a.name for a in declared)}), and was given {len(arguments)}")
    sizes: dict[str, Any] = {}
    dtypes: dict[str, tuple[str, np.dtype]] = {}
    for argument, value in zip(declared, arguments, strict=True):
        try:
            if argument.axes is None:
                _check_integer(argument.name, value)
            else:
                _check_array(argument, value)
                _check_dtype(argument, value, dtypes)
                _check_shape(argument, tuple(value.shape), sizes)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if name in RELATIONS:
        try:
            RELATIONS[name](**{argument.name: value for argument, value in zip(declared, arguments, strict=True)})
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _check_integer(name: str, value: Any) -> None:
    low, high = INTEGERS[name]
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} is {value!r}, expected an integer")
    if value < low or (high is not None and value > high):
        raise ValueError(f"{name} is {value}, expected " + (f"at least {low}" if high is None else f"{low} to {high}"))


def _check_array(argument: Argument, value: Any) -> None:
    name = argument.name
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise ValueError(f"{name} is a {type(value).__name__}, expected an array")
    if isinstance(value, np.ndarray):
        flags = value.flags
        if not (flags.c_contiguous or (argument.any_order and flags.f_contiguous)) or not flags.aligned:
            raise ValueError(f"{name} must be C-contiguous and aligned: give np.ascontiguousarray({name})")
        if argument.written and not flags.writeable:
            raise ValueError(f"{name} is written but is read-only: give an array of its own")


def _check_dtype(argument: Argument, value: Any, seen: dict[str, tuple[str, np.dtype]]) -> None:
    dtype = np.dtype(value.dtype)
    allowed = DTYPES[argument.dtype]
    if dtype not in allowed:
        raise ValueError(f"{argument.name} is {dtype}, expected {' or '.join(map(str, allowed))}")
    if argument.dtype in ONE_DTYPE:
        first, expected = seen.setdefault(argument.dtype, (argument.name, dtype))
        if dtype != expected:
            raise ValueError(f"{argument.name} is {dtype} and {first} is {expected}, expected one dtype in a call")


def _check_shape(argument: Argument, shape: tuple[int, ...], sizes: dict[str, Any]) -> None:
    """Compare a shape with the sizes that earlier arguments gave to words, and take up the new ones."""
    name, axes = argument.name, argument.axes or ()
    if argument.may_be_none and shape == (0,):
        return
    named = [axis for axis in axes if axis != "..."]
    if len(shape) < max(len(named), 1) or (len(shape) > len(named) and "..." not in axes):
        raise ValueError(f"{name} is {shape}, expected {_spell(axes, sizes)}")
    if 0 in shape:
        raise ValueError(f"{name} is {shape}: every axis needs at least one entry")
    known = dict(sizes)
    for axis, size in _match(axes, shape):
        if axis.isdigit():
            if size != int(axis):
                raise ValueError(f"{name} is {shape}, expected {_spell(axes, known)}")
            continue
        expected, where = sizes.setdefault(axis, (size, f"{name} {shape}"))
        if size != expected:
            what = "other sizes" if axis == "..." else f"{axis.replace('_', ' ')} {size}"
            raise ValueError(f"{name} is {shape} with {what}, expected {_spell(axes, known)}: it is {_text(expected)} in {where}")


def _match(axes: tuple[str, ...], shape: tuple[int, ...]) -> list[tuple[str, Any]]:
    """Each word of `axes` with its size; `...` with the tuple of sizes it stands for."""
    if "..." not in axes:
        return list(zip(axes, shape, strict=True))
    before = axes.index("...")
    behind = len(axes) - before - 1
    middle = len(shape) - behind
    rest = zip(axes[:before] + axes[before + 1 :], shape[:before] + shape[middle:], strict=True)
    return [*rest, ("...", shape[before:middle])]


def _text(size: Any) -> str:
    return ", ".join(map(str, size)) if isinstance(size, tuple) else str(size)


def _spell(axes: tuple[str, ...], sizes: dict[str, Any]) -> str:
    """The expected shape: known sizes as numbers, the rest as words."""
    words = [_text(sizes[axis][0]) if axis in sizes else axis.replace("_", " ") for axis in axes]
    inside = ", ".join(word for word in words if word)
    return f"({inside},)" if len(axes) == 1 and axes != ("...",) else f"({inside})"
