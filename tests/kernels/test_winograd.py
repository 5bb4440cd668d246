"""Winograd's convolution: its error, its edges, its NaN, and when it is chosen."""

import functools

import numba
import numpy as np
import pytest

from jitcnn import CNN, Conv2d, Dense, Flatten, kernels
from jitcnn.kernels import conv, lowering, winograd_choice, winograd_patches
from jitcnn.kernels.program import Program
from jitcnn.kernels.vectors import Processor
from jitcnn.kernels.winograd_choice import LARGE, SMALL
from tests.kernels.oracle import LOOPS, assert_near, wide
from tests.kernels.oracle import agree as compare

LIMIT = {"float32": 2e-5, "float64": 1e-12}  # of the largest result

# images, rows, columns, channels, filters, padding
CASES = {
    "one pixel": (2, 1, 1, 1, 1, 1),
    "one output": (1, 3, 3, 3, 5, 0),
    "one patch": (3, 6, 6, 16, 16, 0),
    "patches that do not fit": (2, 9, 7, 17, 33, 1),
    "more padding than needed": (1, 5, 6, 8, 24, 2),
    "uneven padding": (2, 8, 5, 20, 16, ((0, 3), (4, 1))),
    "several strips and slots": (19, 12, 13, 40, 72, 1),
    "many channels": (2, 10, 10, 128, 64, 1),
    "few patches of many filters": (5, 4, 3, 33, 150, 1),
    "few channels, odd sizes": (18, 11, 7, 3, 19, 1),
    "one channel": (2, 14, 16, 1, 32, 0),
    "seven channels, four outputs": (3, 4, 4, 7, 16, 0),
    "seven channels, one small patch": (3, 6, 4, 7, 16, 0),
    "lines left over": (2, 9, 10, 4, 16, 1),
}
FLOAT64 = ["patches that do not fit", "few channels, odd sizes"]  # the others with --full only


@pytest.fixture(params=[SMALL, LARGE], ids=["small patches", "large patches"])
def way(request, monkeypatch):
    """Which of Winograd's ways is taken, as far as it can be."""

    def best(w_shape, size, grad_input=False):
        return LARGE if grad_input or size[0] < SMALL.rows or size[1] < SMALL.columns else request.param

    monkeypatch.setattr(conv, "best", best)
    lowering._programs.clear()
    yield request.param
    lowering._programs.clear()


def arrays(case, dtype, seed=0):
    images, rows, columns, channels, filters, padding = case
    normal = functools.partial(np.random.default_rng(seed).standard_normal, dtype=dtype)
    x, w, b = normal((images, rows, columns, channels)), normal((3, 3, channels, filters)), normal(filters)
    return x, w, b, normal(LOOPS.conv2d(x, w, b, padding=padding).shape), padding


def passes(x, w, b, grad_y, padding, of=kernels):
    settings = {"padding": padding, "algorithm": "winograd"}
    return (
        of.conv2d(x, w, b, **settings),
        of.conv2d_grad_input(grad_y, w, x.shape, **settings),
        of.conv2d_grad_weights(grad_y, x, w.shape, **settings),
    )


@pytest.mark.parametrize(
    ("case", "dtype"),
    [pytest.param(case, "float32", id=name) for name, case in CASES.items()]
    + [
        pytest.param(case, "float64", id=f"{name}, float64", marks=[pytest.mark.slow] * (name not in FLOAT64))
        for name, case in CASES.items()
    ],
)
def test_error(case, dtype, way):
    given = arrays(case, dtype)
    for found, true in zip(passes(*given), passes(*map(wide, given), of=LOOPS), strict=True):
        assert_near(found, true, LIMIT[dtype])


def test_nothing_is_written_outside_of_the_results(way):
    x, w, b, grad_y, padding = arrays(CASES["patches that do not fit"], "float64")
    settings = {"padding": padding, "algorithm": "winograd"}
    compare("conv2d", x, w, b, **settings)
    compare("conv2d_grad_input", grad_y, w, x.shape, **settings)
    compare("conv2d_grad_weights", grad_y, x, w.shape, **settings)


def test_nan_and_infinity_are_where_they_belong(way):
    x, w, b, grad_y, padding = arrays(CASES["patches that do not fit"], "float32")
    x[1, 4, 3, 5], grad_y[0, 2, 2, 7], w[1, 1, 2, 3] = np.nan, np.inf, np.nan
    for found, true in zip(passes(x, w, b, grad_y, padding), passes(x, w, b, grad_y, padding, of=LOOPS), strict=True):
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(true))
        assert not np.isfinite(true).all() and np.isfinite(true).any()


def test_bits_depend_neither_on_threads_nor_on_the_batch(way):
    x, w, b, grad_y, padding = arrays(CASES["several strips and slots"], "float32")
    with_all = passes(x, w, b, grad_y, padding)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        with_one = passes(x, w, b, grad_y, padding)
    finally:
        numba.set_num_threads(threads)
    for a, b_ in zip(with_all, with_one, strict=True):
        np.testing.assert_array_equal(a, b_)
    alone = kernels.conv2d(x[7:8], w, b, padding=padding, algorithm="winograd")
    np.testing.assert_array_equal(alone, with_all[0][7:8])


@pytest.mark.parametrize("strange", [np.nan, np.inf, 3e38, 1e20])
@pytest.mark.parametrize("of", ["x", "w"])
def test_few_inputs_are_looked_at_instead_of_many_outputs(strange, of, way):
    x, w, b, *_ = arrays((2, 8, 8, 1, 48, 1), "float32")
    (x if of == "x" else w)[1, 1, 0, 0] = strange
    found, true = (k.conv2d(x, w, b, padding=1, algorithm="winograd") for k in (kernels, LOOPS))
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(true))
    assert_near(np.where(np.isfinite(found), found, 0), np.where(np.isfinite(true), true, 0), 2e-5)


@pytest.mark.parametrize("way", [SMALL], indirect=True)
def test_small_patches_round_less_than_large_ones(way):
    x, w, b, grad_y, padding = arrays((4, 16, 16, 3, 32, 1), "float32")
    exact = passes(*map(wide, (x, w, b, grad_y)), padding, of=LOOPS)
    for found, true in zip(passes(x, w, b, grad_y, padding)[::2], exact[::2], strict=True):
        assert_near(found, true, 2e-6)


def test_what_it_is_not_for_is_refused():
    x, grad_y = np.ones((1, 8, 8, 2)), np.ones((1, 4, 4, 3))
    for w, settings in (np.ones((5, 5, 2, 3)), {}), (np.ones((3, 3, 2, 3)), {"stride": 2}):
        with pytest.raises(ValueError, match="'winograd' takes kernels of 3 x 3 at stride 1"):
            kernels.conv2d(x, w, algorithm="winograd", **settings)
    with pytest.raises(ValueError, match="'winograd' takes kernels of 3 x 3"):
        kernels.conv2d_grad_input(grad_y, np.ones((5, 5, 2, 3)), (1, 8, 8, 2), algorithm="winograd")
    with pytest.raises(ValueError, match="algorithm is 'fft', expected one of 'auto', 'direct', 'winograd'"):
        kernels.conv2d(x, np.ones((3, 3, 2, 3)), algorithm="fft")


@pytest.mark.parametrize(
    ("w_shape", "strides", "size", "wins", "why"),
    [
        ((3, 3, 64, 64), (1, 1), (28, 28), LARGE, "36 products instead of 144"),
        ((3, 3, 64, 64), (2, 1), (28, 28), None, "stride 1"),
        ((5, 5, 64, 64), (1, 1), (28, 28), None, "3 x 3"),
        ((3, 3, 3, 8), (1, 1), (28, 28), None, "are expected to be 0.9 times as fast"),
        ((3, 3, 3, 64), (1, 1), (28, 28), SMALL, "24 products instead of 72"),
        ((3, 3, 1, 24), (1, 1), (28, 28), None, "expected to be 1.2 times as fast"),
        ((3, 3, 1, 64), (1, 1), (28, 28), SMALL, "expected to be 1.6 times as fast"),
        ((3, 3, 3, 64), (1, 1), (28, 1), None, "36 products"),
        ((3, 3, 3, 64), (1, 1), (3, 28), None, "36 products"),
        ((3, 3, 8, 16), (1, 1), (24, 24), SMALL, "1.9 times as fast"),
        ((3, 3, 64, 64), (1, 1), (10, 10), LARGE, "patches for 1.4 times the 10 x 10 outputs"),
        ((3, 3, 16, 32), (1, 1), (10, 10), SMALL, "patches for 1.2 times the 10 x 10 outputs"),
        ((3, 3, 24, 32), (1, 1), (10, 10), LARGE, "patches for 1.4 times the 10 x 10 outputs"),
        ((3, 3, 64, 64), (1, 1), (5, 5), None, "patches for 2.6 times the 5 x 5 outputs"),
    ],
)
def test_choice(w_shape, strides, size, wins, why, monkeypatch):
    monkeypatch.setattr(winograd_choice, "processor", lambda: Processor(64, 32, products=1))
    monkeypatch.setattr(winograd_choice, "full_lanes", lambda real: 16)
    chosen, reason = winograd_choice.choose(w_shape, strides, size)
    assert chosen == wins and why in reason, reason


def test_where_products_are_cheap_more_channels_are_needed(monkeypatch):
    monkeypatch.setattr(winograd_choice, "processor", lambda: Processor(64, 32, products=2))
    monkeypatch.setattr(winograd_choice, "full_lanes", lambda real: 16)
    wins = {channels: winograd_choice.choose((3, 3, channels, 2 * channels), (1, 1), (24, 24))[0] for channels in (3, 8, 32, 64)}
    assert wins == {3: None, 8: SMALL, 32: LARGE, 64: LARGE}


def test_small_patches_want_registers_and_are_not_for_the_gradient_of_the_input(monkeypatch):
    for registers, grad_input, way in (32, False, SMALL), (32, True, LARGE), (16, False, LARGE):
        monkeypatch.setattr(winograd_choice, "processor", lambda registers=registers: Processor(64, registers, products=1))
        assert winograd_choice.best((3, 3, 3, 64), (24, 24), grad_input) == way


def rows_of(algorithm, shape):
    program = Program(2, assume_finite=True)
    x, w, y = program.external(np.ones((2, *shape[:2], shape[2]))), np.ones((3, 3, *shape[2:])), np.ones((2, shape[0], shape[1], shape[3]))
    kernels.lowering.LOWERINGS["conv2d"](program, x, w, np.empty(0), program.external(y), 1, 1, 1, 1, algorithm)
    return [row.factory.__name__ for row in program.rows]


def test_auto_takes_what_is_chosen():
    assert rows_of(0, (12, 12, 32, 32)) == ["convolve_kernel"]
    assert "correlate_kernel" in rows_of(0, (12, 12, 2, 8)) and "correlate_kernel" in rows_of(1, (12, 12, 32, 32))


def model(algorithm, engine="fast", threads=None):
    layers = [
        Conv2d(8, padding="same", activation="relu", algorithm=algorithm, input_shape=(9, 10, 2)),
        Conv2d(17, activation="relu", algorithm=algorithm),
        Flatten(),
        Dense(3, activation="softmax"),
    ]
    built = CNN(layers, seed=1, dtype="float64", engine=engine, threads=threads)
    built.compile(optimizer="adam", learning_rate=0.01)
    return built


def trained(**settings):
    generator = np.random.default_rng(3)
    built = model(**settings)
    built.train(generator.standard_normal((22, 9, 10, 2)), generator.integers(0, 3, 22), epochs=2, batch_size=8, progress=False)
    return built


@pytest.mark.parametrize("fewest", [1, 10**6], ids=["in blocks", "over the batch"])
def test_a_network_trains_alike_with_relu_in_the_stages(fewest, monkeypatch):
    monkeypatch.setattr(winograd_patches, "FEWEST_PATCHES", fewest)
    truth = trained(algorithm="direct", engine="loops")
    found = trained(algorithm="winograd")
    for name, array in truth.parameters.items():
        np.testing.assert_allclose(found.parameters[name], array, rtol=0, atol=1e-8)
    assert found.digest() == trained(algorithm="winograd", threads=1).digest()
