"""Dense layers.  In a network weights lie in memory as (out, in), the transpose of their public shape: then each pass runs along inputs.

Forward is dot products along the inputs; the gradient of the input is the tile over outputs; the gradient of the weights is the
tile over the whole batch, shared out by inputs, so that no sums by slots are needed.  Weights in C order, (in, out), are those of the
layer that goes the other way: forward and gradient of the input change places.
"""

import functools
from collections.abc import Callable

import numpy as np
from numba import carray

from jitcnn.kernels import runner
from jitcnn.kernels.buffers import ALIGNMENT, Buffer
from jitcnn.kernels.compiling import kernel
from jitcnn.kernels.elementwise import lines
from jitcnn.kernels.pointers import AT, MOVE, PREFETCH, int64_at, take_line
from jitcnn.kernels.program import Program
from jitcnn.kernels.records import ACCESS, Images, only, record
from jitcnn.kernels.rows import Layout, Row
from jitcnn.kernels.sums import make_dot
from jitcnn.kernels.tile import Shape, make_tile
from jitcnn.kernels.tiling import most_rows
from jitcnn.kernels.vectors import full_lanes, processor

# Dot products along memory ---------------------------------------------------------------------------------------------------

Dots = record(x=Images, y=Images, w=int, b=int, inputs=int, outputs=int)


@functools.cache
def dots_kernel(real: type, rows: int, columns: int, end: str):
    """y = end(bias + x . w transposed), for w of (outputs, inputs), several images at a time."""
    relu = end == "relu"
    dots, dot = make_dot(real, rows, columns, relu), make_dot(real, 1, columns, relu)
    pointer, at, move = ACCESS[real][1], AT[real], MOVE[real]

    @kernel(Dots, (real.__name__, rows, columns, end), f"dense {rows}x{columns} {real.__name__}")
    def dots_of_images(arguments, first, last, worker):
        a = only(arguments)
        w, b, has_bias = at(a.w), at(a.b), a.b != 0
        n = first
        while n < last:
            x, y = pointer(a.x, n, first, worker), pointer(a.y, n, first, worker)
            several = n + rows <= last
            for start in range(0, a.outputs, columns):
                o = min(start, a.outputs - columns)
                if several:
                    dots(move(y, o), a.y.image, x, a.x.image, move(w, o * a.inputs), a.inputs, a.inputs, move(b, o), has_bias)
                else:
                    dot(move(y, o), a.y.image, x, a.x.image, move(w, o * a.inputs), a.inputs, a.inputs, move(b, o), has_bias)
            n += rows if several else 1

    return dots_of_images


def dot_sizes(outputs: int) -> tuple[int, int]:
    """Images and outputs of a tile of dot products."""
    rows, most = (4, 5) if processor().registers == 32 else (2, 4)
    return rows, max(range(1, min(most, outputs) + 1), key=lambda n: (outputs % n == 0 and n > 2, n))


def dots_row(program: Program, x: Buffer, w: np.ndarray, b: np.ndarray | int, y: Buffer, inputs: int, outputs: int, over: str) -> None:
    """Write dot products down."""
    rows, columns = dot_sizes(outputs)
    program.row(
        dots_kernel, {"real": x.dtype.type, "rows": rows, "columns": columns, "end": "store"}, Dots, ("y",), over, ends=("relu",),
        x=program.contiguous(x), y=program.contiguous(y), w=w, b=b, inputs=inputs, outputs=outputs,
    )  # fmt: skip


# Products with rows of the weights ---------------------------------------------------------------------------------------------

Product = record(x=Images, y=Images, mask=Images, w=int, b=int, rows=int, width=int, inputs=int, outputs=int)


@functools.cache
def product_kernel(real: type, rows: int, vectors: int, masked: bool, start: str, end: str):
    """y = end(start + x . w), for w of (inputs, outputs), several images at a time; masked: a row of y is shorter than the tile."""
    shape = Shape(real, 1, rows, vectors, full_lanes(real), start, end, masked)
    tiles, tile = make_tile(shape), make_tile(shape._replace(per_group=1))
    pointer, at, move = ACCESS[real][1], AT[real], MOVE[real]
    wide, with_mask = vectors * full_lanes(real), end == "mask"

    @kernel(Product, shape, f"dense product {rows}x{vectors} {real.__name__}")
    def product(arguments, first, last, worker):
        a = only(arguments)
        w, b = at(a.w), at(a.b)
        n = first
        while n < last:
            x, y, mask = pointer(a.x, n, first, worker), pointer(a.y, n, first, worker), b
            if with_mask:
                mask = pointer(a.mask, n, first, worker)
            several = n + rows <= last
            y_row, mask_row = a.y.row or a.width, a.mask.row or a.width
            for r in range(a.rows):
                for left in range(0, a.width, wide):
                    k = left if masked else min(left, a.width - wide)
                    y_at, w_at, extra_at = move(y, r * y_row + k), move(w, r * a.width + k), move(b, r * a.width + k)
                    if with_mask:
                        extra_at = move(mask, r * mask_row + k)
                    count = a.width - k
                    if several:
                        tiles(
                            y_at, 0, a.y.image, x, 0, a.x.image, 0, 1, w_at, 0, a.outputs, 0, 1, a.inputs,
                            extra_at, 0, a.mask.image, count, 0, 0,
                        )  # fmt: skip
                    else:
                        tile(y_at, 0, 0, x, 0, 0, 0, 1, w_at, 0, a.outputs, 0, 1, a.inputs, extra_at, 0, 0, count, 0, 0)
            n += rows if several else 1

    return product


def product_row(
    program: Program,
    x: Buffer,
    w: np.ndarray | Buffer,
    b: np.ndarray | int,
    y: Buffer,
    inputs: int,
    outputs: int,
    over: str,
    ends: tuple[str, ...],
) -> None:
    """Write a product down, whose result goes into the rows of `y` where that buffer has a border."""
    start = "extra" if isinstance(b, np.ndarray) else "zero"
    # A task over the batch has images enough to read the weights, which are large or somebody's own, half as often.
    rows = 8 if over == "batch" and program.batch >= 16 and processor().registers == 32 else 4
    program.row(
        product_kernel, {"real": x.dtype.type, "rows": rows, "start": start, "end": "store"}, Product, ("y",), over, ends=ends,
        late=settle_lines,
        x=program.contiguous(x), y=y, mask=None, w=w, b=b, rows=0, width=0, inputs=inputs, outputs=outputs,
    )  # fmt: skip


def settle_lines(row: Row) -> None:
    """Rows of y and of the mask, and a tile that is no wider."""
    y, mask = row.fields["y"], row.fields["mask"]
    row.fields |= lines(y) if mask is None else lines(y, mask)
    width, full = row.fields["width"](), full_lanes(row.key["real"])
    # Few inputs: it is reading and writing that take time.
    most = 4 if row.key["rows"] == 4 and processor().registers == 32 and row.fields["inputs"] >= 32 else 2
    vectors = max((v for v in (4, 2) if v <= most and width >= v * full), default=1)
    row.key |= {"vectors": vectors, "masked": width < vectors * full}


SHORT_DOTS = 32  # sums of fewer products cost less as a product with weights transposed for it

# Forward and gradient of the input -----------------------------------------------------------------------------------------------


def dense(program: Program, x: Buffer, w: np.ndarray, b: np.ndarray, y: Buffer) -> None:
    """Forward."""
    bias = b if b.size else 0
    inputs, outputs = w.shape
    if w.flags.f_contiguous:
        dots_row(program, x, w, bias, y, inputs, outputs, "images")
    else:
        product_row(program, x, w, bias, program.contiguous(y), inputs, outputs, "batch", ("relu",))


def dense_grad_input(program: Program, grad_y: Buffer, w: np.ndarray, grad_x: Buffer) -> None:
    """Gradient of the input."""
    inputs, outputs = w.shape
    if w.flags.f_contiguous:
        product_row(program, grad_y, w, 0, grad_x, outputs, inputs, "images", ("mask",))
    elif outputs < SHORT_DOTS:
        product_row(program, grad_y, by_output(program, w), 0, grad_x, outputs, inputs, "batch", ("mask",))
    else:
        dots_row(program, grad_y, w, 0, grad_x, outputs, inputs, "batch")


# Gradient of the weights -----------------------------------------------------------------------------------------------------

GradWeights = record(grad_y=Images, x=Images, grad_w=int, batch=int, inputs=int, outputs=int, moved=int)
VECTORS = 2


@functools.cache
def grad_weights_kernel(real: type, rows: int, masked: bool):
    """grad_w, as (out, in), = sum over the batch of grad_y * x, for a share of the inputs; masked: they do not fill the last tile.

    moved: the weights, if an update by the same task follows. All cores have read them; that their lines change hands takes about as long
    as the sums, so it is set going before. Inputs of the next item lie in as many places as there are images, partly with another core,
    where no processor looks ahead by itself: it is asked to.
    """
    shape = Shape(real, 1, rows, VECTORS, full_lanes(real), a_row=1)
    tile, last_tile = make_tile(shape), make_tile(shape._replace(masked=masked))
    at, move, (prefetch, prefetch_to_write) = AT[real], MOVE[real], PREFETCH[real]
    wide, line = VECTORS * full_lanes(real), ALIGNMENT // np.dtype(real).itemsize

    @kernel(GradWeights, (shape, masked), f"gradient of dense weights {rows}x{VECTORS} {real.__name__}")
    def grad_weights(arguments, first, last, worker):
        a = only(arguments)
        batch = carray(int64_at(a.batch), (1,))[0]
        x, g, w = at(a.x.data), at(a.grad_y.data), at(a.grad_w)
        for item in range(first, last):
            k = item * wide
            if a.moved:
                for o in range(a.outputs):
                    for i in range(k, min(k + wide, a.inputs), line):
                        take_line(move(at(a.moved), o * a.inputs + i))
                        prefetch_to_write(move(at(a.moved), o * a.inputs + i + wide))
            for n in range(batch):
                for i in range(0, wide, line):
                    prefetch(move(x, n * a.x.image + k + wide + i))
            for start in range(0, a.outputs, rows):
                o = min(start, a.outputs - rows)
                w_at, g_at, x_at = move(w, o * a.inputs + k), move(g, o), move(x, k)
                if k + wide <= a.inputs:
                    tile(w_at, 0, a.inputs, g_at, 0, 1, 0, a.grad_y.image, x_at, 0, a.x.image, 0, 1, batch, x_at, 0, 0, wide, 0, 0)
                elif masked:
                    last_tile(
                        w_at, 0, a.inputs, g_at, 0, 1, 0, a.grad_y.image, x_at, 0, a.x.image, 0, 1, batch, x_at, 0, 0, a.inputs - k, 0, 0
                    )

    return grad_weights


def dense_grad_weights(program: Program, grad_y: Buffer, x: Buffer, grad_w: np.ndarray) -> None:
    """Gradient of the weights."""
    inputs, outputs = grad_w.shape
    if not grad_w.flags.f_contiguous:
        grad_y, x, inputs, outputs = x, grad_y, outputs, inputs
    real = x.dtype.type
    most = most_rows(VECTORS)
    rows = max(range(1, min(most, outputs) + 1), key=lambda n: (outputs % n == 0 and 2 * n > most, n))
    wide = VECTORS * full_lanes(real)
    program.row(
        grad_weights_kernel, {"real": real, "rows": rows, "masked": inputs % wide != 0}, GradWeights, ("grad_w",), "parameters",
        Layout(outputs, inputs, inputs, wide), program.batch / 16,
        grad_y=program.contiguous(grad_y), x=program.contiguous(x), grad_w=grad_w,
        batch=program.counters[runner.BATCH : runner.BATCH + 1], inputs=inputs, outputs=outputs, moved=0,
    )  # fmt: skip


# Memory order -------------------------------------------------------------------------------------------------------------------

Transpose = record(w=int, transposed=int, inputs=int, outputs=int)


@functools.cache
def transpose_kernel(real: type):
    """(in, out) in C order -> (out, in)."""
    at = AT[real]

    @kernel(Transpose, real.__name__, f"transposed weights {real.__name__}")
    def transpose(arguments, first, last, worker):
        a = only(arguments)
        w, transposed = carray(at(a.w), (a.inputs, a.outputs)), carray(at(a.transposed), (a.outputs, a.inputs))
        for o in range(a.outputs):
            for k in range(a.inputs):
                transposed[o, k] = w[k, o]

    return transpose


def by_output(program: Program, w: np.ndarray) -> Buffer:
    """A copy of the weights that lies in memory by output, made again whenever they change."""
    transposed = program.whole((1, w.size), w.dtype)
    program.row(
        transpose_kernel, {"real": w.dtype.type}, Transpose, ("transposed",), over="once", w=w, transposed=transposed,
        inputs=w.shape[0], outputs=w.shape[1],
    )  # fmt: skip
    return transposed


LOWERINGS: dict[str, Callable[..., None]] = {"dense": dense, "dense_grad_input": dense_grad_input, "dense_grad_weights": dense_grad_weights}
