"""Run by test_processors.py, under settings of NUMBA_CPU_NAME: what public kernels and two steps of training give, into a file."""

import sys

import numpy as np

from jitcnn import kernels
from jitcnn.kernels.vectors import processor
from jitcnn.presets import PRESETS
from tests.kernels.oracle import Guarded, arrays_of

# images, rows, columns, channels, filters, kernel size, stride, padding, algorithm
CONVOLUTIONS = [
    (5, 9, 10, 1, 8, (3, 3), 1, 0, "direct"),  # neighbouring pixels together
    (2, 9, 7, 13, 43, (2, 3), (2, 1), 1, "direct"),  # whole vectors and a masked remainder, phases
    (3, 8, 9, 24, 40, (3, 3), 1, 1, "winograd"),
]


def results(call, dtype):
    """Name -> array: call(name, *arguments, **settings) is a public function; its arguments are numbers of float32 in `dtype`."""
    random = np.random.default_rng(5)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32).astype(dtype)

    found = {}
    for case, (images, rows, columns, channels, filters, size, stride, padding, algorithm) in enumerate(CONVOLUTIONS):
        settings = {"stride": stride, "padding": padding, "algorithm": algorithm}
        x, w = normal(images, rows, columns, channels), normal(*size, channels, filters)
        y = call("conv2d", x, w, normal(filters), activation="relu", **settings)
        grad_y = normal(*y.shape)
        found |= {
            f"conv2d {case}": y,
            f"conv2d_grad_input {case}": call("conv2d_grad_input", grad_y, w, x.shape, **settings),
            f"conv2d_grad_weights {case}": call("conv2d_grad_weights", grad_y, x, w.shape, **settings),
        }
    x, w, grad_y, images = normal(9, 37), normal(37, 10), normal(9, 10), normal(3, 6, 8, 5)
    return found | {
        "dense": call("dense", x, w, normal(10), activation="relu"),
        "dense_grad_input": call("dense_grad_input", grad_y, w),
        "dense_grad_weights": call("dense_grad_weights", grad_y, x),
        "pool2d": call("pool2d", images, 2),
        "relu": call("relu", images),
        "softmax": call("softmax", 30 * grad_y),
        "dropout": call("dropout", images, 0.3, seed=7, step=4),
    }


def trained(engine, dtype):
    """The parameters of a preset after two steps, and the gradients of the second one."""
    random = np.random.default_rng(6)
    x, y = random.integers(0, 256, (64, 28, 28, 1)).astype(np.uint8), random.integers(0, 10, 64)
    model = PRESETS["conv-pool"].build(seed=1, dtype=dtype, engine=engine)
    model.train(x, y, epochs=1, batch_size=32, progress=False)
    return dict(model.parameters), {f"gradient of {name}": parameter.gradient for name, parameter in model.graph.parameters.items()}


def guarded(name, *arguments, **settings):
    """What a kernel gives: computed once more between numbers that have to stay as they are."""
    function = getattr(kernels, name)
    found = arrays_of(function(*arguments, **settings))[0]
    guard = Guarded(found.shape, found.dtype)
    function(*arguments, out=guard.array, **settings)
    guard.check()
    assert (guard.array == found).all(), name
    return found


if __name__ == "__main__":
    parameters, gradients = trained("fast", "float32") if "train" in sys.argv else ({}, {})
    np.savez(sys.argv[1], **results(guarded, np.float32), **parameters, **gradients)
    print(*processor()[:2])
