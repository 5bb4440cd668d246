"""Programs: zeros around what a padded convolution reads."""

import numpy as np
import pytest

from jitcnn import kernels
from jitcnn.forms.codes import MAX
from tests.kernels.recording import BATCH, Steps, arrays, conv, conv_gradients, none, pool


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
