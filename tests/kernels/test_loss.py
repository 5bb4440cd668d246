import numpy as np
import pytest

from jitcnn.kernels.loss import LOWERINGS
from jitcnn.kernels.program import Program
from jitcnn.reference import loss as loops

LOSSES = [name for name in LOWERINGS if name != "smooth_labels"]
SHAPES = [(1, 1), (1, 2), (7, 1), (5, 3), (6, 10), (4, 1000), (2, 3000), (33, 17)]
LIMIT = {np.float32: 1e-5, np.float64: 1e-12}


def case(rng, name, shape, dtype):
    outputs = (3 * rng.normal(size=shape)).astype(dtype)
    if name == "cross_entropy":
        return outputs, rng.integers(shape[1], size=shape[0])
    return outputs, rng.uniform(size=shape).astype(dtype)


def perform(name, outputs, truth, threads=1, batch=None):
    losses, grad = np.full(len(outputs), 7, outputs.dtype), np.full_like(outputs, 7)
    program = Program(len(outputs), threads)
    LOWERINGS[name](program, *map(program.external, (outputs, truth, losses, grad)))
    program.finish().run(batch=batch)
    return losses, grad


def expected(name, outputs, truth):
    losses, grad = np.empty(len(outputs)), np.empty(outputs.shape)
    getattr(loops, name)(outputs.astype(np.float64), truth if truth.dtype == np.int64 else truth.astype(np.float64), losses, grad)
    return losses, grad


def assert_near(results, truths, dtype):
    for result, truth in zip(results, truths, strict=True):
        assert np.abs(result - truth).max() <= LIMIT[dtype] * np.abs(truth).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_gradient(rng, name, shape, dtype):
    outputs, truth = case(rng, name, shape, dtype)
    assert_near(perform(name, outputs, truth), expected(name, outputs, truth), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LOSSES)
def test_a_last_smaller_batch_has_its_own_mean(rng, name, dtype):
    outputs, truth = case(rng, name, (37, 10), dtype)
    losses, grad = perform(name, outputs, truth, batch=5)
    assert_near((losses[:5], grad[:5]), expected(name, outputs[:5], truth[:5]), dtype)
    assert (losses[5:] == 7).all() and (grad[5:] == 7).all()


@pytest.mark.parametrize("name", LOSSES)
def test_two_threads_give_the_same_bits(rng, name):
    outputs, truth = case(rng, name, (37, 50), np.float32)
    for one, two in zip(perform(name, outputs, truth), perform(name, outputs, truth, threads=2), strict=True):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [3, 100])
@pytest.mark.parametrize("name", LOSSES)
def test_large_numbers(name, k, dtype):
    outputs = np.zeros((3, k), dtype)
    outputs[0, 1], outputs[1, 1], outputs[2] = 1e4, -1e4, -1e4
    truth = np.array([1, 1, 2]) if name == "cross_entropy" else (np.arange(3 * k).reshape(3, k) % 2).astype(dtype)
    assert_near(perform(name, outputs, truth), expected(name, outputs, truth), dtype)


@pytest.mark.parametrize("k", [3, 100])
@pytest.mark.parametrize("name", LOSSES)
def test_nan_in_a_sample_is_seen_in_its_loss_and_gradient_alone(rng, name, k):
    outputs, truth = case(rng, name, (3, k), np.float32)
    outputs[1, 2] = np.nan
    losses, grad = perform(name, outputs, truth)
    np.testing.assert_array_equal(np.isnan(losses), [False, True, False])
    assert np.isnan(grad[1, 2]) and not np.isnan(grad[[0, 2]]).any()
    assert np.isnan(grad[1]).all() == (name in ("cross_entropy", "soft_cross_entropy"))
