"""Programs: the order of rows, rows left out, scratch, functions of one's own, other arrays, and what is refused."""

import copy
import itertools
import pickle

import numpy as np
import pytest

from jitcnn import kernels
from jitcnn.engine.eager import EagerStep
from jitcnn.engine.recorder import Recorder
from jitcnn.forms.codes import MAX
from jitcnn.kernels.buffers import address_of
from jitcnn.kernels.lowering import LOWERINGS
from jitcnn.kernels.program import Program
from jitcnn.kernels.rows import image_shares
from tests.kernels.recording import BATCH, Steps, arrays, conv, none


def test_what_a_gradient_of_weights_reads_stays_until_it_has_read_it():
    """Gradients of dense weights are taken over the whole batch, after the rows over images that come before: and only those."""
    grad_w = np.empty((7, 4), order="F")

    def record(step, x):
        z = step.buffer((7,))
        step.call(kernels.dropout, step.reshape(x, (7,)), z, 0, 1, step.step_number)
        g = step.buffer((4,))
        step.call(kernels.dense, z, w, none(x), g)
        step.call(kernels.dense_grad_weights, g, z, grad_w)
        step.call(kernels.relu, z, z)
        step.call(kernels.tanh, g, g)
        return z, g, grad_w

    x, w = arrays((BATCH, 7), (7, 4))
    Steps(record, x).check()


def test_weights_moved_in_a_step_are_seen_by_what_follows():
    (x, start), hyper = arrays((BATCH, 6, 5, 2), (3, 3, 2, 3)), np.array([[0.1, 0.0]])
    w, grad_w = start.copy(), np.empty_like(start)

    def record(step, x):
        y = conv(step, x, w)
        step.call(kernels.conv2d_grad_weights, y, x, grad_w, 1, 1, 0, 0)
        step.call(kernels.sgd, w.reshape(-1), grad_w.reshape(-1), hyper, step.step_number, np.zeros(1, np.int64))
        return y, conv(step, x, w)

    steps = Steps(record, x)
    steps.program.prepare()
    steps.program.run()
    found = [output.copy() for output in steps.outputs]
    w[...] = start
    truth = record(EagerStep("python", BATCH, np.dtype(np.float64), True, np.zeros(1, np.int64)), x)
    for a, b in zip(found, truth, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_rows_that_nobody_needs_are_left_out():
    w, v = arrays((3, 3, 2, 4), (3, 3, 4, 3))

    def record(step, x):
        y = conv(step, x, w)
        conv(step, y, v, padding=(1, 1, 1, 1))
        g = step.gradient_buffer(x)
        step.call(kernels.conv2d_grad_input, y, w, g, 1, 1, 0, 0)
        return (y,)

    steps = Steps(record, arrays((BATCH, 6, 5, 2))[0])
    assert steps.rows() == ["correlate_kernel", "copy_kernel"]
    assert not steps.program.derived, "weights are turned for nobody"
    steps.check()


def test_scratch_is_used_again():
    """Of a chain of buffers, each read once, two are enough; and they hold a block of images, not the batch."""
    (x,) = arrays((40, 16, 16, 8))
    program = Program(40, 2)
    buffers = [program.buffer(x.shape, x.dtype) for _ in range(6)]
    program.copy(program.external(x), buffers[0])
    for a, b in itertools.pairwise(buffers):
        LOWERINGS["tanh"](program, a, b)
    y = np.empty_like(x)
    program.copy(buffers[-1], program.external(y))
    program.finish().run()
    np.testing.assert_allclose(y, np.tanh(np.tanh(np.tanh(np.tanh(np.tanh(x))))), atol=1e-14)
    assert all(buffer.storage.array is None for buffer in buffers)
    assert len({buffer.storage.place.data for buffer in buffers}) == 2


@pytest.mark.parametrize(("side", "block"), [(16, 4), (48, 3), (64, 2), (100, 1)])
def test_blocks_of_large_images_are_smaller(side, block):
    """What a row reads and writes of a block stays in the second-level cache, also where the batch is no multiple of blocks."""
    (x,) = arrays((7, side, side, 4))
    program = Program(7, 2)
    between = program.buffer(x.shape, x.dtype)
    LOWERINGS["tanh"](program, program.external(x), between)
    y = np.empty_like(x)
    LOWERINGS["tanh"](program, between, program.external(y))
    program.finish().run()
    np.testing.assert_allclose(y, np.tanh(np.tanh(x)), atol=1e-14)
    assert [size for part in program.parts for size in part.sizes] == [(0, block)]


@pytest.mark.parametrize(
    ("batch", "slot", "threads", "shares"),
    [
        (32, 0, 2, [4, 4, 4, 1, 1, 1, 1] * 2),
        (11, 0, 2, [1] * 5 + [1] * 6),
        (13, 0, 1, [4, 4, 1, 1, 1, 1, 1]),
        (3, 0, 4, [1, 1, 1]),
        (11, 5, 2, [5, 5, 1]),
    ],
)
def test_images_are_shared_out_in_smaller_and_smaller_tasks(batch, slot, threads, shares):
    found = image_shares(batch, slot, 4, threads)
    assert [last - first for first, last, _ in found] == shares
    assert [first for first, _, _ in found] == [0, *(last for _, last, _ in found[:-1])] and found[-1][1] == batch


def test_a_smaller_last_batch_leaves_the_other_rows_alone():
    grad_b, grad_w, w = np.empty(4), np.empty((3, 3, 2, 4)), arrays((3, 3, 2, 4))[0]

    def record(step, x):
        y = conv(step, x, w, padding=(1, 1, 1, 1))
        step.call(kernels.conv2d_grad_weights, y, x, grad_w, 1, 1, 1, 1)
        step.call(kernels.bias_grad, y, grad_b)
        return y, grad_w, grad_b

    steps = Steps(record, arrays((70, 4, 4, 2))[0], batch=70)  # 14 slots of 5 images
    for batch in (70, 69, 66, 65, 64, 33, 5, 4, 1, 70):
        steps.check(batch)
    for batch in (0, 71):
        with pytest.raises(ValueError, match="recorded for up to 70 images was run on"):
            steps.program.run(batch=batch)


def double(x, y):
    """Writes y = 2 x."""
    y[...] = 2 * x


@pytest.mark.parametrize("batch", [BATCH, 5, 1])
def test_a_function_of_ones_own_between_padded_convolutions(batch):
    w, v = arrays((3, 3, 2, 4), (3, 3, 4, 3))
    grad_v, shapes = np.empty_like(v), []

    def record(step, x):
        z = conv(step, x, w, padding=(1, 1, 1, 1))
        y = conv(step, z, v, padding=(1, 1, 1, 1))  # z has a border: the function sees it without
        doubled = step.buffer(z.shape)
        step.call(double, z, doubled)
        step.call(lambda *given: shapes.append([each.shape for each in given]), z, doubled)
        again = conv(step, doubled, v, padding=(2, 2, 2, 2))
        g = step.gradient_buffer(doubled)
        step.call(kernels.conv2d_grad_weights, again, doubled, grad_v, 1, 1, 2, 2)
        step.call(kernels.conv2d_grad_input, again, v, g, 1, 1, 2, 2)
        step.call(double, g, g)
        return y, again, g, grad_v

    steps = Steps(record, arrays((BATCH, 6, 5, 2))[0])
    shapes.clear()
    steps.check(batch)
    assert shapes[0] == [(batch, 6, 5, 4)] * 2


def test_a_function_of_ones_own_may_move_weights():
    """The turned weights of the next convolution's gradient follow."""
    start = arrays((3, 3, 2, 4))[0]
    w = start.copy()

    def record(step, x):
        y = conv(step, x, w)
        step.call(np.multiply, w, -0.5, w)
        return (y,)

    steps = Steps(record, arrays((BATCH, 6, 5, 2))[0])
    steps.program.prepare()
    steps.program.run(3)
    np.testing.assert_allclose(w, start * (-0.5) ** 3)


def test_other_arrays_take_the_place_of_those_recorded():
    x, other = arrays((4, 5, 5, 2), (9, 5, 5, 2))
    w, other_w = arrays((3, 3, 2, 3), (3, 3, 2, 3))[0], arrays((3, 3, 2, 3))[0] + 1
    y, other_y, seen = np.zeros((4, 3, 3, 3)), np.zeros((9, 3, 3, 3)), []
    program = Program(4, 1)
    inside = program.buffer(y.shape, y.dtype)
    LOWERINGS["conv2d"](program, program.external(x), w, np.empty(0), inside, 1, 1, 0, 0)
    program.copy(inside, program.external(y))
    program.call(lambda given: seen.append(given), (w,))
    program.finish().run()
    np.testing.assert_allclose(y, kernels.conv2d(x, w), atol=1e-13)
    for old, new in ((x, other), (w, other_w), (y, other_y)):
        program.bind(old, new)
    y[...] = 0
    program.run()
    np.testing.assert_allclose(other_y[:4], kernels.conv2d(other[:4], other_w), atol=1e-13)
    assert not y.any() and not other_y[4:].any()
    assert seen[0] is w and seen[1] is other_w
    program.bind(other_w, w)
    program.run(batch=2)
    np.testing.assert_allclose(other_y[:2], kernels.conv2d(other[:2], w), atol=1e-13)


def test_a_program_cannot_be_copied_or_saved():
    program = Program(1)
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds memory addresses and cannot be copied, pickled or saved; record it again"):
            act(program)


def test_a_buffer_is_no_array():
    buffer = Program(2).buffer((2, 3), np.float32)
    for act in (np.asarray, np.exp, lambda x: np.add(x, 1), lambda x: np.zeros((2, 3)) + x, np.sum):
        with pytest.raises(TypeError, match="a buffer of a recorded step is no array"):
            act(buffer)
    for act in (lambda x: x + 1, lambda x: x[0], lambda x: -x, lambda x: x * x, float):
        with pytest.raises(TypeError):
            act(buffer)


@pytest.mark.parametrize(
    ("function", "shapes", "integers"),
    [
        (kernels.conv2d, [(2, 5, 5, 3), (3, 3, 2, 4), (0,), (2, 3, 3, 4)], (1, 1, 0, 0)),
        (kernels.conv2d, [(2, 5, 5, 2), (3, 3, 2, 4), (3,), (2, 3, 3, 4)], (1, 1, 0, 0)),
        (kernels.conv2d, [(2, 5, 5, 2), (3, 3, 2, 4), (4,), (2, 2, 3, 4)], (1, 1, 0, 0)),
        (kernels.conv2d, [(2, 5, 5, 2), (3, 3, 2, 4), (4,), (2, 3, 3, 4)], (0, 1, 0, 0)),
        (kernels.pool2d, [(2, 4, 4, 3), (2, 2, 2, 4)], (2, 2, 2, 2, 0, 0, MAX)),
        (kernels.pool2d, [(2, 4, 4, 3), (2, 2, 2, 3)], (2, 2, 2, 2, 0, 0, 3)),
        (kernels.dense, [(2, 5), (4, 3), (3,), (2, 3)], ()),
        (kernels.dense, [(2, 5), (5, 3), (3,), (1, 3)], ()),
        (kernels.relu, [(2, 5), (2, 4)], ()),
        (kernels.adam, [(5,), (4,), (5,), (5,), (3, 5), (1,), (1,)], ()),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_does_not_fit_is_refused_when_it_is_recorded(function, shapes, integers):
    program = Program(2)
    recorder = Recorder(program, np.dtype(np.float64), True, np.zeros(1, np.int64), np.zeros(1, np.int64))
    values = [program.external(np.zeros(shape)) if len(shape) in (2, 4) and shape[0] < 3 else np.zeros(shape) for shape in shapes]
    with pytest.raises(ValueError, match=f"^{function.__name__}: "):
        recorder.call(function, *values, *integers)
    assert not program.rows and not program.derived


def test_address_of_an_array():
    whole = np.arange(60, dtype=np.float32).reshape(5, 12)
    for array in (whole, whole[1:, ::3], whole.T, whole[:, :0], whole.view(np.recarray), np.zeros(())):
        assert address_of(array) == array.__array_interface__["data"][0]
