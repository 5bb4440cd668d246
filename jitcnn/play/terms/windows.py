"""Windows of a picture: what an output pixel looked at, and which windows saw a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jitcnn.play.terms.base import Index


@dataclass(frozen=True)
class Window:
    """A window of a picture along both axes."""

    first: tuple[int, int]
    size: tuple[int, int]
    picture: tuple[int, int]

    @property
    def slices(self) -> tuple[slice, slice]:
        """The part that lies in the picture."""
        parts = zip(self.first, self.size, self.picture, strict=True)
        rows, columns = (slice(min(max(first, 0), whole), max(min(first + size, whole), 0)) for first, size, whole in parts)
        return rows, columns

    @property
    def before(self) -> tuple[int, int]:
        """How much of it lies before the picture."""
        return max(-self.first[0], 0), max(-self.first[1], 0)

    @property
    def region(self) -> tuple[int, int, int, int]:
        """As `Terms` has it."""
        return self.first[0], self.first[0] + self.size[0], self.first[1], self.first[1] + self.size[1]

    def of(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The window's numbers of an array whose first two axes are the picture's, 0 outside, and where it lies inside."""
        values, inside = np.zeros((*self.size, *x.shape[2:]), x.dtype), np.zeros((*self.size, *x.shape[2:]), bool)
        part = x[self.slices]
        top, left = self.before
        there = slice(top, top + part.shape[0]), slice(left, left + part.shape[1])
        values[there], inside[there] = part, True
        return values, inside


def window_of(values: dict[str, Any], index: Index, kernel: tuple[int, int], picture: str = "x") -> Window:
    """The window that an output pixel looked at."""
    first = index[0] * values["stride_h"] - values["top"], index[1] * values["stride_w"] - values["left"]
    return Window(first, kernel, values[picture].shape[1:3])


def seen_from(place: int, kernel: int, stride: int, windows: int) -> range:
    """Numbers of the windows along an axis that hold the place, which is counted from the start of the padding."""
    first = max(0, -(-(place - kernel + 1) // stride))
    return range(first, max(first, min(windows, place // stride + 1)))
