"""What is said of where one number comes from, and the reference loop that computes it alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jitcnn.play.images import number
from jitcnn.reference.prepared import PREPARED

Index = tuple[int, ...]


@dataclass(frozen=True)
class Terms:
    """How a number comes about.

    Attributes
    ----------
    kind : "products", "pick", "function" or "share"
        The sum of `left` times `right` plus `bias`; the one number of `left` at `chosen`; a function of the one number in `left`; the
        share that the number of `left` at `chosen` has in their sum.
    names : (str, str)
        What `left` and `right` are.
    left : array
    total : float
        What the reference loop makes of them.
    right : array or None
        As `left`; without it products are the numbers of `left` themselves.
    inside : bool array or None
        Where `left` exists: the rest is padding, and counts as nothing.
    bias : float or None
    chosen : tuple of int or None
    region : (int, int, int, int) or None
        First row and the one after the last, first column and the one after the last of `left` in the picture that was read; may lie
        partly outside.
    note : str
    """

    kind: str
    names: tuple[str, str]
    left: np.ndarray
    total: float
    right: np.ndarray | None = None
    inside: np.ndarray | None = None
    bias: float | None = None
    chosen: Index | None = None
    region: tuple[int, int, int, int] | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON; what lies outside is None."""
        inside = np.ones(self.left.shape, bool) if self.inside is None else self.inside
        return {
            "kind": self.kind,
            "names": list(self.names),
            "shape": list(self.left.shape),
            "left": [number(v) if there else None for v, there in zip(self.left.ravel(), inside.ravel(), strict=True)],
            "right": None if self.right is None else [number(value) for value in self.right.ravel()],
            "bias": None if self.bias is None else number(self.bias),
            "total": number(self.total),
            "chosen": None if self.chosen is None else int(np.ravel_multi_index(self.chosen, self.left.shape)),
            "region": self.region,
            "note": self.note,
        }


def run(name: str, dtype: np.dtype, shape: Index, *arguments: Any, settings: tuple[int, ...] = ()) -> float:
    """The single number that a reference loop writes."""
    out = np.empty(shape, dtype)
    with np.errstate(all="ignore"):
        PREPARED[name](*arguments, out, *settings)
    return float(out.reshape(-1)[0])
