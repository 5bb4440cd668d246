"""Sums over slots: each slot of images has its own sum of gradients, and they are added up in their order, whoever made them."""

import functools

import numpy as np
from numba import carray

from jitcnn.kernels import runner
from jitcnn.kernels.buffers import Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.pointers import AT, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import only, record
from jitcnn.kernels.rows import Layout

FEWEST_PANELS = 4  # of filters, to share them out


def filters_are_owned(program: Program, slots: int, size: int, images: tuple[Buffer, ...], panels: int) -> bool:
    """Whether tasks own panels of filters, over the whole batch, since slots of `size` sums would be larger than the images to read."""
    of_image = sum(buffer.storage.image_size for buffer in images)
    return panels >= FEWEST_PANELS and slots * size > program.batch * of_image


SumSlots = record(slots=int, size=int, used=int, total=int, unit=int)
UNIT = 1024


@functools.cache
def sum_slots_kernel(real: type):
    """total = the slots in use, added up in their order."""
    at, zero, itemsize = AT[real], real(0), np.dtype(real).itemsize

    @kernel(SumSlots, real.__name__, f"sum of slots {real.__name__}")
    def sum_of_slots(arguments, first, last, worker):
        a = only(arguments)
        used = carray(int64_at(a.used), (1,))[0]
        begin, end = first * a.unit, min(last * a.unit, a.size)
        total = carray(at(a.total + begin * itemsize), (end - begin,))
        for i in range(end - begin):
            total[i] = zero
        for s in range(used):
            slot = carray(at(a.slots + (s * a.size + begin) * itemsize), (end - begin,))
            for i in range(end - begin):
                total[i] += slot[i]

    return sum_of_slots


def sum_slots(program: Program, slots: Buffer, total: np.ndarray) -> None:
    """Write down total = sum over slots."""
    size = total.size
    program.row(
        sum_slots_kernel, {"real": slots.dtype.type}, SumSlots, ("total",), "parameters", Layout(1, size, size, UNIT), program.slots / 4,
        slots=slots, size=size, used=program.counters[runner.SLOTS : runner.SLOTS + 1], total=total, unit=UNIT,
    )  # fmt: skip


FoldSlots = record(slots=int, size=int, used=int, total=int, kernel_h=int, kernel_w=int, wide=int, channels=int, filters=int,
                   group=int, spread=int)  # fmt: skip


@functools.cache
def fold_slots_kernel(real: type):
    """total (kh, kw, C, O) = the slots in use, (kh, wide, C, group, O), added up in their order, then over the outputs of a group."""
    at, itemsize = AT[real], np.dtype(real).itemsize

    @kernel(FoldSlots, real.__name__, f"folded slots {real.__name__}")
    def fold_of_slots(arguments, first, last, worker):
        a = only(arguments)
        sums = carray(at(a.slots), (a.size,))
        for s in range(1, carray(int64_at(a.used), (1,))[0]):
            slot = carray(at(a.slots + s * a.size * itemsize), (a.size,))
            for i in range(a.size):
                sums[i] += slot[i]
        wide, total = a.wide * a.channels, carray(at(a.total), (a.kernel_h, a.kernel_w * a.channels, a.filters))
        sums = carray(at(a.slots), (a.kernel_h, wide, a.group, a.filters))
        for i in range(a.kernel_h):
            for j in range(a.kernel_w * a.channels):
                for o in range(a.filters):
                    total[i, j, o] = sums[i, j, 0, o]
                for q in range(1, a.group):
                    for o in range(a.filters):
                        total[i, j, o] += sums[i, j + q * a.spread * a.channels, q, o]

    return fold_of_slots


def fold_slots(program: Program, slots: Buffer, grad_w: np.ndarray, group: int, spread: int) -> None:
    """Write down grad_w = sum over slots and over the outputs of a group, whose windows are `spread` columns apart."""
    kernel_h, kernel_w, channels, filters = grad_w.shape
    size = grad_w.size
    program.row(
        fold_slots_kernel, {"real": slots.dtype.type}, FoldSlots, ("total",), "parameters", Layout(1, size, size, size), program.slots / 4,
        slots=slots, size=slots.shape[1], used=program.counters[runner.SLOTS : runner.SLOTS + 1], total=grad_w, kernel_h=kernel_h,
        kernel_w=kernel_w, wide=kernel_w + (group - 1) * spread, channels=channels, filters=filters, group=group, spread=spread,
    )  # fmt: skip
