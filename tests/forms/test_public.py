"""Every public function against inputs and outputs that are wrong in each way that arrays can be wrong, and unusual but right ones."""

import numpy as np
import pytest

from jitcnn import reference
from jitcnn.forms import NAMES, bind_all
from tests.foreign_arrays import DLPack, Interface
from tests.forms.cases import (
    ANY_AXES,
    CASES,
    ELEMENTWISE,
    EVERY_INPUT,
    EVERY_READ_INPUT,
    IN_PLACE,
    WITH_DTYPE,
    array_of,
    case,
    float_arguments,
    numbers,
    run,
)


def test_there_is_a_case_for_every_function():
    assert set(CASES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_float32_gives_float32_close_to_float64(name):
    double, single = (array_of(run(name, *case(name, dtype))) for dtype in (np.float64, np.float32))
    assert double.dtype == single.dtype or (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, double, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "key"), EVERY_INPUT)
@pytest.mark.parametrize("dtype", ["float16", "int64", "complex128", "object", ">f8"])
def test_other_dtypes(name, key, dtype):
    arguments, keywords = case(name)
    arguments[key] = arguments[key].astype(dtype)
    if name in ("take_labels", "mix_labels") and dtype == "int64":
        arguments[key] = arguments[key].astype(np.int32)
    with pytest.raises(ValueError, match=rf"{key}.* (is|are) .*expected .*float32.* or float64"):
        run(name, arguments, keywords)


@pytest.mark.parametrize(("name", "key"), [(n, k) for n, k in EVERY_INPUT if len(float_arguments(n)) > 1])
def test_mixed_dtypes(name, key):
    arguments, keywords = case(name)
    arguments[key] = arguments[key].astype(np.float32)
    with pytest.raises(ValueError, match="expected one dtype in a call"):
        run(name, arguments, keywords)


@pytest.mark.parametrize(("name", "key"), EVERY_INPUT)
def test_wrong_number_of_axes(name, key):
    arguments, keywords = case(name)
    right = arguments[key]
    wrong = [right.reshape(-1, *right.shape[2:]), right[None]] if name not in ANY_AXES else [right.ravel()[0]]
    if right.ndim == 1:
        wrong = wrong[1:]
    for array in wrong:
        arguments[key] = array
        with pytest.raises(ValueError, match=rf"{key}.* (is|are) .*expected"):
            run(name, arguments, keywords)


@pytest.mark.parametrize(("name", "key"), EVERY_INPUT)
def test_empty_axes(name, key):
    arguments, keywords = case(name)
    right = arguments[key]
    for axis in range(right.ndim):
        arguments[key] = np.empty([0 if index == axis else size for index, size in enumerate(right.shape)])
        with pytest.raises(ValueError, match=rf"{key}.* (is|are) \(.*0.*\), which has no .*: every axis needs at least one entry"):
            run(name, arguments, keywords)


@pytest.mark.parametrize(("name", "key"), [(n, k) for n, k in EVERY_INPUT if len(float_arguments(n)) > 1])
def test_sizes_that_do_not_fit_together(name, key):
    arguments, keywords = case(name)
    arguments[key] = np.concatenate([arguments[key]] * 2, axis=-1)
    if name in ("conv2d", "dense", "dense_grad_weights", "scale_rows"):
        arguments[key] = np.concatenate([arguments[key]] * 2)
    with pytest.raises(ValueError, match="expected"):
        run(name, arguments, keywords)


def strided(array):
    """The same numbers with a gap behind each."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def unaligned(array):
    data = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    data[...] = array
    assert not data.flags.aligned
    return data


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("unusual", [strided, unaligned, read_only, np.asfortranarray, lambda a: a.tolist()])
@pytest.mark.parametrize(("name", "key"), EVERY_READ_INPUT)
def test_unusual_inputs_give_the_same(name, key, unusual):
    arguments, keywords = case(name)
    expected = array_of(run(name, *case(name)))
    arguments[key] = unusual(arguments[key])
    np.testing.assert_array_equal(array_of(run(name, arguments, keywords)), expected)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in IN_PLACE.items() for key in keys])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (strided, "in place and must be C-contiguous"),
        (unaligned, "aligned"),
        (read_only, "read-only"),
        (lambda a: a.tolist(), " a list, expected an array to write to"),
    ],
)
def test_arrays_that_cannot_be_changed_in_place(name, key, wrong, message):
    arguments, keywords = case(name)
    arguments[key] = wrong(arguments[key])
    with pytest.raises(ValueError, match=f"^{key} is.*{message}"):
        run(name, arguments, keywords)


@pytest.mark.parametrize("name", NAMES)
def test_out_is_filled_and_returned(name):
    expected = array_of(run(name, *case(name)))
    out = np.full_like(expected, 7)
    assert array_of(run(name, *case(name), out=out)) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", NAMES)
def test_out_that_does_not_fit(name):
    right = array_of(run(name, *case(name)))
    other = np.int32 if right.dtype.kind == "i" else np.float32
    for wrong, message in [
        (np.empty((*right.shape, 1), right.dtype), r"out is \(.*expected \("),
        (np.empty((*right.shape[:-1], right.shape[-1] + 1), right.dtype), r"out is \(.*expected \("),
        (right.astype(other), "float64|int64"),
        (strided(right), "out is written in place and must be C-contiguous"),
        (unaligned(right), "aligned"),
        (read_only(right), "out is written in place but is read-only"),
        (right.tolist(), "out is a list, expected an array to write to"),
    ]:
        if name in WITH_DTYPE and wrong is not right and getattr(wrong, "dtype", None) == np.float32:
            continue  # there, out decides the dtype
        with pytest.raises(ValueError, match=message):
            run(name, *case(name), out=wrong)


@pytest.mark.parametrize(("name", "key"), EVERY_READ_INPUT)
def test_out_that_overlaps_an_input(name, key):
    arguments, keywords = case(name)
    right = array_of(run(name, *case(name)))
    memory = np.zeros(max(right.nbytes, arguments[key].nbytes) // 8 + 1)
    shared = memory[: arguments[key].size].reshape(arguments[key].shape)
    shared[...] = arguments[key]
    arguments[key] = shared
    out = memory[1 : 1 + right.size].view(right.dtype).reshape(right.shape)
    with pytest.raises(ValueError, match="out overlaps an input"):
        run(name, arguments, keywords, out=out)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_in_place(name):
    arguments, keywords = case(name)
    first = next(iter(arguments))
    expected = run(name, *case(name))
    assert run(name, arguments, keywords, out=arguments[first]) is arguments[first]
    np.testing.assert_array_equal(arguments[first], expected)


@pytest.mark.parametrize("name", ["relu_grad", "sigmoid_grad", "tanh_grad", "softmax_grad"])
def test_gradients_in_place_of_y_are_refused(name):
    arguments, keywords = case(name)
    with pytest.raises(ValueError, match="out overlaps an input"):
        run(name, arguments, keywords, out=arguments["y"])


@pytest.mark.parametrize("name", IN_PLACE)
def test_updates_are_in_place_unless_out_is_given(name):
    arguments, keywords = case(name)
    before = arguments["w"].copy()
    assert run(name, arguments, keywords) is arguments["w"]
    assert not np.array_equal(arguments["w"], before)
    again, keywords = case(name)
    new = run(name, again, keywords, out=np.empty_like(before))
    np.testing.assert_array_equal(again["w"], before)
    np.testing.assert_array_equal(new, arguments["w"])


@pytest.mark.parametrize(
    ("name", "first", "second"), [("sgd", "w", "g"), ("momentum", "w", "v"), ("momentum", "v", "g"), ("adam", "m", "v"), ("adam", "w", "m")]
)
def test_updates_of_overlapping_arrays(name, first, second):
    arguments, keywords = case(name)
    arguments[second] = arguments[first]
    with pytest.raises(ValueError, match=f"({first}|{second}) overlaps an input"):
        run(name, arguments, keywords)


@pytest.mark.parametrize("wrapper", [Interface, DLPack])
@pytest.mark.parametrize("name", NAMES)
def test_arrays_of_other_libraries_share_their_memory(name, wrapper):
    arguments, keywords = case(name)
    expected = array_of(run(name, *case(name)))
    out = np.zeros_like(expected)
    wrapped = {key: wrapper(value) if isinstance(value, np.ndarray) else value for key, value in arguments.items()}
    run(name, wrapped, keywords, out=wrapper(out))
    np.testing.assert_array_equal(out, expected)
    if name in IN_PLACE:
        run(name, wrapped, keywords)
        assert not np.array_equal(arguments["w"], case(name)[0]["w"])


def test_inputs_are_not_copied():
    seen = {}
    public = bind_all(lambda name, *arguments: seen.update({name: arguments}), "test")
    x, w = numbers(2, 5, 5, 1), numbers(3, 3, 1, 2)
    public["conv2d"](Interface(x), DLPack(w))
    assert np.shares_memory(seen["conv2d"][0], x) and np.shares_memory(seen["conv2d"][1], w)
    transposed = numbers(3, 5).T
    public["dense"](numbers(2, 5), transposed)
    assert seen["dense"][1] is transposed


def test_a_gpu_tensor_is_a_precise_error():
    class Device:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    with pytest.raises(ValueError, match="x cannot be read as an array: can't convert cuda"):
        reference.relu(Device())
