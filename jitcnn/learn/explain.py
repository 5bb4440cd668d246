"""One pass of a convolution, looked at from the loop that says what it computes down to the registers that compute it."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from jitcnn import kernels
from jitcnn.forms.geometry import window_counts
from jitcnn.kernels import lowering, winograd_choice
from jitcnn.kernels.compiling import OPTIONS
from jitcnn.kernels.rows import Row
from jitcnn.kernels.threads import num_threads
from jitcnn.kernels.winograd_small_tiles import ALONG, COLUMNS, ROWS, passes_of
from jitcnn.learn.assembly import Loop, innermost_loop
from jitcnn.measuring.peak import fma_peak

PASSES = {"forward": "conv2d", "grad-input": "conv2d_grad_input", "grad-weights": "conv2d_grad_weights"}
MOST_BYTES = 2**31
SECONDS = 0.4

Size = tuple[int, int]


@dataclass(frozen=True)
class Convolution:
    """A pass of a convolution.

    Attributes
    ----------
    x_shape, w_shape, y_shape
        NHWC images, HWIO weights, NHWC outputs.
    stride, padding
        As `jitcnn.kernels.conv2d` takes them.
    kind
        A key of `PASSES`.
    algorithm
        A key of `ALGORITHMS`: what is asked for.
    """

    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    y_shape: tuple[int, ...]
    stride: tuple[int, int]
    padding: tuple[int, int]
    kind: str
    algorithm: str

    @property
    def name(self) -> str:
        """The kernel's name."""
        return PASSES[self.kind]

    @property
    def outputs(self) -> tuple[int, int]:
        """Rows and columns of what a convolution computes: of the gradient of the input that gradient's."""
        _, rows, columns, _ = self.x_shape if self.kind == "grad-input" else self.y_shape
        return rows, columns

    @property
    def choice(self) -> tuple[str, str]:
        """The algorithm that is used, "direct" or "winograd", and why."""
        way, why = winograd_choice.choose(self.w_shape, self.stride, self.outputs, self.kind == "grad-input")
        chosen = "winograd" if way else "direct"
        if self.algorithm == "auto":
            return chosen, why
        return self.algorithm, f"asked for; left to itself it would be {chosen}: {why}"

    @property
    def way(self) -> winograd_choice.Way | None:
        """The way of Winograd that is used, None where the direct sum is."""
        return winograd_choice.best(self.w_shape, self.outputs, self.kind == "grad-input") if self.choice[0] == "winograd" else None

    @property
    def small_patches(self) -> bool:
        """Whether that is the way for few channels, whose sums stay in registers."""
        return self.way == winograd_choice.SMALL

    @property
    def flop(self) -> int:
        """Multiplications and additions of the direct sum, those with the padding's zeros too."""
        return 2 * int(np.prod(self.y_shape[:3])) * int(np.prod(self.w_shape))

    @property
    def bytes_of(self) -> dict[str, int]:
        """Bytes of each array that is read or written."""
        sizes = {"x": self.x_shape, "w": self.w_shape, "y": self.y_shape}
        gradients = {"forward": "", "grad-input": "xy", "grad-weights": "wy"}[self.kind]
        return {f"grad_{name}" if name in gradients else name: 4 * int(np.prod(shape)) for name, shape in sizes.items()}

    @property
    def intensity(self) -> float:
        """FLOP for each byte that has to be moved at least."""
        return self.flop / sum(self.bytes_of.values())


def convolution(
    shape: tuple[int, ...], filters: int, kernel: Size, stride: Size, padding: Size, kind: str, algorithm: str = "auto"
) -> Convolution:
    """Describe a pass.

    Raises
    ------
    ValueError
        If no window fits, or if the arrays would be too large.
    """
    rows, columns = padding
    outputs = window_counts(shape[1:3], kernel, stride, ((rows, rows), (columns, columns)))
    found = Convolution(shape, (*kernel, shape[3], filters), (shape[0], *outputs, filters), stride, padding, kind, algorithm)
    size = sum(found.bytes_of.values())
    if size > MOST_BYTES:
        needed = f"{size / 2**30:.1f} GiB, more than {MOST_BYTES / 2**30:.0f}"
        raise ValueError(f"shape is {shape}, with which the arrays take {needed}: take fewer images")
    return found


def make_call(case: Convolution) -> Callable[[], np.ndarray]:
    """What runs the pass by the fast kernels, on random arrays, into an array that is there already."""
    random = np.random.default_rng(0)
    x, w, y = (random.standard_normal(shape, np.float32) for shape in (case.x_shape, case.w_shape, case.y_shape))
    first, second, size, out = {
        "forward": (x, w, None, y),
        "grad-input": (y, w, x.shape, x),
        "grad-weights": (y, x, w.shape, w),
    }[case.kind]
    arguments = (first, second) if size is None else (first, second, size)
    settings = {"stride": case.stride, "padding": case.padding, "out": out, "algorithm": case.algorithm}
    return functools.partial(getattr(kernels, case.name), *arguments, **settings)


def recorded(call: Callable[[], Any]) -> list[Row]:
    """The rows of the program of this call that run on the tile, those with most work first."""
    call()
    program = next(reversed(lowering._programs.values())).program  # the newest is that of the call just made
    rows = [row for row in program.rows if isinstance(row, Row) and sizes_of(row)]
    return sorted(rows, key=lambda row: -np.prod([argument(row, name) for name in ("height", "width", "kernel_h", "kernel_w")]))


def sizes_of(row: Row) -> dict[str, int]:
    """groups, per_group, vectors and lanes of the tile that a row's kernel runs on; empty if it runs on none."""
    key = row.key["shape"]._asdict() if "shape" in row.key else row.key
    if "patches" in key:  # small ones
        return {"groups": key["patches"], "per_group": ROWS * COLUMNS, "vectors": 1, "lanes": key["lanes"]}
    if "block" in key:  # of channels, for some rows of the values of small patches
        rows = max(sum(len(rows) for rows, *_ in parts) for parts in passes_of(key["block"]))
        return {"groups": rows * ALONG, "per_group": key["block"], "vectors": 1, "lanes": key["lanes"]}
    if "vectors" not in key:
        return {}
    if "rows" in key:  # Winograd's
        return {"groups": 1, "per_group": key["rows"], "vectors": key["vectors"], "lanes": key["lanes"]}
    return {name: key[name] for name in ("groups", "per_group", "vectors", "lanes")}


def argument(row: Row, name: str) -> int:
    """A number that a row's kernel is given, 1 if it takes none of that name."""
    return int(row.arguments[name][0]) if row.arguments is not None and name in (row.record.names or ()) else 1


@dataclass(frozen=True)
class Tile:
    """The sums that are computed together: `lines` times `per_line` rows, each of `vectors` times `lanes` columns."""

    lines: int
    per_line: int
    vectors: int
    lanes: int
    together: int  # neighbouring pixels that count as columns of one wider filter

    @property
    def rows(self) -> int:
        """Rows."""
        return self.lines * self.per_line

    @property
    def sums(self) -> int:
        """Vectors of sums."""
        return self.rows * self.vectors


def tile_of(case: Convolution, row: Row) -> Tile:
    """The tile of a row of a program."""
    sizes = sizes_of(row)
    columns = case.w_shape[2 if case.kind == "grad-input" else 3]
    together = max(1, argument(row, "filters") // columns)
    return Tile(sizes["groups"], sizes["per_group"], sizes["vectors"], sizes["lanes"], together)


def inner_loop(row: Row) -> Loop:
    """The innermost loop of a row's kernel."""
    return innermost_loop(compiled_anew(row.factory(**row.key)))


def compiled_anew(kernel: Any) -> str:
    """The assembly of a kernel, which is compiled once more: machine code from the cache cannot be looked at."""
    return numba.cfunc(kernel._sig, **OPTIONS)(kernel.__wrapped__)._library.get_asm_str()


@dataclass(frozen=True)
class Measured:
    """Speeds in GFLOP/s, of the pass and of the processor at most, and the threads that computed."""

    gigaflops: float
    peak: float
    threads: int


def measure(case: Convolution, call: Callable[[], Any]) -> Measured:
    """Time the call, its fastest run in some tenths of a second, and the peak before and after."""
    peak = fma_peak()
    fastest, end = np.inf, time.perf_counter() + SECONDS
    while time.perf_counter() < end or fastest == np.inf:
        start = time.perf_counter()
        call()
        fastest = min(fastest, time.perf_counter() - start)
    return Measured(case.flop / fastest / 1e9, max(peak, fma_peak()), num_threads())
