"""Every public kernel against the loops in float64, in generated configurations: 300 with --full."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jitcnn.forms import NAMES
from tests.kernels.oracle import agree

CHANNELS = st.sampled_from([1, 2, 3, 4, 5, 8, 10, 16, 17, 24, 32, 33])
IMAGES = st.sampled_from([1, 2, 3, 5, 33])
EXAMPLES = 300 if settings().max_examples >= 300 else 8  # most compile for seconds
tested: set[str] = set()


def check(name, *arguments, **settings):
    tested.add(name)
    return agree(name, *arguments, **settings)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def windows(draw, most_padding):
    """(rows, columns), kernel size, stride, padding that fit; most_padding(kernel) is the most on a side."""
    kernel, stride = draw(pairs(1, 5)), draw(pairs(1, 4))
    padding = tuple(draw(pairs(0, most_padding(size))) for size in kernel)
    size = tuple(draw(st.integers(max(1, k - sum(sides)), 13)) for k, sides in zip(kernel, padding, strict=True))
    return size, kernel, stride, padding


@st.composite
def convolutions(draw):
    return "convolution", draw(windows(lambda kernel: kernel + 2)), draw(CHANNELS), draw(CHANNELS), draw(st.booleans())


@st.composite
def pools(draw):
    return "pool", draw(windows(lambda kernel: kernel - 1)), draw(CHANNELS), draw(st.sampled_from(["max", "min", "average"]))


@st.composite
def dense_layers(draw):
    return "dense", draw(st.integers(1, 150)), draw(st.integers(1, 40)), draw(st.sampled_from("CF")), draw(st.booleans())


@st.composite
def others(draw):
    shape = (*draw(pairs(1, 7)), draw(CHANNELS))
    padding = tuple(draw(pairs(0, 4)) for _ in range(2))
    mode, factor = draw(st.sampled_from(["zero", "edge"])), draw(pairs(1, 3))
    return "others", shape, padding, mode, factor, draw(st.integers(0, 9)) / 10, draw(st.integers(1, 99))


def check_convolution(random, images, window, channels, filters, use_bias):
    (rows, columns), kernel, stride, padding = window
    settings = {"stride": stride, "padding": padding}
    x, w = random(images, rows, columns, channels), random(*kernel, channels, filters)
    y = check("conv2d", x, w, random(filters) if use_bias else None, **settings)
    grad_y = random(*y.shape)
    check("conv2d_grad_input", grad_y, w, x.shape, **settings)
    check("conv2d_grad_weights", grad_y, x, w.shape, **settings)
    check("bias_grad", grad_y)


def check_pool(random, images, window, channels, kind):
    (rows, columns), kernel, stride, padding = window
    x = np.round(2 * random(images, rows, columns, channels))  # many ties
    y, state = check("pool2d", x, kernel, stride=stride, padding=padding, kind=kind)
    check("pool2d_grad_input", random(*y.shape), state)


def check_dense(random, images, inputs, units, order, use_bias):
    x, w = random(images, inputs), np.asarray(random(inputs, units), order=order)
    y = check("dense", x, w, random(units) if use_bias else None)
    grad_y = random(*y.shape)
    check("dense_grad_input", grad_y, w)
    check("dense_grad_weights", grad_y, x, order=order)


def check_others(random, images, shape, padding, mode, factor, rate, step):
    x = random(images, *shape)
    check("pad2d_grad_input", random(*check("pad2d", x, padding, mode).shape), padding, mode)
    check("upsample2d_grad_input", random(*check("upsample2d", x, factor).shape), factor)
    for activation in ("relu", "sigmoid", "tanh", "softmax"):
        check(f"{activation}_grad", random(*x.shape), check(activation, 3 * x))
    check("dropout", x, rate, seed=step, step=step)
    check("dropout_grad", x, rate, seed=step, step=step)
    classes = shape[-1] + 1
    outputs, numbers = random(images, classes), np.arange(images) * step % classes
    targets = np.abs(random(images, classes)) % 1
    check("cross_entropy", outputs, numbers)
    check("cross_entropy", outputs, np.round(targets), kind="binary")
    check("binary_cross_entropy", outputs, targets)
    check("soft_cross_entropy", outputs, targets)
    check("mse", x, random(*x.shape))
    check("sgd", x, random(*x.shape), 0.1)
    check("momentum", x, random(*x.shape), random(*x.shape), 0.1, 0.8)
    for name in ("nesterov", "rmsprop", "adagrad"):
        check(name, x, random(*x.shape), np.abs(random(*x.shape)), 0.1)
    check("adadelta", x, random(*x.shape), np.abs(random(*x.shape)), np.abs(random(*x.shape)), 0.1)
    for name in ("adamax", "adamw"):
        check(name, x, random(*x.shape), random(*x.shape), np.abs(random(*x.shape)), step, 0.1)
    check("adam", x, random(*x.shape), random(*x.shape), np.abs(random(*x.shape)), step, 0.1)
    check("clip_norm", x, 0.5)
    check("scale_rows", x, random(images))
    check("standardize", x, np.arange(shape[-1]), np.arange(shape[-1]) + 0.5)
    check("smooth_labels", targets, rate)
    pixels = np.random.default_rng(step).integers(0, 256, (images + 3, *shape)).astype(np.uint8)
    order = np.arange(images)[::-1] + 2
    for normalize in (None, "per-image"):
        check("take_images", pixels, order, normalize=normalize, dtype=x.dtype.name)
        check("take_images", x, order % images, normalize=normalize, dtype=x.dtype.name)
    amounts = {"rotate": 20, "shift": 0.2, "flip": 0.5, "contrast": rate, "erase": rate, "noise": 0.1, "mixup": 0.3}
    check("augment_images", pixels, order, seed=step, epoch=step, dtype=x.dtype.name, **amounts)
    check("augment_images", x, order % images, seed=step, epoch=step, dtype=x.dtype.name, **amounts)
    check("mix_labels", targets, order % images, seed=step, epoch=step, mixup=rate / 2, dtype=x.dtype.name)
    check("mix_labels", numbers, order % images, seed=step, epoch=step, mixup=rate / 2, dtype=x.dtype.name)
    check("take_labels", targets, order % images)
    check("take_labels", numbers, order % images)
    check("score", outputs, numbers)
    check("score", outputs, numbers, top=2)
    check("score_binary", outputs, np.round(targets))


CHECKS = {"convolution": check_convolution, "pool": check_pool, "dense": check_dense, "others": check_others}


@settings(derandomize=True, deadline=None, max_examples=EXAMPLES)
@given(
    configuration=st.one_of(convolutions(), pools(), dense_layers(), others()),
    images=IMAGES,
    dtype=st.sampled_from([np.float32, np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def check_generated(configuration, images, dtype, seed):
    kind, *values = configuration
    rng = np.random.default_rng(seed)
    CHECKS[kind](lambda *shape: rng.normal(size=shape).astype(dtype), images, *values)


def test_generated_configurations():
    check_generated()
    assert tested == set(NAMES), "a kernel was left out"
