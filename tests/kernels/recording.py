"""What the tests of programs share: calls that are recorded, and made at once on arrays in plain loops, with the outputs compared."""

import numpy as np

from jitcnn import kernels
from jitcnn.engine.eager import EagerStep
from jitcnn.engine.recorder import Recorder
from jitcnn.forms.codes import MAX
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
