"""How a kernel finds its arguments: NumPy records, filled by name in Python, read by name in compiled code."""

from typing import Any

import numpy as np
from numba import carray

from jitcnn.kernels.compiling import inline
from jitcnn.kernels.pointers import AT

#: Images in memory: address of the first number of image 0, and numbers from one image, worker and row to the next.
#: A worker's own scratch holds the images of a block, beginning with the block's first; elsewhere `worker` is 0.
Images = np.dtype([("data", "i8"), ("image", "i8"), ("worker", "i8"), ("row", "i8")])


def record(**fields) -> np.dtype:
    """The dtype of a kernel's arguments: `images` operands first, then addresses and integers, all 8 bytes wide."""
    return np.dtype([(name, Images if kind is Images else "i8") for name, kind in fields.items()])


@inline()
def image_address(images, n, first, worker, size):
    """Address of image n; size: bytes a number."""
    if images.worker:
        return images.data + (worker * images.worker + (n - first) * images.image) * size
    return images.data + n * images.image * size


@inline()
def only(arguments):
    """The record that a kernel's first argument points to."""
    return carray(arguments, 1)[0]


def accessors(kind: type):
    """(line, pointer) for one element type.

    line(images, n, first, worker, row, width): a row of an image as an array of `width` numbers;
    pointer(images, n, first, worker): the first number of an image.
    """
    at, size = AT[kind], np.dtype(kind).itemsize

    @inline(kind.__name__)
    def line(images, n, first, worker, row, width):
        return carray(at(image_address(images, n, first, worker, size) + row * (images.row or width) * size), (width,))

    @inline(kind.__name__)
    def pointer(images, n, first, worker):
        return at(image_address(images, n, first, worker, size))

    return line, pointer


ACCESS: dict[Any, Any] = {kind: accessors(kind) for kind in (np.float32, np.float64, np.int64, np.uint8)}
