import numpy as np
import pytest

from jitcnn.kernels.buffers import Border
from jitcnn.kernels.dropout import LOWERINGS
from jitcnn.kernels.program import Program
from jitcnn.reference.dropout import dropout as reference

DROPOUT = LOWERINGS["dropout"]
SHAPES = [(1, 1), (1, 1, 1, 1), (5, 37), (6, 3, 5, 1), (4, 4, 3, 33)]
ARGUMENTS = [(2**31, 7, 1), (2**32 - 1, -(2**63), 3), (1, 2**63 - 1, 2**40 + 5), (0, 0, 0), (858993459, 1234567890123, 2**31)]


def expected(x, threshold, seed, step):
    y = np.empty_like(x)
    reference(x, y, threshold, seed, step)
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("threshold", "seed", "step"), ARGUMENTS)
def test_same_bits_as_the_loops(apply, rng, dtype, shape, threshold, seed, step):
    x = rng.normal(size=shape).astype(dtype)
    x.reshape(-1)[:3] = [np.nan, np.inf, -1.0][: x.size]
    step = np.array([step])
    y = expected(x, threshold, seed, step)
    for border in [Border(), Border(1, 2, 0, 3)] if len(shape) == 4 else [Border()]:
        for threads in (1, 2):
            fast = apply(DROPOUT, x, shape, threshold, seed, step, border=border, threads=threads)
            np.testing.assert_array_equal(fast, y)


def test_borders_on_one_side_do_not_move_the_hash(rng):
    """Elements are counted within the image, whatever surrounds it on either side."""
    x, step = rng.normal(size=(6, 3, 4, 2)), np.array([5])
    for bordered in ("x", "y"):
        program = Program(6, 1)
        source, target = program.buffer(x.shape, x.dtype), program.buffer(x.shape, x.dtype)
        program.copy(program.external(x), source)
        program.border(source if bordered == "x" else target, Border(0, 1, 0, 0))
        DROPOUT(program, source, target, 2**30, 3, step)
        y = np.empty_like(x)
        program.copy(target, program.external(y))
        program.finish().run()
        np.testing.assert_array_equal(y, expected(x, 2**30, 3, step))


def test_in_place_step_after_step_with_a_smaller_last_batch(rng):
    x, step = rng.normal(size=(9, 21)).astype(np.float32), np.array([1])
    y, target = x.copy(), np.zeros_like(x)
    program = Program(9, 2)
    buffer = program.buffer(x.shape, x.dtype)
    program.copy(program.external(y), buffer)
    DROPOUT(program, buffer, buffer, 2**31, 11, step)
    program.copy(buffer, program.external(target))
    program.finish()
    for number, batch in [(1, 9), (2, 9), (3, 4), (4, 1)]:
        step[0] = number
        program.run(batch=batch)
        np.testing.assert_array_equal(target[:batch], expected(x, 2**31, 11, step)[:batch])
