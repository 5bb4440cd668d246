"""Programs: borders, fused relu, rows left out, scratch, custom functions, other arrays.

What a program computes is compared with the same calls made at once on arrays, in plain loops.
"""

import copy
import itertools
import pickle

import numpy as np
import pytest

from jitcnn import kernels
from jitcnn.engine.eager import EagerStep
from jitcnn.engine.recorder import Recorder
from jitcnn.forms.codes import AVERAGE, MAX, MIN
from jitcnn.kernels.lowering import LOWERINGS
from jitcnn.kernels.program import Program
from jitcnn.kernels.tables import Part

BATCH = 6


def arrays(*shapes, dtype=np.float64):
    rng = np.random.default_rng(5)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


class Steps:
    """Makes the same calls in a program and at once, and compares the outputs."""

    def __init__(self, record, x, batch=BATCH, threads=2, dtype=np.float64):
        """record(step, x) makes calls on the batch x (images, …) and returns buffers, or arrays that it writes."""
        self.record, self.dtype, self.number = record, np.dtype(dtype), np.zeros(1, np.int64)
        self.program = Program(batch, threads)
        self.x = x
        self.outputs = []
        recorder = Recorder(self.program, self.dtype, True, np.zeros(1, np.int64), self.number)
        self.buffers = record(recorder, self.program.external(x))
        for each in self.buffers:
            if isinstance(each, np.ndarray):
                self.outputs.append(each)
            else:
                self.outputs.append(np.full(each.shape, 77, each.dtype))
                self.program.copy(each, self.program.external(self.outputs[-1]))
        self.program.finish()

    def check(self, batch=BATCH, limit=1e-12):
        for output in self.outputs:
            output[...] = 77
        self.program.prepare()
        self.program.counters[:] = 0
        self.program.run(1, batch, advance=1)
        found = [output.copy() for output in self.outputs]
        step = EagerStep("python", batch, self.dtype, True, np.ones(1, np.int64))
        truth = self.record(step, self.x[:batch].copy())
        for a, b, buffer in zip(found, truth, self.buffers, strict=True):
            if isinstance(buffer, np.ndarray):
                np.testing.assert_allclose(a, b, rtol=0, atol=limit * max(1, np.abs(b).max()))
            else:
                np.testing.assert_allclose(a[:batch], b, rtol=0, atol=limit * max(1, np.abs(b).max()))
                assert (a[batch:] == 77).all()
        return found

    def rows(self):
        """Names of the kernels that run."""
        return [
            row.factory.__name__
            for part in self.program.parts
            if isinstance(part, Part)
            for segment in part.segments
            for chain in segment.chains
            for row in chain
        ]


def none(x):
    """No bias."""
    return np.empty(0, x.dtype)


def conv(step, x, w, *, stride=(1, 1), padding=(0, 0, 0, 0)):
    """conv2d into a new buffer; padding: top, left, bottom, right."""
    top, left, bottom, right = padding
    rows = (x.shape[1] + top + bottom - w.shape[0]) // stride[0] + 1
    columns = (x.shape[2] + left + right - w.shape[1]) // stride[1] + 1
    y = step.buffer((rows, columns, w.shape[3]))
    step.call(kernels.conv2d, x, w, none(x), y, *stride, top, left)
    return y


def conv_gradients(step, grad_y, x, w, grad_w, *, stride=(1, 1), padding=(0, 0, 0, 0)):
    grad_x = step.gradient_buffer(x)
    step.call(kernels.conv2d_grad_weights, grad_y, x, grad_w, *stride, *padding[:2])
    step.call(kernels.conv2d_grad_input, grad_y, w, grad_x, *stride, *padding[:2])
    return grad_x


def pool(step, x, kind=MAX):
    y = step.buffer((x.shape[1] // 2, x.shape[2] // 2, x.shape[3]))
    step.call(kernels.pool2d, x, y, 2, 2, 2, 2, 0, 0, kind)
    return y


# Borders


def scenarios():
    """Name -> (record, shape of an image)."""
    first, second, third = arrays((3, 3, 2, 4), (3, 3, 4, 3), (5, 2, 4, 2))
    dense, grads = arrays((6 * 5 * 3, 4))[0], [np.empty_like(w) for w in (first, second, third)]

    def after_conv(step, x):
        z = conv(step, x, first, padding=(1, 1, 1, 1))
        y = conv(step, z, second, padding=(1, 1, 1, 1))
        g = conv_gradients(step, y, z, second, grads[1], padding=(1, 1, 1, 1))
        return y, g, grads[1]

    def after_pool(step, x):
        z = pool(step, x)
        y = conv(step, z, first, padding=(1, 2, 1, 0))
        g = conv_gradients(step, y, z, first, grads[0], padding=(1, 2, 1, 0))
        grad_x = step.gradient_buffer(x)
        step.call(kernels.pool2d_grad_input, g, x, z, grad_x, 2, 2, 2, 2, 0, 0, MAX)
        return y, grad_x, grads[0]

    def after_dropout(step, x):
        z = step.buffer(x.shape)
        step.call(kernels.dropout, x, z, 2**31, 7, step.step_number)
        y = conv(step, z, first, padding=(2, 1, 2, 1))
        g = conv_gradients(step, y, z, first, grads[0], padding=(2, 1, 2, 1))
        step.call(kernels.dropout, g, g, 2**31, 7, step.step_number)
        return y, g, grads[0]

    def one_buffer_with_two_borders(step, x):
        z = conv(step, x, first)
        y = conv(step, z, second, padding=(1, 0, 2, 1))
        other = conv(step, z, third, padding=(0, 3, 2, 1))
        return z, y, other

    def before_dense(step, x):
        z = conv(step, x, first, padding=(1, 1, 1, 1))
        y = conv(step, z, second, padding=(1, 1, 1, 1))
        flat, out = step.reshape(y, (6 * 5 * 3,)), step.buffer((4,))
        step.call(kernels.dense, flat, dense, none(x), out)
        grad_flat = step.buffer((6 * 5 * 3,))
        step.call(kernels.dense_grad_input, out, dense, grad_flat)
        g = conv_gradients(step, step.reshape(grad_flat, (6, 5, 3)), z, second, grads[1], padding=(1, 1, 1, 1))
        return out, g, grads[1]

    def image_given_twice(step, x):
        """The image comes from outside, so that a copy of it has the border."""
        return conv(step, x, first, padding=(1, 1, 1, 1)), conv(step, x, first, padding=(1, 1, 1, 1)), conv(step, x, first)

    def written_again_after_its_border_was_copied(step, x):
        """A copy that was made for the border must not serve what reads the buffer later."""
        z = step.reshape(step.reshape(conv(step, x, first), (4 * 3 * 4,)), (3, 4, 4))  # rows that differ, so that it is copied
        before = conv(step, z, second, padding=(1, 1, 1, 1))
        step.call(kernels.relu, z, z)
        return before, conv(step, z, second, padding=(1, 1, 1, 1))

    def written_again_whole(step, x):
        """softmax wants images without gaps, though the buffer got a border before."""
        z = conv(step, x, first)
        before = conv(step, z, second, padding=(1, 1, 1, 1))
        step.call(kernels.softmax, z, z)
        return before, conv(step, z, second, padding=(1, 1, 1, 1)), z

    def strides(step, x):
        z = conv(step, x, first, stride=(2, 1), padding=(1, 2, 0, 1))
        g = conv_gradients(step, z, x, first, grads[0], stride=(2, 1), padding=(1, 2, 0, 1))
        return z, g, grads[0]

    return {name: each for name, each in locals().items() if callable(each)}


@pytest.mark.parametrize("batch", [BATCH, 1])
@pytest.mark.parametrize("record", scenarios().values(), ids=scenarios())
def test_borders(record, batch):
    (x,) = arrays((BATCH, 12, 10, 2) if record.__name__ == "after_pool" else (BATCH, 6, 5, 2))
    Steps(record, x).check(batch)


def test_a_bordered_buffer_is_not_seen_under_other_rows():
    w, v = arrays((3, 3, 2, 4), (3, 3, 4, 3))

    def record(step, x):
        z = conv(step, x, w)
        other = step.reshape(z, (3, 4, 4))
        y = conv(step, other, v, padding=(1, 1, 1, 1))
        return y, conv(step, z, v, padding=(1, 1, 1, 1))

    (x,) = arrays((BATCH, 6, 5, 2))
    Steps(record, x).check()

    def too_late(step, x):
        z = conv(step, x, w)
        conv(step, z, v, padding=(1, 1, 1, 1))
        step.reshape(z, (48,))
        step.reshape(z, (3, 4, 4))

    with pytest.raises(ValueError, match=r"\(6, 4, 3, 4\) that a padded convolution has read cannot be seen as \(6, 3, 4, 4\)"):
        Steps(too_late, x)


# relu at the end of a row, and its gradient


def relu_steps(dtype, stride, padding, apart):
    """conv, relu, conv, and back. apart: what is read in between keeps relu and its gradient from becoming part of other rows."""
    w, v = arrays((3, 3, 2, 5), (3, 3, 5, 4), dtype=dtype)

    def record(step, x):
        z, seen = conv(step, x, w), []

        def look(buffer):
            if apart:
                seen.append(step.buffer(buffer.shape))
                step.call(kernels.dropout, buffer, seen[-1], 0, 1, step.step_number)

        look(z)
        step.call(kernels.relu, z, z)
        y = conv(step, z, v, stride=stride, padding=padding)
        g = step.gradient_buffer(z)
        step.call(kernels.conv2d_grad_input, y, v, g, *stride, *padding[:2])
        look(g)
        step.call(kernels.relu_grad, g, z, g)
        return y, g, *seen

    return record


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("stride", "padding"), [((1, 1), (0, 0, 0, 0)), ((1, 1), (1, 1, 1, 1)), ((2, 3), (1, 0, 1, 2))])
def test_relu_within_convolutions(stride, padding, dtype):
    (x,) = arrays((BATCH, 8, 8, 2), dtype=dtype)
    results = []
    for apart in (False, True):
        steps = Steps(relu_steps(dtype, stride, padding, apart), x, dtype=dtype)
        results.append(steps.check(limit=1e-12 if dtype == np.float64 else 1e-5))
        assert ("relu_kernel" in steps.rows()) == apart
        assert ("relu_grad_kernel" in steps.rows()) or not apart
    for fused, alone in zip(results[0], results[1], strict=False):
        np.testing.assert_allclose(fused, alone, rtol=0, atol=1e-6 * np.abs(alone).max())


@pytest.mark.parametrize("kind", [MAX, MIN, AVERAGE])
def test_relu_within_a_pool(kind):
    w = arrays((3, 3, 2, 5))[0]

    def record(step, x):
        z = conv(step, x, w)
        step.call(kernels.relu, z, z)
        y = pool(step, z, kind)
        g = step.gradient_buffer(z)
        step.call(kernels.pool2d_grad_input, y, z, y, g, 2, 2, 2, 2, 0, 0, kind)
        step.call(kernels.relu_grad, g, z, g)
        return y, g

    (x,) = arrays((BATCH, 8, 9, 2))
    steps = Steps(record, x)
    steps.check()
    assert steps.rows().count("relu_kernel") + steps.rows().count("relu_grad_kernel") == 0


def test_relu_within_dense_layers_and_behind_a_flattened_image():
    w, v, u = map(np.asfortranarray, arrays((3, 3, 2, 4), (4 * 3 * 4, 33), (33, 5)))
    w = np.ascontiguousarray(w)

    def record(step, x):
        z = conv(step, x, w, padding=(1, 1, 0, 1))
        step.call(kernels.relu, z, z)
        flat = step.reshape(z, (4 * 3 * 4,))
        hidden, out = step.buffer((33,)), step.buffer((5,))
        step.call(kernels.dense, flat, v, none(x), hidden)
        step.call(kernels.relu, hidden, hidden)
        step.call(kernels.dense, hidden, u, none(x), out)
        grad_hidden, grad_flat = step.buffer((33,)), step.buffer(flat.shape)
        step.call(kernels.dense_grad_input, out, u, grad_hidden)
        step.call(kernels.relu_grad, grad_hidden, hidden, grad_hidden)
        step.call(kernels.dense_grad_input, grad_hidden, v, grad_flat)
        g = step.reshape(grad_flat, z.shape[1:])
        step.call(kernels.relu_grad, g, z, g)
        grad_x = step.gradient_buffer(x)
        step.call(kernels.conv2d_grad_input, g, w, grad_x, 1, 1, 1, 1)
        return out, grad_hidden, grad_x

    (x,) = arrays((BATCH, 5, 3, 2))
    steps = Steps(record, x)
    steps.check()
    steps.check(batch=3)
    assert steps.rows().count("relu_kernel") + steps.rows().count("relu_grad_kernel") == 0


def test_relus_gradient_waits_for_the_output_that_it_needs():
    """The gradient is there before relu's output is: the row that wrote it cannot take relu in."""
    w = arrays((3, 3, 2, 4))[0]

    def record(step, x):
        z, g = conv(step, x, w), step.gradient_buffer(x)
        step.call(kernels.conv2d_grad_input, z, w, g, 1, 1, 0, 0)
        y = step.buffer(x.shape)
        step.call(kernels.relu, x, y)
        step.call(kernels.relu_grad, g, y, g)
        return (g,)

    Steps(record, arrays((BATCH, 6, 5, 2))[0]).check()


# Order of rows


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


# Memory


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


def test_zeros_around_scratch_survive_its_neighbours():
    """A border is never room for somebody else, though the buffer inside has long been read."""
    w, v = arrays((3, 3, 2, 2), (5, 5, 2, 2))

    def record(step, x):
        y = x
        for _ in range(4):
            y = conv(step, y, w, padding=(1, 1, 1, 1))
            y = conv(step, y, v, padding=(2, 2, 2, 2))
            step.call(kernels.tanh, y, y)
        return (y,)

    steps = Steps(record, arrays((BATCH, 6, 5, 2))[0])
    for _ in range(3):
        steps.check()


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


# Functions of somebody's own, other arrays


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


# What is refused


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
