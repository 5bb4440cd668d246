"""Programs: relu, and its gradient, as the end of another row."""

import numpy as np
import pytest

from jitcnn import kernels
from jitcnn.forms.codes import AVERAGE, MAX, MIN
from tests.kernels.recording import BATCH, Steps, arrays, conv, none, pool


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
