"""Dropout by a hash of where a number stands, with the same bits as `jitcnn.reference.dropout`, which explains it.

The hash is kept in 32 bits at every operation, which Numba would widen to 64: so a vector holds twice as many.
"""

import functools
from collections.abc import Callable

import numpy as np

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.elementwise import elementwise_key, lines
from jitcnn.kernels.pointers import int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

Dropout = record(x=Images, y=Images, step=int, rows=int, width=int, threshold=int, seed=int)

MIX_1, MIX_2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
SEED, IMAGE, ELEMENT = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
THIRTEEN, SIXTEEN = np.uint32(13), np.uint32(16)


@inline()
def mix(h):
    """Scramble 32 bits."""
    h = np.uint32(h ^ np.uint32(h >> SIXTEEN))
    h = np.uint32(h * MIX_1)
    h = np.uint32(h ^ np.uint32(h >> THIRTEEN))
    h = np.uint32(h * MIX_2)
    return np.uint32(h ^ np.uint32(h >> SIXTEEN))


@inline()
def image_key(seed, step, n):
    """32 random bits for an image of the batch in a training step."""
    step_key = mix(np.uint32(np.uint32(np.uint32(seed) * SEED) + np.uint32(step)))
    return mix(np.uint32(step_key + np.uint32(np.uint32(n) * IMAGE)))


@functools.cache
def dropout_kernel(real: type, in_place: bool):
    """y = x / (1 - rate) or 0; numbers are counted within the image, without its border.

    In place has a kernel of its own, which reads and writes through one name: two names that may overlap would make no vectors.
    """
    line, dropped = ACCESS[real][0], real(0)

    @kernel(Dropout, (real.__name__, in_place), f"dropout{' in place' if in_place else ''} {real.__name__}")
    def dropout(arguments, first, last, worker):
        a = only(arguments)
        threshold, step = np.uint32(a.threshold), int64_at(a.step)[0]
        scale = real(1.0 / (1.0 - a.threshold / 4294967296.0))
        for n in range(first, last):
            key = image_key(a.seed, step, n)
            for r in range(a.rows):
                start = r * a.width
                y = line(a.y, n, first, worker, r, a.width)
                x = y if in_place else line(a.x, n, first, worker, r, a.width)
                for i in range(a.width):
                    bits = mix(np.uint32(np.uint32(np.uint32(start + i) * ELEMENT) + key))
                    y[i] = x[i] * (dropped if bits < threshold else scale)

    return dropout


def dropout(program: Program, x: Buffer, y: Buffer, threshold: int, seed: int, step: np.ndarray) -> None:
    """Drop numbers whose hash is below the threshold; y may be x."""
    key = elementwise_key(x, y)
    program.row(
        dropout_kernel, key, Dropout, ("y",), scales=key["in_place"], x=x, y=y, step=step, threshold=threshold, seed=seed, **lines(x, y),
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {"dropout": dropout}
