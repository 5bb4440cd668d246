"""What the tests of the fast kernels share."""

import numpy as np
import pytest

from jitcnn.kernels.buffers import Border
from jitcnn.kernels.program import Program


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture
def apply():
    """`apply(lowering, x, y_shape, *rest)`: the y that a program of one kernel writes, between copies, from and into bordered buffers."""

    def run(lowering, x, y_shape, *rest, border=None, threads=1, batch=None):
        program = Program(len(x), threads)
        source, target = program.buffer(x.shape, x.dtype), program.buffer(y_shape, x.dtype)
        program.copy(program.external(x), source)
        source, target = program.border(source, border or Border()), program.border(target, border or Border())
        lowering(program, source, target, *rest)
        target.storage.kept = True
        y = np.full(y_shape, 77, x.dtype)
        program.copy(target, program.external(y))
        program.finish().run(batch=batch)
        assert np.count_nonzero(target.storage.array) == np.count_nonzero(target.array()), "the border was written"
        return y

    return run
