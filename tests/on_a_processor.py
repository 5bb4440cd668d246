"""Run by test_processors.py, under settings of NUMBA_CPU_NAME: public kernels and a training step against the loops in float64."""

import numpy as np

from jitcnn.kernels.vectors import processor
from jitcnn.presets import PRESETS
from tests.kernels.oracle import agree

RNG = np.random.default_rng(5)
# images, rows, columns, channels, filters, kernel size, stride, padding, algorithm
CONVOLUTIONS = [
    (5, 9, 10, 1, 8, (3, 3), 1, 0, "direct"),  # neighbouring pixels together
    (2, 9, 7, 5, 7, (2, 3), (2, 1), 1, "direct"),  # a masked remainder of channels, phases
    (3, 8, 9, 24, 40, (3, 3), 1, 1, "direct"),
    (3, 8, 9, 24, 40, (3, 3), 1, 1, "winograd"),
]


def normal(*shape):
    """Random numbers in float32."""
    return RNG.normal(size=shape).astype(np.float32)


def convolution(images, rows, columns, channels, filters, size, stride, padding, algorithm):
    """All passes."""
    settings = {"stride": stride, "padding": padding, "algorithm": algorithm}
    x, w = normal(images, rows, columns, channels), normal(*size, channels, filters)
    grad_y = normal(*agree("conv2d", x, w, normal(filters), activation="relu", **settings).shape)
    agree("conv2d_grad_input", grad_y, w, x.shape, **settings)
    agree("conv2d_grad_weights", grad_y, x, w.shape, **settings)


def other_kernels():
    """Dense layers, pooling, activations."""
    x, w, grad_y = normal(9, 37), normal(37, 10), normal(9, 10)
    agree("dense", x, w, normal(10), activation="relu")
    agree("dense_grad_input", grad_y, w)
    agree("dense_grad_weights", grad_y, x)
    images = normal(3, 6, 8, 5)
    agree("pool2d", images, 2)
    agree("relu", images)
    agree("softmax", 30 * grad_y)
    agree("dropout", images, 0.3, seed=7, step=4)


def training():
    """Two steps of a preset."""
    x, y = RNG.integers(0, 256, (64, 28, 28, 1)).astype(np.uint8), RNG.integers(0, 10, 64)
    models = [PRESETS["conv-pool"].build(seed=1, dtype="float64", engine=engine) for engine in ("fast", "loops")]
    for model in models:
        model.train(x, y, epochs=1, batch_size=32, progress=False)
    fast, loops = models
    for name, parameter in loops.parameters.items():
        assert np.abs(fast.parameters[name] - parameter).max() <= 1e-8, name


if __name__ == "__main__":
    for case in CONVOLUTIONS:
        convolution(*case)
    other_kernels()
    training()
    print(*processor()[:2])
