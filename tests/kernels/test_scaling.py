import numpy as np
import pytest

from jitcnn.kernels.buffers import Border
from jitcnn.kernels.loss import LOWERINGS as LOSSES
from jitcnn.kernels.program import Program
from jitcnn.kernels.scaling import LOWERINGS

REALS = [np.float32, np.float64]
LIMIT = {np.float32: 1e-6, np.float64: 1e-14}


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (4, 40, 1)])
@pytest.mark.parametrize("border", [Border(), Border(1, 2, 0, 3)], ids=["plain", "border"])
def test_standardize(rng, apply, real, shape, border):
    x = rng.normal(100, 50, (9, *shape)).astype(real)
    mean, deviation = rng.normal(90, 30, shape[2]), rng.uniform(1, 100, shape[2])
    results = [
        apply(lambda p, x, y: LOWERINGS["standardize"](p, x, mean, deviation, y), x, x.shape, border=border, threads=t) for t in (1, 2)
    ]
    np.testing.assert_allclose(results[0], (x.astype(float) - mean) / deviation, rtol=LIMIT[real], atol=LIMIT[real])
    assert results[0].tobytes() == results[1].tobytes()


@pytest.mark.parametrize("real", REALS)
def test_standardize_in_place(rng, real):
    x, mean, deviation = rng.normal(size=(6, 4, 5, 2)).astype(real), np.array([1.0, -2.0]), np.array([0.5, 3.0])
    expected, program = (x.astype(float) - mean) / deviation, Program(6, 1)
    buffer = program.external(x)
    LOWERINGS["standardize"](program, buffer, mean, deviation, buffer)
    program.finish().run()
    np.testing.assert_allclose(x, expected, rtol=LIMIT[real], atol=LIMIT[real])


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [(), (1,), (10,), (3, 4, 2)])
@pytest.mark.parametrize("in_place", [False, True])
def test_scale_rows(rng, real, shape, in_place):
    x, factors, program = rng.normal(size=(9, *shape)).astype(real), rng.normal(size=9).astype(real), Program(9, 2)
    expected, y = x * factors.reshape(9, *(1 for _ in shape)), x if in_place else np.full_like(x, 7)
    source = program.external(x)
    LOWERINGS["scale_rows"](program, source, program.external(factors), source if in_place else program.external(y))
    program.finish().run()
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("classes", [1, 10, 100])
@pytest.mark.parametrize("in_place", [False, True])
def test_smooth_labels(rng, real, classes, in_place):
    targets, program = rng.uniform(size=(9, classes)).astype(real), Program(9, 2)
    expected, y = 0.85 * targets + 0.15 / classes, targets if in_place else np.full_like(targets, 7)
    source = program.external(targets)
    LOSSES["smooth_labels"](program, source, np.array([0.15]), source if in_place else program.external(y))
    program.finish().run()
    np.testing.assert_allclose(y, expected, rtol=LIMIT[real])
