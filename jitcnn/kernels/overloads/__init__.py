"""The public kernels inside somebody's own compiled code. Nothing of this is imported or compiled before such code calls one."""

from collections.abc import Callable, Iterable

from jitcnn.kernels.overloads.compiled import callable_inside


def register(functions: dict[str, Callable], names: Iterable[str]) -> None:
    """Let compiled code call these functions of a namespace."""
    for name in names:
        callable_inside(name, functions[name])
