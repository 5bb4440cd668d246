"""Terms of numbers that are copied: upsampled, padded, taken from the images."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from jitcnn.forms.codes import EDGE
from jitcnn.play.terms.base import Index, Terms, run
from jitcnn.play.tracing import Call


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


def of_take_images(call: Call, index: Index) -> Terms:
    """A pixel of the image, standardised if the model does so."""
    image = call.values["images"][int(call.values["order"][0])]
    value = call.result[0][index] if call.result is not None else math.nan
    note = ""
    if call.values["normalize"]:
        note = f"minus the image's mean, {image.mean():.4g}, over its standard deviation, {image.std():.4g}"
    return Terms("function", ("pixel", ""), np.array([image[index]]), float(value), note=note)
