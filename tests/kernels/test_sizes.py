"""Index arithmetic in 64 bits: arrays of more than 2**31 numbers, of which only the last pages are ever there.

A program's tasks take any share of the images; here one takes the last four of many, so that nothing else is read or written.
"""

import mmap
import sys

import numpy as np
import pytest

from jitcnn import CNN, Dense, Flatten, guard, kernels, reference
from jitcnn.kernels import runner
from jitcnn.kernels.lowering import LOWERINGS
from jitcnn.kernels.program import Program
from jitcnn.passes import Passes
from jitcnn.reference.prepared import PREPARED

MANY = 2**31 + 2**20  # numbers
LAST = 4  # images of a task
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory that is only there when it is touched"),
    pytest.mark.skipif(bool(guard.MODE), reason="guarded memory is a copy, and there is not so much"),
]


def untouched(shape, dtype):
    """Zeros of which no page is there yet."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE
    return np.frombuffer(memory, dtype).reshape(shape)


def run_last(program, batch):
    """Run the finished program's rows on the last images only."""
    (part,) = program.parts
    tasks = np.array([[0, len(part.rows), batch - LAST, batch, LAST]])
    program.counters[runner.BATCH] = batch
    runner.Replay(part.rows, tasks, np.array([[0, 1]]), program.counters, 1).run(1, False, 1)


IMAGE, Y, SCORES = (4, 4, 2), (2, 2, 2), (8,)
RNG = np.random.default_rng(0)
W, V = RNG.normal(size=(3, 3, 2, 2)).astype(np.float32), RNG.normal(size=(8, 8)).astype(np.float32)
CASES = {  # kernel: shapes of images in and out, and the other arguments
    "conv2d": ([IMAGE], [Y], lambda x, y: (*x, W, W[0, 0, 0], *y, 1, 1, 0, 0)),
    "conv2d_grad_input": ([Y], [IMAGE], lambda x, y: (*x, W, *y, 1, 1, 0, 0)),
    "pad2d": ([Y], [IMAGE], lambda x, y: (*x, *y, 1, 1, 1)),
    "pool2d": ([IMAGE], [Y], lambda x, y: (*x, *y, 2, 2, 2, 2, 0, 0, 0)),
    "pool2d_grad_input": ([Y, IMAGE, Y], [IMAGE], lambda x, y: (*x, *y, 2, 2, 2, 2, 0, 0, 0)),
    "upsample2d": ([Y], [IMAGE], lambda x, y: (*x, *y, 2, 2)),
    "dense": ([SCORES], [SCORES], lambda x, y: (*x, np.asfortranarray(V), V[0], *y)),
    "dense_grad_input": ([SCORES], [SCORES], lambda x, y: (*x, np.asfortranarray(V), *y)),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "softmax"), ([SCORES], [SCORES], lambda x, y: (*x, *y))),
    "relu_grad": ([IMAGE, IMAGE], [IMAGE], lambda x, y: (*x, *y)),
    "mse": ([SCORES, SCORES], [(), SCORES], lambda x, y: (*x, *y)),
    "scale_rows": ([IMAGE, ()], [IMAGE], lambda x, y: (*x, *y)),
    "standardize": ([IMAGE], [IMAGE], lambda x, y: (*x, np.ones(2), np.ones(2), *y)),
}


@pytest.mark.parametrize("name", CASES)
def test_images_beyond_two_to_the_31(name):
    inputs, outputs, arguments = CASES[name]
    batch = MANY // min(int(np.prod(shape)) for shape in (*inputs, *outputs) if shape)
    arrays = [untouched((batch, *shape), np.float32) for shape in (*inputs, *outputs)]
    for array in arrays[: len(inputs)]:
        array[-LAST:] = RNG.normal(size=(LAST, *array.shape[1:]))
    if name == "pool2d_grad_input":  # where the largest is, y says
        PREPARED["pool2d"](arrays[1][-LAST:], arrays[2][-LAST:], 2, 2, 2, 2, 0, 0, 0)
    few = [array[-LAST:].copy() for array in arrays]
    program = Program(batch, 1)
    buffers = [program.external(array) for array in arrays]
    LOWERINGS[name](program, *arguments(buffers[: len(inputs)], buffers[len(inputs) :]))
    program.finish()
    if program.preparation is not None:
        program.preparation.run(1, 1, 0)
    run_last(program, batch)
    PREPARED[name](*arguments(few[: len(inputs)], few[len(inputs) :]))
    for array, expected in zip(arrays[len(inputs) :], few[len(inputs) :], strict=True):
        if name == "mse" and array.ndim > 1:
            expected = expected * (LAST / batch)  # the gradient of a mean over the whole batch
        np.testing.assert_allclose(array[-LAST:], expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_parameters_beyond_two_to_the_31(name):
    states = {"sgd": 0, "adam": 2}[name]
    hyper, one = np.array([[0.1, 0.9, 0.99, 1e-8, 0.0] if states else [0.1, 0.0]]), np.array([1])
    arrays = [untouched((MANY,), np.float32) for _ in range(2 + states)]
    arrays[1][-100:] = np.linspace(-1, 1, 100)
    few = [array[-100:].copy() for array in arrays]
    program = Program(1, 1)
    LOWERINGS[name](program, *arrays, hyper, one, one)
    layout = program.rows[0].layout
    program.finish()
    (part,) = program.parts
    tasks = np.array([[0, 1, layout.items - 1, layout.items, 1]])
    runner.Replay(part.rows, tasks, np.array([[0, 1]]), program.counters, 1).run(1, False, 1)
    PREPARED[name](*few, hyper, one, one)
    for array, expected in zip(arrays, few, strict=True):
        np.testing.assert_allclose(array[-100:], expected, rtol=1e-5)


@pytest.fixture
def sparse(tmp_path):
    """Images in a file of more than 2**31 bytes, of which the disk holds the last."""
    images = np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, (MANY // 784 + 10, 28, 28, 1))
    images[-8:] = np.random.default_rng(2).integers(0, 256, (8, 28, 28, 1))
    images.flush()
    return np.load(tmp_path / "images.npy", mmap_mode="r")


@pytest.mark.parametrize("namespace", [kernels, reference])
@pytest.mark.parametrize("normalize", [None, "per-image"])
def test_images_are_taken_from_anywhere(sparse, namespace, normalize):
    order = np.array([len(sparse) - 1, 0, len(sparse) - 3])
    taken = namespace.take_images(sparse, order, normalize=normalize, dtype="float64")
    np.testing.assert_allclose(taken, namespace.take_images(np.array(sparse[order]), [0, 1, 2], normalize=normalize, dtype="float64"))
    assert taken[0].any() and not taken[1].any()


@pytest.mark.parametrize("engine", ["fast", "loops"])
def test_a_model_trains_on_what_lies_there(sparse, engine):
    """The same bits as on the same images alone."""
    labels, digests = np.arange(len(sparse)) % 3, []
    for first, images, y in ((len(sparse) - 8, sparse, labels), (0, np.array(sparse[-8:]), labels[-8:])):
        model = CNN([Flatten(), Dense(3, activation="softmax")], seed=1, engine=engine, normalize="per-image")
        model.compile()
        targets = model.check_targets(model.check_images(images), y)
        with Passes(model._get_trainer(), True, images, targets, np.arange(first, first + 8), 4) as passes:
            passes.run()
        digests.append(model.digest())
    assert digests[0] == digests[1]
