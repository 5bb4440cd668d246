"""Terms of a convolution: of its output, its weights' gradient and its input's."""

from __future__ import annotations

import numpy as np

from jitcnn.play.terms.base import Index, Terms, run
from jitcnn.play.terms.windows import seen_from, window_of
from jitcnn.play.tracing import Call
from jitcnn.reference import conv


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
