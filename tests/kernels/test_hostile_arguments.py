"""No arguments make a public kernel read or write outside of its arrays: what is not refused gives what the plain loops give.

`tests/kernels/test_guard.py` runs this file again with every array against a page that nobody may touch.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from jitcnn import kernels, reference
from jitcnn.forms import NAMES
from tests.forms.cases import IN_PLACE, array_of, case

WHOLE = st.sampled_from([-(2**63), -(2**31), -1, 0, 1, 2, 3, 7, 2**40, 2**62, 2**63 - 1, 2**64])  # in between memory would be taken
PAIRS = WHOLE | st.tuples(WHOLE, WHOLE) | st.tuples(st.tuples(WHOLE, WHOLE), st.tuples(WHOLE, WHOLE))
REFUSALS = (ValueError, MemoryError)


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)
    other = memory[1:].view(array.dtype).reshape(array.shape)
    other[...] = array
    return other


def read_only(array):
    other = array.copy()
    other.flags.writeable = False
    return other


def one_number_everywhere(array):
    return as_strided(array.copy(), array.shape, (0,) * array.ndim)


ARRAYS = {
    "every second number": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1],
    "in Fortran order": np.asfortranarray,
    "unaligned": unaligned,
    "read-only": read_only,
    "one number everywhere": one_number_everywhere,
    "in the other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "one more": lambda a: np.concatenate([a, a[:1]]),
    "one less": lambda a: a[1:],
    "a wider last axis": lambda a: np.concatenate([a, a[..., :1]], axis=-1),
    "turned": lambda a: a.T,
    "empty": lambda a: a[:0],
    "without numbers": lambda a: a[..., :0],
    "one more axis": lambda a: a[None],
    "one axis less": lambda a: a[0],
    "half as wide": lambda a: a.astype(np.float32) if a.dtype == np.float64 else a.astype(np.int32),
    "huge numbers": lambda a: np.full_like(a, np.iinfo(a.dtype).max if a.dtype.kind in "iu" else 1e9),
    "below zero": lambda a: -np.abs(a) - 1 if a.dtype.kind == "i" else a,
}


@st.composite
def changed(draw, name):
    """The arguments of a call, one or two of them changed."""
    arguments, keywords = case(name)
    for key in draw(st.lists(st.sampled_from([*arguments, *keywords]), min_size=1, max_size=2, unique=True)):
        place = arguments if key in arguments else keywords
        value = place[key]
        if isinstance(value, kernels.PoolState):
            field = draw(st.sampled_from(value._fields))
            old = getattr(value, field)
            new = ARRAYS[draw(st.sampled_from(sorted(ARRAYS)))](old) if isinstance(old, np.ndarray) else draw(PAIRS)
            place[key] = value._replace(**{field: new})
        elif isinstance(value, np.ndarray):
            place[key] = ARRAYS[draw(st.sampled_from(sorted(ARRAYS)))](value)
        elif key.endswith("_shape"):
            place[key] = tuple(draw(st.sampled_from([size, size + 1, size - 1, 0, -size, 2**40, 2**62])) for size in value)
        elif not isinstance(value, str):
            place[key] = draw(PAIRS)
    return arguments, keywords


def outputs(right):
    """Arrays for `out=` that do not fit."""
    return {
        "too small": right[..., :-1].copy() if right.shape[-1] > 1 else right[:0],
        "read-only": read_only(right),
        "with gaps": np.repeat(right, 2, axis=-1)[..., ::2],
        "one number everywhere": one_number_everywhere(right),
    }


def answer(namespace, name, arguments, keywords):
    """The arrays that a call gives and changes; None if it is refused."""
    own = {
        key: value.copy() if key in IN_PLACE.get(name, ()) and isinstance(value, np.ndarray) else value for key, value in arguments.items()
    }
    try:
        with np.errstate(all="ignore"):
            result = getattr(namespace, name)(*own.values(), **keywords)
    except REFUSALS:
        return None
    results = result if isinstance(result, tuple) else (result,)
    return [np.asarray(each) for each in results if isinstance(each, np.ndarray | float)]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=max(6, settings().max_examples // 4))
def test_refused_or_right(name, data):
    arguments, keywords = data.draw(changed(name))
    found, truth = answer(kernels, name, arguments, keywords), answer(reference, name, arguments, keywords)
    assert (found is None) == (truth is None)
    for one, other in zip(found or (), truth or (), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4 if one.dtype == np.float32 else 1e-9, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_that_do_not_fit(name):
    arguments, keywords = case(name)
    right = array_of(getattr(kernels, name)(*arguments.values(), **keywords))
    for out in outputs(right).values():
        with pytest.raises(ValueError, match="out"):
            getattr(kernels, name)(*case(name)[0].values(), **keywords, out=out)
