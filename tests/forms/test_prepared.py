"""Prepared calls: valid ones pass with arrays and with anything that has a shape and a dtype; each wrong argument is named."""

from typing import NamedTuple

import numpy as np
import pytest

from jitcnn.forms.prepared import ARGUMENTS, DTYPES, check, without_hints
from jitcnn.reference import PREPARED

F, INT, D = np.dtype(np.float32), np.dtype(np.int64), np.dtype(np.float64)


class Symbol(NamedTuple):
    """A buffer that is not there yet."""

    shape: tuple
    dtype: np.dtype = F


X, W, Y = Symbol((2, 5, 6, 3)), Symbol((3, 2, 3, 4)), Symbol((2, 3, 3, 4))
POOLED = Symbol((2, 2, 3, 3))
MATRIX, LINE = Symbol((2, 3)), Symbol((7,))
TURN = (Symbol((1,), INT), Symbol((1,), INT))
VALID = {
    "conv2d": (X, W, Symbol((4,)), Y, 2, 2, 1, 0, 1),
    "conv2d_grad_input": (Y, W, X, 2, 2, 1, 0, 1),
    "conv2d_grad_weights": (Y, X, W, 2, 2, 1, 0, 1),
    "bias_grad": (Y, Symbol((4,))),
    "pad2d": (X, Symbol((2, 7, 9, 3)), 1, 2, 0),
    "pad2d_grad_input": (Symbol((2, 7, 9, 3)), X, 1, 2, 1),
    "pool2d": (X, POOLED, 2, 2, 2, 2, 0, 0, 0),
    "pool2d_grad_input": (POOLED, X, POOLED, X, 2, 2, 2, 2, 0, 0, 2),
    "dense": (MATRIX, Symbol((3, 4)), Symbol((4,)), Symbol((2, 4))),
    "dense_grad_input": (Symbol((2, 4)), Symbol((3, 4)), MATRIX),
    "dense_grad_weights": (Symbol((2, 4)), MATRIX, Symbol((3, 4))),
    "upsample2d": (X, Symbol((2, 10, 18, 3)), 2, 3),
    "upsample2d_grad_input": (Symbol((2, 10, 18, 3)), X, 2, 3),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "softmax"), (X, X)),
    **{f"{name}_grad": (X, X, X) for name in ("relu", "sigmoid", "tanh", "softmax")},
    "dropout": (X, X, 2**31, -5, Symbol((1,), INT)),
    "cross_entropy": (MATRIX, Symbol((2,), INT), Symbol((2,)), MATRIX),
    "soft_cross_entropy": (MATRIX, MATRIX, Symbol((2,)), MATRIX),
    "binary_cross_entropy": (MATRIX, MATRIX, Symbol((2,)), MATRIX),
    "mse": (MATRIX, MATRIX, Symbol((2,)), MATRIX),
    "smooth_labels": (MATRIX, Symbol((1,), D), MATRIX),
    "scale_rows": (X, Symbol((2,)), X),
    "standardize": (X, Symbol((3,), D), Symbol((3,), D), X),
    "sgd": (LINE, LINE, Symbol((4, 2), D), *TURN),
    "momentum": (LINE, LINE, LINE, Symbol((4, 3), D), *TURN),
    "nesterov": (LINE, LINE, LINE, Symbol((4, 3), D), *TURN),
    "rmsprop": (LINE, LINE, LINE, Symbol((4, 4), D), *TURN),
    "adagrad": (LINE, LINE, LINE, Symbol((4, 3), D), *TURN),
    "adadelta": (LINE, LINE, LINE, LINE, Symbol((4, 4), D), *TURN),
    **dict.fromkeys(("adam", "adamax", "adamw"), (LINE, LINE, LINE, LINE, Symbol((4, 5), D), *TURN)),
    "clip_norm": (LINE, Symbol((1,), D), LINE),
    "take_images": (Symbol((9, 5, 6, 3), np.dtype(np.uint8)), Symbol((7,), INT), Symbol((1,), INT), X, 1),
    "take_labels": (Symbol((9,), INT), Symbol((7,), INT), Symbol((1,), INT), Symbol((2,), INT)),
    "augment_images": (
        Symbol((9, 5, 6, 3), np.dtype(np.uint8)),
        Symbol((7,), INT),
        Symbol((1,), INT),
        Symbol((2,), INT),
        Symbol((10,), D),
        X,
        1,
        -5,
    ),
    "mix_labels": (Symbol((9,), INT), Symbol((7,), INT), Symbol((1,), INT), Symbol((2,), INT), Symbol((10,), D), MATRIX, -5),
    "score": (MATRIX, Symbol((2,), INT), Symbol((2,), INT), 1),
    "score_binary": (MATRIX, MATRIX, Symbol((2,), INT)),
}
EVERY_ARRAY = [(name, place) for name, arguments in ARGUMENTS.items() for place, argument in enumerate(arguments) if argument.axes]
EVERY_INTEGER = [(name, place) for name, arguments in ARGUMENTS.items() for place, argument in enumerate(arguments) if not argument.axes]
ANY_DTYPE = ("take_images", "take_labels", "augment_images", "mix_labels")


def arrays(arguments):
    return [np.zeros(argument.shape, argument.dtype) if isinstance(argument, Symbol) else argument for argument in arguments]


def changed(name, place, value):
    arguments = list(VALID[name])
    arguments[place] = value
    return arguments


def refuses(name, place, value):
    with pytest.raises(ValueError, match=f"^{name}: ") as caught:
        check(name, *changed(name, place, value))
    return str(caught.value)


def test_declarations_are_the_loops_own_parameters():
    assert set(ARGUMENTS) == set(PREPARED) == set(VALID)
    for name, function in PREPARED.items():
        parameters = function.__code__.co_varnames[: function.__code__.co_argcount]
        assert len(parameters) == len(without_hints(name, ARGUMENTS[name]))


@pytest.mark.parametrize("name", VALID)
def test_valid_calls(name):
    check(name, *VALID[name])
    check(name, *arrays(VALID[name]))


@pytest.mark.parametrize("name", VALID)
def test_float64_is_as_good(name):
    check(name, *(a._replace(dtype=D) if isinstance(a, Symbol) and a.dtype == F else a for a in VALID[name]))


@pytest.mark.parametrize(("name", "place"), EVERY_ARRAY)
def test_wrong_dtypes(name, place):
    for dtype in (np.float16, np.int32, np.complex64):
        message = refuses(name, place, VALID[name][place]._replace(dtype=np.dtype(dtype)))
        assert f"{ARGUMENTS[name][place].name} is {np.dtype(dtype)}, expected" in message


@pytest.mark.parametrize(("name", "place"), [(n, p) for n, p in EVERY_ARRAY if ARGUMENTS[n][p].dtype == "float" and n not in ANY_DTYPE])
def test_mixed_dtypes(name, place):
    floats = [argument for argument in ARGUMENTS[name] if argument.axes and argument.dtype == "float"]
    if len(floats) > 1:
        assert "expected one dtype in a call" in refuses(name, place, VALID[name][place]._replace(dtype=D))


@pytest.mark.parametrize(("name", "place"), EVERY_ARRAY)
def test_wrong_shapes(name, place):
    right = VALID[name][place]
    if not ARGUMENTS[name][place].may_be_none:
        assert "every axis needs at least one entry" in refuses(name, place, right._replace(shape=(*right.shape[:-1], 0)))
    if "..." not in ARGUMENTS[name][place].axes:
        refuses(name, place, right._replace(shape=(*right.shape, 1)))
    refuses(name, place, right._replace(shape=()))


@pytest.mark.parametrize(("name", "place"), [(n, p) for n, p in EVERY_ARRAY if len(ARGUMENTS[n]) > 2 and n not in ANY_DTYPE])
def test_every_size_that_two_arrays_share(name, place):
    declared, right = ARGUMENTS[name], VALID[name][place]
    for axis, word in enumerate(declared[place].axes):
        others = [argument for index, argument in enumerate(declared) if index != place and argument.axes and word in argument.axes]
        if others and len(declared[place].axes) == len(right.shape):
            wrong = tuple(size + 3 if index == axis else size for index, size in enumerate(right.shape))
            assert "expected" in refuses(name, place, right._replace(shape=wrong))


@pytest.mark.parametrize(("name", "place"), EVERY_INTEGER)
def test_integers(name, place):
    argument = ARGUMENTS[name][place].name
    if argument != "seed":
        assert f"{argument} is -9, expected" in refuses(name, place, -9)
    for value in (1.0, True, None, "1", np.float64(1)):
        assert f"{argument} is {value!r}, expected an integer" in refuses(name, place, value)
    check(name, *changed(name, place, np.int64(VALID[name][place])))


@pytest.mark.parametrize(("name", "place"), EVERY_ARRAY)
def test_arrays_in_another_order_or_read_only(name, place):
    argument = ARGUMENTS[name][place]
    right = np.zeros(VALID[name][place].shape, VALID[name][place].dtype)
    if right.size > 1:
        gap = np.zeros((*right.shape[:-1], 2 * right.shape[-1]), right.dtype)[..., ::2]
        assert f"{argument.name} must be C-contiguous" in refuses(name, place, gap)
    right.flags.writeable = False
    if argument.written:
        assert f"{argument.name} is written but is read-only" in refuses(name, place, right)
    else:
        check(name, *changed(name, place, right))


def test_values_that_have_neither_shape_nor_dtype():
    assert "w is a list, expected an array" in refuses("conv2d", 1, [1.0])


def test_dense_weights_in_either_order():
    for name, place in (("dense", 1), ("dense_grad_input", 1), ("dense_grad_weights", 2)):
        check(name, *changed(name, place, np.zeros((3, 4), np.float32, order="F")))


def test_no_bias():
    for name in ("conv2d", "dense"):
        check(name, *changed(name, 2, Symbol((0,))))


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        (
            "conv2d",
            1,
            Symbol((3, 2, 1, 4)),
            "w is (3, 2, 1, 4) with channels 1, expected (kernel rows, kernel columns, 3, filters): it is 3 in x (2, 5, 6, 3)",
        ),
        (
            "conv2d",
            3,
            Symbol((2, 1, 3, 4)),
            "the output has 1 rows, too few: windows of 3 at stride 2 fit 2 times into 5 rows with 1 of padding before them",
        ),
        ("pool2d", 1, Symbol((2, 4, 3, 3)), "holds padding only"),
        ("pad2d", 1, Symbol((2, 5, 9, 3)), "the padded image has 5 rows, expected at least 6"),
        ("upsample2d", 2, 3, "the large image has (10, 18) rows and columns, expected (15, 18)"),
        ("mix_labels", 0, Symbol((9, 4), F), "labels are float32 of shape (9, 4), expected int64 (count,) or floats (count, 3)"),
        ("augment_images", 4, Symbol((9,), D), "settings is (9,), expected (10,)"),
        ("take_labels", 0, Symbol((9, 3), INT), "y is (2,) with other sizes, expected (images, 3)"),
        ("relu", 1, Symbol((2, 5, 6, 4)), "y is (2, 5, 6, 4) with other sizes, expected (2, 5, 6, 3): it is 2, 5, 6, 3 in x"),
        ("bias_grad", 0, Symbol((4,)), "grad_y is (4,), expected (images, ..., filters)"),
        ("sgd", 2, Symbol((4, 1), D), "hyper is (4, 1), expected (steps, 2)"),
        ("dropout", 2, 2**32, "threshold is 4294967296, expected 0 to 4294967295"),
        ("pool2d", 8, 3, "kind is 3, expected 0 to 2"),
    ],
)
def test_messages(name, place, value, message):
    assert message in refuses(name, place, value)


def test_first_window_of_padding_alone():
    with pytest.raises(ValueError, match="the first or last of 4 windows of 2 rows holds padding only: give less padding than 2 rows"):
        check("pool2d", X, Symbol((2, 4, 3, 3)), 2, 2, 2, 2, 2, 0, 0)


def test_names_and_counts():
    with pytest.raises(ValueError, match="'conv3d' is no kernel: expected one of conv2d"):
        check("conv3d")
    with pytest.raises(ValueError, match=r"relu takes 2 arguments, \(x, y\), and was given 1"):
        check("relu", X)


def test_labels_of_rows_are_floats():
    check("take_labels", Symbol((9, 3)), Symbol((7,), INT), Symbol((1,), INT), Symbol((2, 3)))
    with pytest.raises(ValueError, match=r"expected int64 \(count,\) or floats \(count, classes\)"):
        check("take_labels", Symbol((9,)), Symbol((7,), INT), Symbol((1,), INT), Symbol((2,)))
    assert DTYPES["labels"][0] == INT
