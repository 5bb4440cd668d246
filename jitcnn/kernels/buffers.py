"""The arrays that a program names: numbers whose place in memory is decided when the whole program is known."""

import ctypes
import math
from dataclasses import dataclass, field

import numpy as np

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
APART = 4096  # bytes, a page, beyond which no core fetches ahead; without it, small Winograd's passes take up to 1.3 times as long
POINTER = object.__basicsize__  # where the address stands in an array's head: part of NumPy's binary interface, which Numba relies on too


def address_of(array: np.ndarray) -> int:
    """Where the array's first number lies; `__array_interface__` says the same, ten times as slowly."""
    return ctypes.c_size_t.from_address(id(array) + POINTER).value


def point(use: np.ndarray, address: int) -> None:
    """Let an argument name other memory."""
    use[0] = address


def aligned_zeros(size: int, dtype) -> np.ndarray:
    """A flat array of zeros that begins at a multiple of 64 bytes."""
    dtype = np.dtype(dtype)
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)


@dataclass(frozen=True)
class Border:
    """Pixels of zeros around an image."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    def around(self, other: "Border") -> "Border":
        """The smallest border that holds both."""
        return Border(*(max(a, b) for a, b in zip(self.sides(), other.sides(), strict=True)))

    def sides(self) -> tuple[int, int, int, int]:
        """top, left, bottom, right."""
        return self.top, self.left, self.bottom, self.right


@dataclass(frozen=True)
class Place:
    """Where images lie: address of the first number of image 0; numbers from one image and worker to the next."""

    data: int
    image: int
    worker: int


@dataclass(eq=False)
class Storage:
    """Memory for one image after another.

    `image_shape` is (rows, columns, channels) where any view of it says so; `array` is set from the start for an array from outside,
    which is never moved or given a border.
    """

    batch: int
    image_shape: tuple[int, ...]
    dtype: np.dtype
    array: np.ndarray | None = None
    external: bool = False
    border: Border = field(default_factory=Border)
    contiguous: bool = False  # some kernel reads or writes whole images as one run
    kept: bool = False  # needed after the segment that writes it
    zero_filled: bool = False  # counts on zeros that nobody writes
    in_place_of: "Buffer | None" = None  # of a copy: what it is copied back to when it is written
    place: Place | None = None

    @property
    def rows(self) -> int:
        """Rows of an image; 1 where it has no rows and columns."""
        return self.image_shape[0] if len(self.image_shape) == 3 else 1

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return math.prod(self.image_shape) // self.rows

    @property
    def padded_shape(self) -> tuple[int, int]:
        """(rows, numbers a row), the border included."""
        if self.border == Border():
            return self.rows, self.width
        rows, columns, channels = self.image_shape
        return rows + self.border.top + self.border.bottom, (columns + self.border.left + self.border.right) * channels

    @property
    def image_size(self) -> int:
        """Numbers from one image to the next."""
        return math.prod(self.padded_shape)

    @property
    def start(self) -> int:
        """Numbers in front of an image's first."""
        if self.border == Border():
            return 0
        return self.border.top * self.padded_shape[1] + self.border.left * self.image_shape[2]

    def put(self, address: int, worker: int) -> None:
        """Decide its place: images begin at this address; numbers from one worker's copy to the next, 0 for one copy of all."""
        self.place = Place(address + self.start * self.dtype.itemsize, self.image_size, worker)

    def whole(self) -> np.ndarray:
        """The array of all images, as (images, …), without the border."""
        assert self.array is not None
        if self.external:
            return self.array
        shape = (self.batch, *self.padded_shape)
        padded = self.array.reshape(shape)
        channels = self.image_shape[-1] if len(self.image_shape) == 3 else 1
        top, left = self.border.top, self.border.left * channels
        return padded[:, top : top + self.rows, left : left + self.width]


class Buffer:
    """Numbers under a shape with the batch axis in front; several may share a storage (a reshape)."""

    def __init__(self, storage: Storage, shape: tuple[int, ...], offset: int = 0):
        self.storage = storage
        self.shape = shape
        self.offset = offset

    @property
    def dtype(self) -> np.dtype:
        """float32, float64 or int64."""
        return self.storage.dtype

    @property
    def ndim(self) -> int:
        """Axes, the batch axis included."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Numbers in all images."""
        return math.prod(self.shape)

    @property
    def address(self) -> int:
        """Where its first number lies, once the program is finished."""
        assert self.storage.place is not None
        return self.storage.place.data + self.offset * self.dtype.itemsize

    @property
    def row(self) -> int:
        """Numbers from one row to the next as this shape has rows; 0 where it has none and no border: then rows lie close together."""
        if self.storage.border != Border():
            return self.storage.padded_shape[1]
        return self.shape[2] * self.shape[3] if self.ndim == 4 else 0

    def behind(self, offset: int) -> "Buffer":
        """The same memory from `offset` numbers on, for a kernel that takes an address."""
        return Buffer(self.storage, self.shape, offset)

    def reshaped(self, shape: tuple[int, ...]) -> "Buffer":
        """The same numbers under another shape of an image."""
        if math.prod(shape) != self.size:
            raise ValueError(f"a buffer of shape {self.shape} cannot be seen as {shape}")
        if len(shape) == 4 and len(self.storage.image_shape) != 3:
            self.storage.image_shape = shape[1:]
        elif len(shape) == 4 and shape[1:] != self.storage.image_shape:
            if self.storage.border != Border():
                raise ValueError(
                    f"a buffer of shape {self.shape} that a padded convolution has read cannot be seen as {shape}: "
                    "copy it into a buffer of its own first"
                )
            self.storage.contiguous = True
        return Buffer(self.storage, shape)

    def array(self) -> np.ndarray:
        """The numbers, where the buffer keeps the whole batch."""
        return self.storage.whole().reshape(self.shape)

    def __array__(self, *_args, **_kwargs):
        raise TypeError(
            "a buffer of a recorded step is no array: NumPy would run once, at recording, and never again; "
            "put what computes into a function and give it to step.call(function, ...)"
        )
