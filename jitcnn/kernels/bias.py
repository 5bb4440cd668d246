"""Gradient of a bias, of convolutions and dense layers: sums over pixels and images, kept apart by slots of images."""

import functools
from collections.abc import Callable

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import AT, MOVE
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.slots import sum_slots
from jitcnn.kernels.sums import make_column_sums
from jitcnn.kernels.tiling import choose_columns

GradBias = record(grad_y=Images, slots=int, size=int, slot_images=int, height=int, width=int)


@functools.cache
def grad_bias_kernel(real: type, vectors: int, lanes: int, last: int, last_lanes: int, masked: bool):
    """Adds each image's sums over pixels of grad_y to its slot."""
    sums = make_column_sums(real, vectors, lanes, False)
    last_sums = make_column_sums(real, last, last_lanes, masked) if last else sums
    pointer, at, move = ACCESS[real][1], AT[real], MOVE[real]
    wide, itemsize, zero = vectors * lanes, np.dtype(real).itemsize, real(0)

    @kernel(GradBias, (real.__name__, vectors, lanes, last, last_lanes, masked), f"gradient of bias {vectors}x{lanes} {real.__name__}")
    def grad_bias(arguments, first, last, worker):
        a = only(arguments)
        slot = at(a.slots + first // a.slot_images * a.size * itemsize)
        if first % a.slot_images == 0:
            totals = carray(slot, (a.size,))
            for i in range(a.size):
                totals[i] = zero
        for n in range(first, last):
            g = pointer(a.grad_y, n, first, worker)
            for k in range(0, a.size, wide):
                if k + wide <= a.size:
                    sums(move(slot, k), move(g, k), a.grad_y.row, a.size, a.height, a.width, wide)
                elif last:
                    last_sums(move(slot, k), move(g, k), a.grad_y.row, a.size, a.height, a.width, a.size - k)

    return grad_bias


def bias_grad(program: Program, grad_y: Buffer, grad_b: np.ndarray) -> None:
    """Sums over images and pixels."""
    real = grad_y.dtype.type
    size = grad_b.size
    height, width = grad_y.shape[1:3] if grad_y.ndim == 4 else (1, grad_y.size // (grad_y.shape[0] * size))
    if grad_y.ndim != 4:
        grad_y = program.contiguous(grad_y)
    columns = choose_columns(real, size)
    slots = program.whole((program.slots, size), real)
    program.row(
        grad_bias_kernel, {"real": real, **columns._asdict()}, GradBias, ("slots",),
        grad_y=grad_y, slots=slots, size=size, slot_images=program.slot_images, height=height, width=width,
    )  # fmt: skip
    sum_slots(program, slots, grad_b)


LOWERINGS: dict[str, Callable[..., None]] = {"bias_grad": bias_grad}
