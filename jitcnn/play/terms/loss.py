"""Terms of the gradient with which the way back begins."""

from __future__ import annotations

import math

import numpy as np

from jitcnn.play.terms.base import Index, Terms
from jitcnn.play.tracing import Call


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
