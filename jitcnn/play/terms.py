"""Where one number of an array comes from: the numbers that a kernel read to compute it, and the result of the reference loop on them.

Each function takes a kept call and the index of a number in what it wrote, without the image axis, and gives `Terms`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jitcnn.forms.codes import AVERAGE, EDGE
from jitcnn.play.images import number
from jitcnn.play.tracing import Call
from jitcnn.reference import conv, pool
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


def of_conv2d(call: Call, index: Index) -> Terms:
    """Window times filter, plus the bias."""
    v, o = call.values, index[2]
    x, w, b = v["x"], v["w"], v["b"]
    window = window_of(v, index, w.shape[:2])
    left, inside = window.of(x[0])
    rows, columns = window.slices
    settings = (v["stride_h"], v["stride_w"], *window.before)
    total = run("conv2d", x.dtype, (1, 1, 1, 1), x[:, rows, columns], w[..., o : o + 1], b[o : o + 1], settings=settings)
    bias = float(b[o]) if b.size else None
    return Terms("products", ("window", "filter"), left, total, w[..., o], inside, bias, region=window.region)


def of_dense(call: Call, index: Index) -> Terms:
    """All inputs times their weights, plus the bias."""
    x, w, b = (call.values[name] for name in ("x", "w", "b"))
    (o,) = index
    total = run("dense", x.dtype, (1, 1), x, w[:, o : o + 1], b[o : o + 1])
    return Terms("products", ("inputs", "weights"), x[0], total, w[:, o], bias=float(b[o]) if b.size else None)


def of_pool2d(call: Call, index: Index) -> Terms:
    """The winner of a window, or its mean."""
    v, c = call.values, index[2]
    window = window_of(v, index, (v["kernel_h"], v["kernel_w"]))
    left, inside = window.of(v["x"][0, :, :, c])
    rows, columns = window.slices
    settings = (*window.size, v["stride_h"], v["stride_w"], *window.before, v["kind"])
    total = run("pool2d", left.dtype, (1, 1, 1, 1), v["x"][:, rows, columns, c : c + 1], settings=settings)
    if v["kind"] == AVERAGE:
        share = np.full(left.shape, 1 / inside.sum(), left.dtype)
        return Terms("products", ("window", "share"), left, total, share, inside, region=window.region)
    winner = pool.find(v["x"], 0, c, (rows.start, rows.stop), (columns.start, columns.stop), total)
    chosen = winner[0] - window.first[0], winner[1] - window.first[1]
    return Terms("pick", ("window", ""), left, total, None, inside, chosen=chosen, region=window.region)


def of_upsample2d(call: Call, index: Index) -> Terms:
    """The one pixel that is repeated here."""
    v = call.values
    row, column = index[0] // v["factor_h"], index[1] // v["factor_w"]
    return picked(v["x"][0, row, column, index[2]], row, column)


def of_pad2d(call: Call, index: Index) -> Terms:
    """The picture's pixel, or the border's: 0, or the nearest pixel."""
    v = call.values
    height, width = v["x"].shape[1:3]
    row, column = min(max(index[0] - v["top"], 0), height - 1), min(max(index[1] - v["left"], 0), width - 1)
    if v["mode"] != EDGE and (row, column) != (index[0] - v["top"], index[1] - v["left"]):
        return replace(picked(v["x"].dtype.type(0), row, column), region=None, note="a border of zeros")
    return picked(v["x"][0, row, column, index[2]], row, column)


def picked(value: Any, row: int, column: int) -> Terms:
    """A pixel as it is."""
    return Terms("pick", ("pixel", ""), np.array([[value]]), float(value), chosen=(0, 0), region=(row, row + 1, column, column + 1))


def of_function(call: Call, index: Index) -> Terms:
    """An activation of one number."""
    x = call.values["x"][0][index]
    return Terms("function", (call.name, ""), np.array([x]), run(call.name, x.dtype, (1,), np.array([x])))


def of_softmax(call: Call, index: Index) -> Terms:
    """The share that one exponential has in the sum over its row."""
    x = call.values["x"][0][index[:-1]]
    y = np.empty_like(x)
    with np.errstate(all="ignore"):
        PREPARED["softmax"](x, y)
        powers = np.exp(x - x.max())
    return Terms("share", ("exp(x − largest)", ""), powers, float(y[index[-1]]), chosen=(index[-1],))


def of_conv2d_grad_weights(call: Call, index: Index) -> Terms:
    """All places at which the weight was used: the output's gradient there times the pixel that it met."""
    v = call.values
    u, column, c, o = index
    grad_y, x = v["grad_y"], v["x"]
    rows = np.arange(grad_y.shape[1]) * v["stride_h"] + u - v["top"]
    columns = np.arange(grad_y.shape[2]) * v["stride_w"] + column - v["left"]
    inside = np.outer((rows >= 0) & (rows < x.shape[1]), (columns >= 0) & (columns < x.shape[2]))
    met = x[0, :, :, c][np.clip(rows, 0, x.shape[1] - 1)[:, None], np.clip(columns, 0, x.shape[2] - 1)]
    total = conv.sum_of_meetings(grad_y, x, *index, v["stride_h"], v["stride_w"], v["top"], v["left"])
    region = (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
    return Terms("products", ("pixels", "output gradients"), met, float(total), grad_y[0, :, :, o], inside, region=region)


def of_dense_grad_weights(call: Call, index: Index) -> Terms:
    """The input times the output's gradient."""
    k, o = index
    x, grad_y = call.values["x"][:, k : k + 1], call.values["grad_y"][:, o : o + 1]
    return Terms("products", ("input", "output gradient"), x[:, 0], run("dense_grad_weights", x.dtype, (1, 1), grad_y, x), grad_y[:, 0])


def of_bias_grad(call: Call, index: Index) -> Terms:
    """The sum of the output's gradients."""
    grad_y = call.values["grad_y"][..., index[0] : index[0] + 1]
    return Terms("products", ("output gradients", ""), grad_y[0, ..., 0], run("bias_grad", grad_y.dtype, (1,), grad_y))


def of_conv2d_grad_input(call: Call, index: Index) -> Terms:
    """All output pixels whose window held this pixel: their gradients times the weights through which they saw it."""
    v = call.values
    row, column, c = index
    grad_y, w = v["grad_y"], v["w"]
    i = seen_from(row + v["top"], w.shape[0], v["stride_h"], grad_y.shape[1])
    j = seen_from(column + v["left"], w.shape[1], v["stride_w"], grad_y.shape[2])
    left = grad_y[0, i.start : i.stop, j.start : j.stop]
    u = [row + v["top"] - each * v["stride_h"] for each in i]
    across = [column + v["left"] - each * v["stride_w"] for each in j]
    top, before = row + v["top"] - i.start * v["stride_h"], column + v["left"] - j.start * v["stride_w"]
    settings = (v["stride_h"], v["stride_w"], top, before)
    total = run("conv2d_grad_input", w.dtype, (1, 1, 1, 1), left[None], w[:, :, c : c + 1], settings=settings)
    region = (i.start, i.stop, j.start, j.stop)
    right = w[np.array(u, int)[:, None], np.array(across, int)][:, :, c]
    return Terms("products", ("output gradients", "weights"), left, total, right, region=region)


def seen_from(place: int, kernel: int, stride: int, windows: int) -> range:
    """Numbers of the windows along an axis that hold the place, which is counted from the start of the padding."""
    first = max(0, -(-(place - kernel + 1) // stride))
    return range(first, max(first, min(windows, place // stride + 1)))


def of_dense_grad_input(call: Call, index: Index) -> Terms:
    """The gradients of all outputs, times the weights through which they saw this input."""
    grad_y, w = call.values["grad_y"], call.values["w"][index[0] : index[0] + 1]
    return Terms("products", ("output gradients", "weights"), grad_y[0], run("dense_grad_input", w.dtype, (1, 1), grad_y, w), w[0])


def of_pool2d_grad_input(call: Call, index: Index) -> Terms:
    """The gradients of the windows that hold this pixel: all of it if it won, none if not, or its share of an average."""
    v = call.values
    row, column, c = index
    i = seen_from(row + v["top"], v["kernel_h"], v["stride_h"], v["grad_y"].shape[1])
    j = seen_from(column + v["left"], v["kernel_w"], v["stride_w"], v["grad_y"].shape[2])
    left = v["grad_y"][0, i.start : i.stop, j.start : j.stop, c]
    shares = np.zeros_like(left)
    for place, (a, b) in zip(np.ndindex(shares.shape), ((a, b) for a in i for b in j), strict=True):
        rows, columns = window_of(v, (a, b, c), (v["kernel_h"], v["kernel_w"])).slices
        if v["kind"] == AVERAGE:
            shares[place] = 1 / ((rows.stop - rows.start) * (columns.stop - columns.start))
        else:
            winner = pool.find(v["x"], 0, c, (rows.start, rows.stop), (columns.start, columns.stop), v["y"][0, a, b, c])
            shares[place] = winner == (row, column)
    total = float((left * shares).sum())
    return Terms("products", ("output gradients", "share"), left, total, shares, region=(i.start, i.stop, j.start, j.stop))


def of_upsample2d_grad_input(call: Call, index: Index) -> Terms:
    """The sum over the pixel's copies."""
    v = call.values
    height, width = v["factor_h"], v["factor_w"]
    row, column, c = index
    region = (row * height, (row + 1) * height, column * width, (column + 1) * width)
    left = v["grad_y"][:, region[0] : region[1], region[2] : region[3], c : c + 1]
    total = run("upsample2d_grad_input", left.dtype, (1, 1, 1, 1), left, settings=(height, width))
    return Terms("products", ("gradients of its copies", ""), left[0, :, :, 0], total, region=region)


def of_pad2d_grad_input(call: Call, index: Index) -> Terms:
    """The sum over the pixel's copies in the border, and itself."""
    v = call.values
    axes = zip(index, v["grad_x"].shape[1:3], v["grad_y"].shape[1:3], (v["top"], v["left"]), strict=False)
    rows, columns = (copies_of(place, size, padded, before, v["mode"]) for place, size, padded, before in axes)
    left = v["grad_y"][0, rows, columns, index[2]]
    total = float(left.astype(np.float64).sum())
    return Terms("products", ("gradients of its copies", ""), left, total, region=(rows.start, rows.stop, columns.start, columns.stop))


def copies_of(place: int, size: int, padded: int, before: int, mode: int) -> slice:
    """Where along an axis of the padded picture a pixel is found."""
    first = 0 if place == 0 and mode == EDGE else place + before
    last = padded if place == size - 1 and mode == EDGE else place + before + 1
    return slice(first, last)


DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "relu_grad": lambda y: 0.0 if y <= 0 else 1.0,
    "sigmoid_grad": lambda y: y * (1 - y),
    "tanh_grad": lambda y: 1 - y * y,
}


def of_function_grad(call: Call, index: Index) -> Terms:
    """The gradient of an activation's output, times its derivative there."""
    grad_y, y = call.values["grad_y"][0][index], call.values["y"][0][index]
    total = run(call.name, grad_y.dtype, (1,), np.array([grad_y]), np.array([y]))
    names = "output gradient", f"derivative of {call.name.removesuffix('_grad')}"
    return Terms("products", names, np.array([grad_y]), total, np.array([DERIVATIVES[call.name](y)]))


def of_softmax_grad(call: Call, index: Index) -> Terms:
    """All gradients of the row, times what this number does to each output."""
    grad_y, y = call.values["grad_y"][0][index[:-1]], call.values["y"][0][index[:-1]]
    k = index[-1]
    jacobian = -y * y[k]
    jacobian[k] += y[k]
    grad_x = np.empty_like(y)
    with np.errstate(all="ignore"):
        PREPARED["softmax_grad"](grad_y, y, grad_x)
    return Terms("products", ("output gradients", "derivatives"), grad_y, float(grad_x[k]), jacobian)


def of_loss(call: Call, index: Index) -> Terms:
    """What the network said, minus what the label says, for cross-entropy; twice that over the number of outputs for squares."""
    v, (k,) = call.values, index
    outputs = v["y" if call.name == "mse" else "logits"][0].astype(np.float64)
    if call.name == "mse":
        said, factor, name = outputs[k], 2 / len(outputs), "output, − target"
    elif call.name == "binary_cross_entropy":
        said, factor, name = 1 / (1 + math.exp(-min(max(outputs[k], -700), 700))), 1 / len(outputs), "sigmoid, − target"
    else:
        powers = np.exp(outputs - outputs.max())
        said, factor, name = powers[k] / powers.sum(), 1.0, "softmax, − target"
    wanted = float(v["labels"][0] == k) if "labels" in v else float(v["targets"][0, k])
    grad = v["grad"][0, k]
    return Terms("products", (name, "factor"), np.array([said, -wanted]), float(grad), np.array([factor, factor]))


def of_take_images(call: Call, index: Index) -> Terms:
    """A pixel of the image, standardised if the model does so."""
    image = call.values["images"][int(call.values["order"][0])]
    value = call.result[0][index] if call.result is not None else math.nan
    note = ""
    if call.values["normalize"]:
        note = f"minus the image's mean, {image.mean():.4g}, over its standard deviation, {image.std():.4g}"
    return Terms("function", ("pixel", ""), np.array([image[index]]), float(value), note=note)


TERMS: dict[str, Callable[[Call, Index], Terms]] = {
    "conv2d": of_conv2d,
    "dense": of_dense,
    "pool2d": of_pool2d,
    "upsample2d": of_upsample2d,
    "pad2d": of_pad2d,
    "relu": of_function,
    "sigmoid": of_function,
    "tanh": of_function,
    "softmax": of_softmax,
    "conv2d_grad_weights": of_conv2d_grad_weights,
    "dense_grad_weights": of_dense_grad_weights,
    "bias_grad": of_bias_grad,
    "conv2d_grad_input": of_conv2d_grad_input,
    "dense_grad_input": of_dense_grad_input,
    "pool2d_grad_input": of_pool2d_grad_input,
    "upsample2d_grad_input": of_upsample2d_grad_input,
    "pad2d_grad_input": of_pad2d_grad_input,
    "relu_grad": of_function_grad,
    "sigmoid_grad": of_function_grad,
    "tanh_grad": of_function_grad,
    "softmax_grad": of_softmax_grad,
    "cross_entropy": of_loss,
    "binary_cross_entropy": of_loss,
    "mse": of_loss,
    "take_images": of_take_images,
}
