"""The step and the program of the eager engines."""

import numpy as np
import pytest

from jitcnn import kernels, reference
from jitcnn.engine import build_program
from jitcnn.engine.eager import EagerStep, with_batch_axis
from jitcnn.engine.parameter import FlatLayout, Parameter, aligned_zeros
from jitcnn.engine.session import Session
from jitcnn.initializers import ones


def step(batch=2, dtype=np.float64):
    return EagerStep("python", batch, np.dtype(dtype), True, np.ones(1, np.int64))


def test_buffers_have_the_batch_in_front():
    s = step(3, np.float32)
    assert s.buffer((5,)).shape == (3, 5)
    assert s.buffer((4, 5, 2)).shape == (3, 4, 5, 2)
    assert s.buffer((3, 4, 5, 2)).shape == (3, 4, 5, 2)
    assert s.buffer(()).shape == (3,)
    assert s.buffer((5,)).dtype == np.float32
    assert s.labels_buffer().dtype == np.int64
    assert s.reshape(np.zeros((3, 2, 2, 1)), (4,)).shape == (3, 4)
    with pytest.raises(ValueError, match="give the shape of one image"):
        with_batch_axis((4, 5), 3)


def test_parameters_stand_for_their_arrays():
    s = step()
    parameter = Parameter("weights", (3, 2), ones, transposed=True)
    layout = FlatLayout([parameter], np.float64)
    values, gradients = layout.zeros(), layout.zeros()
    parameter.bind(values[layout.slices[parameter]], gradients[layout.slices[parameter]])
    parameter.value[...] = [[1, 2], [3, 4], [5, 6]]
    y = s.buffer((2,))
    s.call(kernels.dense, np.ones((2, 3)), parameter, np.empty(0), y)
    assert y.tolist() == [[9, 12], [9, 12]]
    s.call(kernels.dense_grad_weights, np.ones((2, 2)), np.ones((2, 3)), s.gradient(parameter))
    assert (parameter.gradient == 2).all()
    assert (parameter.flat_gradient == 2).all()
    assert parameter.flat.tolist() == [1, 3, 5, 2, 4, 6]


@pytest.mark.parametrize("namespace", [kernels, reference])
def test_calls_check_shapes_first(namespace):
    with pytest.raises(ValueError, match="dense: "):
        step().call(namespace.dense, np.ones((2, 3)), np.ones((4, 2)), np.empty(0), np.empty((2, 2)))


def test_any_function_can_be_called():
    y = step().buffer((3,))
    step().call(np.add, np.ones((2, 3)), 2, y)
    assert (y == 3).all()


def test_flat_layout_aligns_each_parameter():
    parameters = [Parameter(f"p{size}", (size,), ones) for size in (3, 17, 16)]
    layout = FlatLayout(parameters, np.float32)
    assert [layout.slices[p].start for p in parameters] == [0, 16, 48]
    assert layout.size == 64
    assert aligned_zeros(7, np.float32).ctypes.data % 64 == 0


@pytest.mark.parametrize("kind", ["python", "loops", "fast"])
def test_a_session_takes_every_image_once_and_lets_go_of_its_arrays(kind):
    def record(step, data):
        y = step.buffer((2, 2, 1))
        step.call(kernels.take_images, data.images, data.order, data.position, y, 0)
        step.output(y, data.outputs)

    images = np.arange(7 * 4, dtype=np.float64).reshape(7, 2, 2, 1)
    order = np.array([6, 0, 3, 2, 1])
    arrays = {"images": images, "order": order, "outputs": np.zeros((5, 2, 2, 1))}
    session = Session(kind, record, arrays, 2, np.float64)
    done = []
    for factor in (1, 2):  # recorded once, run on two sets of arrays
        arrays = {"images": factor * images, "order": order, "outputs": np.zeros((5, 2, 2, 1))}
        with session.using(arrays):
            session.run_all(done.append)
        assert np.array_equal(arrays["outputs"], factor * images[order])
        assert session.data.images is not arrays["images"]
    assert done[-1] == 5
    with pytest.raises(ValueError, match="images is"), session.using({**arrays, "images": images.astype(np.float32)}):
        pass


def test_step_number_counts_training_steps():
    numbers = []
    for training in (False, True):
        count, zero = np.zeros(1, np.int64), np.zeros(1, np.int64)
        program = build_program(
            "python", lambda step, c=count: numbers.append(int(c[0])), 2, np.float32, training, np.arange(6), zero, count
        )
        program.run(0, 3)
    assert numbers == [0, 0, 0, 1, 2, 3]


def test_unknown_engine():
    with pytest.raises(ValueError, match="engine is 'gpu', expected one of 'fast', 'loops', 'python'"):
        build_program("gpu", print, 1, np.float32, False, np.arange(1), np.zeros(1, np.int64), np.zeros(1, np.int64))
