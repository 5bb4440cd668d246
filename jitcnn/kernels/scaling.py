"""Numbers made larger or smaller by image or by channel, along whole rows of an image."""

import functools
from collections.abc import Callable

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.elementwise import elementwise_key, lines
from jitcnn.kernels.exponential import exact
from jitcnn.kernels.pointers import float64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

ScaleRows = record(x=Images, factors=Images, y=Images, rows=int, width=int)
Standardize = record(x=Images, y=Images, mean=int, deviation=int, channels=int, rows=int, width=int)


@functools.cache
def scale_rows_kernel(real: type, in_place: bool):
    """y = x * scale of the image."""
    line = ACCESS[real][0]

    @kernel(ScaleRows, (real.__name__, in_place), f"scaled rows {real.__name__}")
    def scale_rows(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            scale = line(a.factors, n, first, worker, 0, 1)[0]
            for r in range(a.rows):
                y = line(a.y, n, first, worker, r, a.width)
                x = y if in_place else line(a.x, n, first, worker, r, a.width)
                for i in range(a.width):
                    y[i] = x[i] * scale

    return scale_rows


@exact
def standardized(x, mean, deviation):
    """(x - mean) / deviation, with a division that is exact: every way of preparing an image gives the same bits."""
    return (x - mean) / deviation


@functools.cache
def standardize_kernel(real: type, in_place: bool):
    """y = (x - mean) / deviation of the channel."""
    line = ACCESS[real][0]

    @kernel(Standardize, (real.__name__, in_place), f"standardized channels {real.__name__}")
    def standardize(arguments, first, last, worker):
        a = only(arguments)
        means, deviations = carray(float64_at(a.mean), (a.channels,)), carray(float64_at(a.deviation), (a.channels,))
        for n in range(first, last):
            for r in range(a.rows):
                y = line(a.y, n, first, worker, r, a.width)
                x = y if in_place else line(a.x, n, first, worker, r, a.width)
                for c in range(a.channels):
                    mean, deviation = means[c], deviations[c]
                    for i in range(a.width // a.channels):
                        y[i * a.channels + c] = real(standardized(np.float64(x[i * a.channels + c]), mean, deviation))

    return standardize


def scale_rows(program: Program, x: Buffer, scales: Buffer, y: Buffer) -> None:
    """Each image times its factor; y may be x."""
    key = elementwise_key(x, y)
    program.row(
        scale_rows_kernel, key, ScaleRows, ("y",), scales=key["in_place"], x=x, y=y,
        factors=program.contiguous(scales), **lines(x, y),
    )  # fmt: skip


def standardize(program: Program, x: Buffer, mean: np.ndarray, deviation: np.ndarray, y: Buffer) -> None:
    """Each channel minus its mean, over its deviation; y may be x."""
    program.row(
        standardize_kernel, elementwise_key(x, y), Standardize, ("y",), x=x, y=y, mean=mean, deviation=deviation, channels=x.shape[3],
        **lines(x, y),
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"scale_rows": scale_rows, "standardize": standardize}
