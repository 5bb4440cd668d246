"""What the fast kernels are compared with: the same public functions over the compiled loops, given the same numbers in float64."""

import inspect
from types import SimpleNamespace

import numpy as np

from jitcnn import kernels
from jitcnn.forms import bind_all
from jitcnn.forms.prepared import without_hints
from jitcnn.reference.compiled import compiled

LIMIT = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
LOOPS = SimpleNamespace(**bind_all(lambda name, *arguments: compiled(name)(*without_hints(name, arguments)), "loops"))
IN_PLACE = ("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "adamw")
MARGIN, UNTOUCHED = 64, 77


class Guarded:
    """An array for a kernel's output, with numbers in front and behind that must stay as they are."""

    def __init__(self, shape, dtype, order="C"):
        size = int(np.prod(shape))
        self.memory = np.full(size + 2 * MARGIN, UNTOUCHED, dtype)
        self.array = self.memory[MARGIN : MARGIN + size].reshape(shape, order=order)

    def check(self):
        assert (self.memory[:MARGIN] == UNTOUCHED).all() and (self.memory[-MARGIN:] == UNTOUCHED).all(), "written outside of the output"


def assert_near(found, truth, limit=None):
    """max |found - truth| / max |truth| is within the limit of the dtype, and NaN and infinity are in the same places."""
    found, truth = np.asarray(found), np.asarray(truth)
    assert found.shape == truth.shape
    finite = np.isfinite(truth)
    np.testing.assert_array_equal(found[~finite], truth[~finite])
    difference = np.abs(found[finite] - truth[finite]).max(initial=0)
    limit = LIMIT.get(found.dtype, 0) if limit is None else limit
    assert difference <= limit * np.abs(truth[finite]).max(initial=0), f"{difference} in {found.shape} of {found.dtype}"


def wide(value):
    """Float arrays in float64, in the same memory order; everything else as it is."""
    if isinstance(value, kernels.PoolState):
        return value._replace(x=wide(value.x), y=wide(value.y))
    is_float = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(np.float64, order="K", copy=True) if is_float else value


def arrays_of(results):
    """The arrays among what a public function returned."""
    return [each for each in (results if isinstance(results, tuple) else (results,)) if isinstance(each, np.ndarray)]


def agree(name, *arguments, order="C", **settings):
    """Call a public kernel and its twin in float64, and compare all that they give or change. Returns what the fast kernel gives."""
    own = [value.copy(order="K") if name in IN_PLACE and isinstance(value, np.ndarray) else value for value in arguments]
    truth_of = [wide(value) for value in arguments]
    truth = getattr(LOOPS, name)(*truth_of, **(settings | {"dtype": "float64"} if "dtype" in settings else settings))
    function = getattr(kernels, name)
    guard = None
    if name not in IN_PLACE and "out" in inspect.signature(function).parameters:
        first = arrays_of(truth)[0]
        guard = Guarded(first.shape, settings.get("dtype", arguments[0].dtype) if first.dtype.kind == "f" else first.dtype, order)
        settings["out"] = guard.array
    found = function(*own, **settings)
    for a, b in zip(arrays_of(found), arrays_of(truth), strict=True):
        assert_near(a, b)
    for a, b in zip(own, truth_of, strict=True):
        if isinstance(a, np.ndarray) and name in IN_PLACE:
            assert_near(a, b)
    if isinstance(truth, tuple) and isinstance(truth[0], float):
        assert np.isclose(found[0], truth[0], rtol=1e-5 if guard.array.dtype == np.float32 else 1e-12, equal_nan=True)
    if guard:
        guard.check()
    return found
