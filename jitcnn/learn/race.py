"""One small network, computed in six ways, from plain Python loops to Winograd's convolution; the numbers that come out are the same."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from jitcnn import initializers, kernels, reference
from jitcnn.data import mnist
from jitcnn.kernels.compiling import njit
from jitcnn.learn.ladder import Rung, Speed, climb, loops, passes_by, rounded
from jitcnn.reference.prepared import PREPARED

NETWORK = "conv 3x3 1->32, pool, conv 3x3 32->64, conv 3x3 64->64, dense 10; relu behind each conv"
MOST_IMAGES = 256
TOLERANCE = 1e-4  # of the largest number

Passes = Callable[[np.ndarray, "Weights"], np.ndarray]


class Weights(NamedTuple):
    """Of the three convolutions and the dense layer; there is no bias."""

    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    dense: np.ndarray


def draw_weights() -> Weights:
    """Random weights of a size that keeps numbers alike from layer to layer."""
    random = np.random.default_rng(1)
    shapes = [(3, 3, 1, 32), (3, 3, 32, 64), (3, 3, 64, 64), (10 * 10 * 64, 10)]
    return Weights(*(np.asarray(initializers.he_normal(shape, generator=random), np.float32) for shape in shapes))


def digits() -> np.ndarray:
    """The first test digits, each standardised."""
    _, (images, _) = mnist.load(train_limit=1, test_limit=MOST_IMAGES)
    return kernels.take_images(images, np.arange(len(images)), normalize="per-image")


def by_passes(passes: Any, x: np.ndarray, w: Weights, **settings: Any) -> np.ndarray:
    """The network by functions of the names and signatures of `jitcnn.kernels`; `settings` go to all convolutions but the first."""
    x = passes.conv2d(x, w.first, padding=1, activation="relu")
    x, _ = passes.pool2d(x, 2)
    x = passes.conv2d(x, w.second, activation="relu", **settings)
    x = passes.conv2d(x, w.third, activation="relu", **settings)
    return passes.dense(x.reshape(len(x), -1), w.dense)


def by_numpy(x: np.ndarray, w: Weights) -> np.ndarray:
    """The network by NumPy: every window as a row of a matrix, and one product of matrices a layer."""

    def conv(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        windows = sliding_window_view(x, w.shape[:2], axis=(1, 2))  # (n, rows, columns, c, kernel rows, kernel columns)
        rows = windows.reshape(*windows.shape[:3], -1)
        return np.maximum(rows @ w.transpose(2, 0, 1, 3).reshape(-1, w.shape[3]), 0)

    x = conv(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), w.first)
    x = x.reshape(len(x), 14, 2, 14, 2, -1).max(axis=(2, 4))
    x = conv(conv(x, w.second), w.third)
    return x.reshape(len(x), -1) @ w.dense


@cache
def serial(name: str) -> Callable[..., Any]:
    """A loop of the reference, compiled for one processor."""
    function = FunctionType(PREPARED[name].__code__, PREPARED[name].__globals__, name)
    function.__module__, function.__qualname__ = __name__, f"{name}_serial"
    return njit(error_model="numpy")(function)


#: The same loops on one processor.
serial_loops = passes_by(serial)


def ways() -> list[tuple[str, str, Passes]]:
    """Name, what changed from the way before, and the network."""
    return [
        ("loops", "plain Python: a loop over every pixel, filter and weight, one number at a time", partial(by_passes, reference)),
        ("NumPy", "whole windows at once: one product of matrices a layer, by the hand-tuned library inside NumPy", by_numpy),
        ("@njit", "the plain loops again, compiled by Numba to machine code, on one processor", partial(by_passes, serial_loops)),
        ("prange", "the same, images shared out among all processors", partial(by_passes, loops)),
        (
            "tile",
            "jitcnn.kernels: many pixels times many filters at a time, whose sums stay in the processor's registers",
            partial(by_passes, kernels, algorithm="direct"),
        ),
        (
            "Winograd",
            "all convolutions but the first by Winograd's transforms: fewer products for the same result",
            partial(by_passes, kernels, algorithm="winograd"),
        ),
    ]


def prepare() -> list[Rung]:
    """Compute one image in every way, and return the ways if all agree.

    Raises
    ------
    RuntimeError
        If one gives other numbers.
    """
    images, weights = digits(), draw_weights()
    expected = by_numpy(images[:1].astype(np.float64), Weights(*(w.astype(np.float64) for w in weights)))
    rungs = []
    for name, change, network in ways():
        found = network(images[:1], weights)
        difference = float(np.abs(found - expected).max() / np.abs(expected).max())
        if not difference <= TOLERANCE:
            raise RuntimeError(f"{name} gives other numbers than the rest, by {difference:.1g} of the largest: it may not race")
        rungs.append(Rung(name, change, partial(_run, network, images, weights)))
    return rungs


def _run(network: Passes, images: np.ndarray, weights: Weights, count: int) -> np.ndarray:
    return network(images[:count], weights)


def race(rungs: list[Rung], seconds: float) -> Iterator[Speed]:
    """Time the ways, in order; they have been run once."""
    return climb(rungs, MOST_IMAGES, seconds, warm=True)


def figure(speeds: list[Speed]) -> Any:
    """A bar chart of the speeds, a matplotlib figure."""
    from matplotlib.figure import Figure

    chart = Figure(figsize=(8, 0.7 * len(speeds) + 1.5), layout="constrained")
    axes = chart.add_subplot()
    bars = axes.barh([speed.rung.name for speed in speeds], [speed.images_per_second for speed in speeds], color="#4878a8")
    axes.bar_label(bars, [rounded(speed.images_per_second) for speed in speeds], padding=4)
    axes.set(xscale="log", xlabel="images a second, logarithmic scale", title=f"The same network in {len(speeds)} ways")
    axes.margins(x=0.15)
    axes.invert_yaxis()
    return chart
