"""How public functions are made: a form with the function that runs prepared calls as its first argument already given."""

import functools
import inspect
from collections.abc import Callable

Call = Callable[..., None]  # call(name, *prepared arguments): checks a prepared call and runs it


def bind(form: Callable, call: Call, module: str, prepared_name: str) -> Callable:
    """The public function of a form: its signature and docstring without the leading `call`.

    Parameters
    ----------
    form
        A function of this package whose first parameter is `call`.
    call
        What runs ``call(name, *prepared arguments)``.
    module
        Where the public function lives, its `__module__`.
    prepared_name
        The kernel whose prepared form stands for the function in ``step.call``, its `prepared_name`.
    """

    @functools.wraps(form)
    def public(*args, **kwargs):
        return form(call, *args, **kwargs)

    del public.__wrapped__  # its signature would show `call`
    signature = inspect.signature(form)
    public.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    public.__annotations__ = {name: hint for name, hint in form.__annotations__.items() if name != "call"}
    public.__module__ = module
    public.prepared_name = prepared_name  # type: ignore[attr-defined]
    return public
