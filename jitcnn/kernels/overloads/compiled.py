"""How kernels for callers in compiled code are compiled: once for each combination of argument types, and kept on disk.

The caller gets a call to an address. Numba would rather link the machine code into every caller and optimise it there again, which takes
seconds a caller. The price: an address is another in the next process, so Numba keeps no such caller on disk, and says so in a warning.
"""

import functools
import inspect
from collections.abc import Callable
from types import FunctionType

import numba
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload

from jitcnn.kernels.compiling import njit, rename

SERIAL = {"error_model": "numpy", "fastmath": False}  # said aloud: compiled code hands its own settings down

POSITIONAL, EMPTY = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty

serial = numba.njit(**SERIAL)


@functools.cache
def compile_for(function: Callable, arguments: tuple[types.Type, ...]):
    """`function` for arguments of these types, under a name of its own, as the cache on disk needs."""
    own = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    own.__module__, own.__qualname__ = function.__module__, function.__qualname__
    rename(own, ("inside", arguments))
    return njit(arguments, no_cpython_wrapper=True, no_cfunc_wrapper=True, **SERIAL)(own)


def at_address(compiled, parameters: str):
    """An intrinsic that calls a compiled function where it lies in memory."""
    (result,) = compiled.overloads.values()
    signature, address = result.signature, result.library.get_pointer_to_function(result.fndesc.llvm_func_name)

    def build(context, builder, _, arguments):
        kind = context.call_conv.get_function_type(signature.return_type, signature.args)
        function = builder.bitcast(context.add_dynamic_addr(builder, address, compiled.__name__), kind.as_pointer())
        status, value = context.call_conv.call_function(builder, function, signature.return_type, signature.args, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return value

    return intrinsic(eval(f"lambda typing, {parameters}: answer", {"answer": (signature, build)}))


def argument_type(value) -> types.Type:
    """The type of an argument: as given, or that of a default."""
    if isinstance(value, types.Omitted):
        value = value.value
    return types.unliteral(value) if isinstance(value, types.Type) else numba.typeof(value)


def callable_inside(name: str, public: Callable) -> None:
    """Let compiled code call `public`, which there runs the function `name` of `bodies`, imported when it is first needed."""
    parameters = [parameter.replace(kind=POSITIONAL, annotation=EMPTY) for parameter in inspect.signature(public).parameters.values()]
    signature = inspect.Signature(parameters)  # Numba knows no keyword-only arguments here
    names = ", ".join(signature.parameters)

    def choose(*args, **kwargs):
        from jitcnn.kernels.overloads.bodies import BODIES

        if name not in BODIES:
            raise TypingError(f"{name} cannot be called in compiled code")
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        compiled = compile_for(BODIES[name], tuple(map(argument_type, bound.arguments.values())))
        forward = eval(f"lambda {str(signature)[1:-1]}: call({names})", {"call": at_address(compiled, names)})
        forward.__module__, forward.__qualname__ = __name__, f"{name}.forward"
        return forward

    overload(public, jit_options=SERIAL, strict=False)(choose)


def literal(value: types.Type):
    """The value of an argument that is written out in the code."""
    if not isinstance(value, types.Literal):
        raise TypingError(
            f"expected a literal, not {value}"
        )  # Numba asks a second time without literals where the first answer was an error
    return value.literal_value


def by_type(choose: Callable) -> Callable:
    """Decorator of a helper in compiled code: it gets the types of its arguments and returns the function to compile for them."""

    @functools.wraps(choose)
    def helper(*_):
        raise NotImplementedError(f"{choose.__name__} is for compiled code")

    overload(helper, jit_options=SERIAL, strict=False, prefer_literal=True)(choose)
    return helper
