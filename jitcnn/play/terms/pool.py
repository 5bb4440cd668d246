"""Terms of pooling: the winner of a window or its mean, and who gets the gradient."""

from __future__ import annotations

import numpy as np

from jitcnn.forms.codes import AVERAGE
from jitcnn.play.terms.base import Index, Terms, run
from jitcnn.play.terms.windows import seen_from, window_of
from jitcnn.play.tracing import Call
from jitcnn.reference import pool


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
