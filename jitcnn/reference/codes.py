"""What the prepared forms take in place of words, and how they are compiled."""

from jitcnn.forms.codes import ACTIVATIONS, AVERAGE, EDGE, LINEAR, MAX, MIN, PADDINGS, POOLS, RELU, SIGMOID, SOFTMAX, TANH, ZERO

__all__ = [
    "ACTIVATIONS", "AVERAGE", "EDGE", "LINEAR", "MAX", "MIN", "PADDINGS", "POOLS", "RELU", "SERIAL", "SIGMOID", "SOFTMAX", "TANH", "ZERO",
]  # fmt: skip

# Compiled without threads: a few numbers an image, less work than waking a second thread.
SERIAL = frozenset(
    {"cross_entropy", "soft_cross_entropy", "binary_cross_entropy", "mse", "smooth_labels", "scale_rows"}
    | {"take_labels", "mix_labels", "score", "score_binary"}
)
