"""Settings and numbers of the public functions: what they mean, what is refused, and what the message says."""

import numpy as np
import pytest

from jitcnn import reference as r

IMAGE = np.array([[1.0, 2, 3, 1], [11, 12, 4, 10], [101, 11, 88, 10], [10, 11, 11, 5]])[None, :, :, None]


def plane(array):
    return array[0, :, :, 0].tolist()


def test_pools_of_the_text():
    assert plane(r.pool2d(IMAGE, 2)[0]) == [[12, 10], [101, 88]]
    assert plane(r.pool2d(IMAGE, 2, kind="min")[0]) == [[1, 1], [10, 5]]
    assert plane(r.pool2d(IMAGE, 2, kind="average")[0])[0][0] == 6.5


def test_upsampling_of_the_text():
    small = np.array([[12.0, 10], [101, 88]])[None, :, :, None]
    assert plane(r.upsample2d(small, 2)) == [[12, 12, 10, 10], [12, 12, 10, 10], [101, 101, 88, 88], [101, 101, 88, 88]]


def test_stride_of_pooling_is_the_kernel_unless_given():
    _, state = r.pool2d(IMAGE, (2, 4))
    assert (state.kernel_size, state.stride, state.padding, state.kind) == ((2, 4), (2, 4), ((0, 0), (0, 0)), "max")
    assert r.pool2d(IMAGE, 2, stride=1)[0].shape == (1, 3, 3, 1)


def test_average_divides_by_the_pixels_in_the_image():
    assert plane(r.pool2d(np.ones((1, 2, 2, 1)), 2, padding=1, kind="average")[0]) == [[1, 1], [1, 1]]


@pytest.mark.parametrize("padding", [1, (1, 1), [1, 1], np.int64(1), np.array([1, 1]), ((1, 1), (1, 1)), [(1, 1), 1], np.ones((2, 2), int)])
def test_ways_to_write_a_padding(padding):
    np.testing.assert_array_equal(r.pad2d(IMAGE, padding), r.pad2d(IMAGE, 1))


def test_padding_of_each_side():
    assert r.pad2d(IMAGE, ((1, 2), (3, 4))).shape == (1, 7, 11, 1)
    assert r.pad2d(IMAGE, (1, 2)).shape == (1, 6, 8, 1)
    assert plane(r.pad2d(IMAGE, ((0, 1), 0), "edge"))[-1] == plane(IMAGE)[-1]


@pytest.mark.parametrize(
    ("padding", "message"),
    [
        (-1, "padding is -1, expected at least 0"),
        (1.0, "padding is 1.0, expected an integer"),
        (True, "padding is True, expected an integer"),
        ("same", "padding is 'same': kernels take numbers"),
        ((1, 2, 3), r"padding is \(1, 2, 3\), expected an integer or a pair"),
        (((1, 2), (3, 4, 5)), r"padding is \(3, 4, 5\), expected an integer or a pair"),
        (None, "padding is None, expected an integer"),
        ({1, 2}, "expected an integer"),
    ],
)
def test_paddings_that_are_refused(padding, message):
    with pytest.raises(ValueError, match=message):
        r.pad2d(IMAGE, padding)


@pytest.mark.parametrize("stride", [0, -1, 1.5, "2", (1, 2, 3), (1, 0), None, np.array(1.0)])
def test_strides_that_are_refused(stride):
    with pytest.raises(ValueError, match=r"^stride is .*expected"):
        r.conv2d(IMAGE, np.ones((2, 2, 1, 1)), stride=stride)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda: r.conv2d(IMAGE, np.ones((5, 2, 1, 1))),
            "the kernel has 5 rows, the image only 4 and 0 of padding.* at most 4 rows, or padding of at least 1 rows",
        ),
        (
            lambda: r.conv2d(IMAGE, np.ones((2, 7, 1, 1)), padding=1),
            "7 columns, the image only 4 and 2 of padding.* at most 6 columns, or padding of at least 3",
        ),
        (lambda: r.pool2d(IMAGE, 5), "the kernel has 5 rows, the image only 4"),
        (lambda: r.pool2d(IMAGE, 2, padding=2), r"padding \(2, 2\) of the rows makes windows of 2 without a pixel: give at most 1"),
        (lambda: r.pad2d_grad_input(IMAGE, 2), "leaves without a pixel"),
        (
            lambda: r.conv2d(IMAGE, np.ones((2, 2, 3, 1))),
            r"conv2d: w is \(2, 2, 3, 1\) with channels 3, expected \(kernel rows, kernel columns, 1, filters\): it is 1 in x",
        ),
        (
            lambda: r.conv2d(IMAGE, np.ones((2, 2, 1, 3)), np.ones(2)),
            r"b is \(2,\) with filters 2, expected \(3,\): it is 3 in w \(2, 2, 1, 3\)",
        ),
        (
            lambda: r.conv2d(IMAGE[0], np.ones((2, 2, 1, 1))),
            r"x is \(4, 4, 1\), expected 4 axes \(images, rows, columns, channels\): add the channel axis, x\[..., None\]",
        ),
        (
            lambda: r.conv2d(IMAGE, np.ones((2, 2, 1, 1)), activation="swish"),
            "activation is 'swish', expected one of None, 'linear', 'relu'",
        ),
        (lambda: r.pool2d(IMAGE, 2, kind="mean"), "kind is 'mean', expected one of 'max', 'min', 'average'"),
        (lambda: r.pool2d(IMAGE, 2, kind=["max"]), "kind is .*expected one of"),
        (lambda: r.pad2d(IMAGE, 1, "reflect"), "mode is 'reflect', expected one of 'zero', 'edge'"),
        (lambda: r.pool2d_grad_input(IMAGE, None), "state is a NoneType, expected the PoolState"),
        (
            lambda: r.pool2d_grad_input(IMAGE, r.pool2d(IMAGE, 2)[1]),
            r"grad_y is \(1, 4, 4, 1\), expected \(1, 2, 2, 1\), the shape of pool2d's output",
        ),
        (lambda: r.upsample2d(IMAGE, 0), "factor is 0, expected at least 1"),
        (lambda: r.upsample2d_grad_input(IMAGE, 3), "expected rows and columns that are multiples of 3 and 3"),
        (
            lambda: r.conv2d_grad_input(IMAGE, np.ones((2, 2, 1, 1)), (1, 4, 4, 1)),
            r"grad_y is \(1, 4, 4, 1\), expected \(1, 3, 3, 1\), the shape of y",
        ),
        (lambda: r.conv2d_grad_input(IMAGE, np.ones((2, 2, 1, 1)), (5, 5, 1)), "x_shape is .*expected 4 integers"),
        (lambda: r.conv2d_grad_input(IMAGE, np.ones((2, 2, 1, 1)), (1, 5, 0, 1)), "x_shape: columns is 0, expected at least 1"),
        (lambda: r.conv2d_grad_input(IMAGE, np.ones((2, 2, 1, 1)), 5), "x_shape is 5, expected 4 integers"),
        (lambda: r.bias_grad(np.ones(3)), r"grad_y is \(3,\), expected \(images, ..., filters\)"),
        (lambda: r.relu(3.0), "x is a single number"),
        (lambda: r.relu([[1.0], [1.0, 2.0]]), "x cannot be read as an array"),
        (lambda: r.mse([[1.0]], [[1.0, 2.0]]), r"target is \(1, 2\), expected \(1, 1\)"),
    ],
)
def test_messages(function, message):
    with pytest.raises(ValueError, match=message):
        function()


def test_activation_is_the_last_thing():
    x, w = IMAGE - 20, np.ones((2, 2, 1, 2))
    for name in ("relu", "sigmoid", "tanh", "softmax"):
        np.testing.assert_array_equal(r.conv2d(x, w, activation=name), getattr(r, name)(r.conv2d(x, w)))
    np.testing.assert_array_equal(r.conv2d(x, w, activation="linear"), r.conv2d(x, w))


def test_softmax_of_one_line():
    np.testing.assert_array_equal(r.softmax([1.0, 2.0]), r.softmax([[1.0, 2.0]])[0])


def test_dense_writes_into_fortran_order():
    out = np.empty((3, 2), order="F")
    assert r.dense_grad_weights([[1.0, 2.0]], [[1.0, 2.0, 3.0]], out=out) is out
    assert out.tolist() == [[1, 2], [2, 4], [3, 6]]


@pytest.mark.parametrize("rate", [-0.1, 1, 1.0, float("nan"), float("inf"), "0.5", None, True, np.array([0.5])])
def test_rates_that_are_refused(rate):
    with pytest.raises(ValueError, match=r"^rate is .*expected"):
        r.dropout([[1.0]], rate, seed=0, step=1)


@pytest.mark.parametrize(("key", "value"), [("seed", 1.5), ("seed", 2**63), ("seed", None), ("step", -1), ("step", "1")])
def test_seeds_and_steps_that_are_refused(key, value):
    with pytest.raises(ValueError, match=f"{key} is .*expected"):
        r.dropout([[1.0]], 0.5, **{"seed": 0, "step": 1, key: value})


def test_dropout_of_nothing_changes_nothing():
    x = np.ones((3, 50))
    np.testing.assert_array_equal(r.dropout(x, 0.0, seed=0, step=1), x)
    assert np.all(r.dropout(x, np.nextafter(1.0, 0.0), seed=0, step=1)[0] == 0)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sgd", {"lr": -1}, "lr is -1, expected a finite number of at least 0"),
        ("sgd", {"lr": float("nan")}, "lr is nan"),
        ("sgd", {"lr": float("inf")}, "lr is inf"),
        ("sgd", {"weight_decay": -0.1}, "weight_decay is -0.1, expected a finite number of at least 0"),
        ("momentum", {"beta": 1}, "beta is 1, expected a number from 0 up to, not including, 1"),
        ("adam", {"betas": (0.9, 1.0)}, r"betas\[1\] is 1.0, expected a number from 0 up to, not including, 1"),
        ("adam", {"betas": 0.9}, "betas is 0.9, expected two numbers"),
        ("adam", {"eps": "small"}, "eps is 'small', expected a number"),
        ("adam", {"step": 0}, "step is 0, expected at least 1"),
    ],
)
def test_settings_of_updates(name, settings, message):
    arrays = {key: np.ones(2) for key in {"sgd": "wg", "momentum": "wgv", "adam": "wgmv"}[name]}
    with pytest.raises(ValueError, match=message):
        getattr(r, name)(**arrays, **({"step": 1} if name == "adam" else {}) | settings)
    assert all(np.all(array == 1) for array in arrays.values())


def test_three_steps_of_adam():
    w, m, v = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    expected, first, second = w.copy(), m.copy(), v.copy()
    for step in (1, 2, 3):
        g = expected * step
        r.adam(w, g, m, v, step, 0.1)
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        expected = expected - 0.1 / (1 - 0.9**step) * first / (np.sqrt(second) / np.sqrt(1 - 0.999**step) + 1e-8)
        np.testing.assert_allclose(w, expected, rtol=1e-12)
