"""Where a batch comes from, and how it is scored: images, labels and hits; and where results go.

The data stay where they are, outside the program: a kernel reads which ones come next from an order and a position.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray

from jitcnn.kernels.buffers import ALIGNMENT, Buffer
from jitcnn.kernels.compiling import inline, kernel
from jitcnn.kernels.elementwise import lines
from jitcnn.kernels.pointers import AT, PREFETCH, float32_at, int64_at
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record

#: images, order, position, …: addresses of arrays from outside.
TakeImages = record(y=Images, images=int, order=int, position=int, rows=int, width=int, normalize=int)
TakeLabels = record(y=Images, labels=int, order=int, position=int, rows=int, width=int)
Score = record(outputs=Images, labels=Images, hits=Images, classes=int)
Top = record(outputs=Images, labels=Images, hits=Images, classes=int, top=int)
Store = record(x=Images, array=int, position=int, rows=int, width=int)

#: Bytes of each image that are asked for before the first is looked at: images lie anywhere, so that the processor foresees only the rest.
ASKED_FOR = 4096
#: Squares of this many bytes fit into a sum of 32 bits.
RUN = 65536


@inline()
def statistics_of_bytes(pixels):
    """Mean and standard deviation of whole numbers.

    The sums are exact, 32 bits wide within a run so that a vector holds many.  The squares are taken from a whole number near the
    mean, which leaves little to cancel.
    """
    total, squares = np.int64(0), np.int64(0)
    for start in range(0, pixels.size, RUN):
        run = pixels[start : start + RUN]  # counted from 0: an index that might be negative is no vector load
        run_total, run_squares = np.uint32(0), np.uint32(0)
        for i in range(run.size):
            pixel = np.uint32(run[i])
            run_total = np.uint32(run_total + pixel)
            run_squares = np.uint32(run_squares + np.uint32(pixel * pixel))
        total += np.int64(run_total)
        squares += np.int64(run_squares)
    near = total // pixels.size
    rest = total - near * pixels.size
    spread = squares - near * (total + rest)  # of the differences from `near`
    mean_rest = rest / pixels.size
    return near + mean_rest, math.sqrt((spread - rest * mean_rest) / pixels.size)


@inline()
def statistics_of_floats(pixels):
    """Mean and standard deviation; differences are taken from the first pixel, so that an image of one colour has exactly 0."""
    first = np.float64(pixels[0])
    total = 0.0
    for i in range(pixels.size):
        total += np.float64(pixels[i]) - first
    mean = first + total / pixels.size
    squares = 0.0
    for i in range(pixels.size):
        difference = np.float64(pixels[i]) - mean
        squares += difference * difference
    return mean, math.sqrt(squares / pixels.size)


@functools.cache
def take_images_kernel(pixel: type, real: type):
    """y[n] = images[order[position + n]], standardised if asked."""
    at, line = AT[pixel], ACCESS[real][0]
    pixel_bytes = np.dtype(pixel).itemsize
    statistics = statistics_of_bytes if pixel is np.uint8 else statistics_of_floats
    ask, _ = PREFETCH[np.float32]

    @kernel(TakeImages, (pixel.__name__, real.__name__), f"take_images {pixel.__name__} {real.__name__}")
    def take_images(arguments, first, last, worker):
        a = only(arguments)
        size = a.rows * a.width
        order, position = int64_at(a.order), int64_at(a.position)[0]
        for n in range(first, last):
            image = a.images + order[position + n] * size * pixel_bytes
            for k in range(0, min(size * pixel_bytes, ASKED_FOR), ALIGNMENT):
                ask(float32_at(image + k))
        for n in range(first, last):
            image = a.images + order[position + n] * size * pixel_bytes
            mean, scale = 0.0, 1.0
            if a.normalize == 1:
                mean, deviation = statistics(carray(at(image), (size,)))
                if deviation != 0.0:
                    scale = 1.0 / deviation
            for r in range(a.rows):
                pixels = carray(at(image + r * a.width * pixel_bytes), (a.width,))
                y = line(a.y, n, first, worker, r, a.width)
                for i in range(a.width):
                    y[i] = real((np.float64(pixels[i]) - mean) * scale)

    return take_images


@functools.cache
def take_labels_kernel(kind: type):
    """y[n] = labels[order[position + n]]."""
    at, line = AT[kind], ACCESS[kind][0]
    label_bytes = np.dtype(kind).itemsize

    @kernel(TakeLabels, kind.__name__, f"take_labels {kind.__name__}")
    def take_labels(arguments, first, last, worker):
        a = only(arguments)
        order, position = int64_at(a.order), int64_at(a.position)[0]
        for n in range(first, last):
            for r in range(a.rows):
                start = (order[position + n] * a.rows + r) * a.width
                labels = carray(at(a.labels + start * label_bytes), (a.width,))
                y = line(a.y, n, first, worker, r, a.width)
                for i in range(a.width):
                    y[i] = labels[i]

    return take_labels


@functools.cache
def score_kernel(real: type):
    """hits = 1 where the label's output is among the largest (of equals the first; NaN counts as larger)."""
    line, integers = ACCESS[real][0], ACCESS[np.int64][0]

    @kernel(Top, real.__name__, f"score {real.__name__}")
    def score(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            outputs = line(a.outputs, n, first, worker, 0, a.classes)
            label = integers(a.labels, n, first, worker, 0, 1)[0]
            chosen, before = outputs[label], 0
            for k in range(a.classes):
                before += (not outputs[k] <= chosen) or (k < label and outputs[k] == chosen)
            integers(a.hits, n, first, worker, 0, 1)[0] = before < a.top

    return score


@functools.cache
def score_binary_kernel(real: type):
    """hits = 1 where every output is on its target's side of 0.5."""
    line, integers, half = ACCESS[real][0], ACCESS[np.int64][0], real(0.5)

    @kernel(Score, real.__name__, f"score_binary {real.__name__}")
    def score_binary(arguments, first, last, worker):
        a = only(arguments)
        for n in range(first, last):
            outputs, targets = line(a.outputs, n, first, worker, 0, a.classes), line(a.labels, n, first, worker, 0, a.classes)
            wrong = 0
            for k in range(a.classes):
                wrong += (outputs[k] > half) != (targets[k] > half)
            integers(a.hits, n, first, worker, 0, 1)[0] = wrong == 0

    return score_binary


@functools.cache
def store_kernel(source: type, target: type):
    """array[position + n] = x[n]."""
    line, at = ACCESS[source][0], AT[target]
    target_bytes = np.dtype(target).itemsize

    @kernel(Store, (source.__name__, target.__name__), f"store {source.__name__} {target.__name__}")
    def store(arguments, first, last, worker):
        a = only(arguments)
        position = int64_at(a.position)[0]
        for n in range(first, last):
            for r in range(a.rows):
                start = ((position + n) * a.rows + r) * a.width
                array = carray(at(a.array + start * target_bytes), (a.width,))
                x = line(a.x, n, first, worker, r, a.width)
                for i in range(a.width):
                    array[i] = target(x[i])

    return store


def take_images(program: Program, images: np.ndarray, order: np.ndarray, position: np.ndarray, y: Buffer, normalize: int) -> None:
    """The images of a batch, from an array whose length does not matter: `Program.bind` may exchange it."""
    program.row(
        take_images_kernel, {"pixel": images.dtype.type, "real": y.dtype.type}, TakeImages, ("y",),
        y=y, images=images, order=order, position=position, normalize=normalize, **lines(y),
    )  # fmt: skip


def take_labels(program: Program, labels: np.ndarray, order: np.ndarray, position: np.ndarray, y: Buffer) -> None:
    """The labels or targets of a batch, from an array whose length does not matter."""
    program.row(
        take_labels_kernel, {"kind": y.dtype.type}, TakeLabels, ("y",), y=y, labels=labels, order=order, position=position, **lines(y)
    )


def score(program: Program, outputs: Buffer, labels: Buffer | np.ndarray, hits: Buffer, top: int) -> None:
    """Whether the label's output is among so many largest ones."""
    _score_row(program, score_kernel, Top, outputs, labels, hits, top=top)


def score_binary(program: Program, outputs: Buffer, targets: Buffer | np.ndarray, hits: Buffer) -> None:
    """Whether all outputs are on their targets' side of 0.5."""
    _score_row(program, score_binary_kernel, Score, outputs, targets, hits)


def _score_row(
    program: Program, factory, record_type: np.dtype, outputs: Buffer, labels: Buffer | np.ndarray, hits: Buffer, **more: Any
) -> None:
    labels = labels if isinstance(labels, Buffer) else program.external(labels)
    program.row(
        factory, {"real": outputs.dtype.type}, record_type, ("hits",),
        outputs=program.contiguous(outputs), labels=program.contiguous(labels), hits=hits, classes=outputs.shape[1], **more,
    )  # fmt: skip


def store(program: Program, buffer: Buffer, array: np.ndarray, position: np.ndarray) -> None:
    """Keep a batch's results: array[position[0] + n] = buffer[n].

    Parameters
    ----------
    program : Program
    buffer : Buffer (n, …)
    array : array (N, …)
        float32, float64 or int64, C-contiguous, with room for n entries from every position that the program is run at.
    position : int64 array (1,)

    Raises
    ------
    ValueError
        If entries of the array and of the buffer differ in shape, or if the array's memory is not contiguous.
    """
    if array.shape[1:] != buffer.shape[1:]:
        raise ValueError(f"array is {array.shape} and buffer {buffer.shape}, expected the same sizes behind the first axis")
    if not array.flags.c_contiguous:
        raise ValueError("array must be C-contiguous: give np.ascontiguousarray(array)")
    program.row(
        store_kernel, {"source": buffer.dtype.type, "target": array.dtype.type}, Store, ("array",),
        x=buffer, array=array, position=position, **lines(buffer),
    )  # fmt: skip


LOWERINGS: dict[str, Callable[..., None]] = {
    "take_images": take_images,
    "take_labels": take_labels,
    "score": score,
    "score_binary": score_binary,
}
