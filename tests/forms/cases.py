"""A call of every public function, and how to change it."""

import numpy as np

from jitcnn import reference
from jitcnn.forms import NAMES

ACTIVATIONS = ("relu", "sigmoid", "tanh", "softmax")


def numbers(*shape):
    """Some distinct numbers, the same for the same shape."""
    return np.random.default_rng(shape).standard_normal(shape)


def pool_state(kind="max"):
    return reference.pool2d(numbers(2, 5, 6, 3), (2, 3), kind=kind)[1]


# name: (positional arguments by name, keyword arguments)
CASES = {
    "conv2d": (
        {"x": numbers(2, 5, 6, 3), "w": numbers(3, 2, 3, 4), "b": numbers(4)},
        {"stride": (1, 2), "padding": ((1, 0), (0, 2)), "activation": "tanh"},
    ),
    "conv2d_grad_input": (
        {"grad_y": numbers(2, 4, 4, 4), "w": numbers(3, 2, 3, 4), "x_shape": (2, 5, 5, 3)},
        {"padding": ((0, 1), (0, 0))},
    ),
    "conv2d_grad_weights": ({"grad_y": numbers(2, 2, 3, 4), "x": numbers(2, 5, 6, 3), "w_shape": (3, 2, 3, 4)}, {"stride": 2}),
    "bias_grad": ({"grad_y": numbers(2, 5, 6, 3)}, {}),
    "pad2d": ({"x": numbers(2, 5, 6, 3), "padding": 1}, {"mode": "edge"}),
    "pad2d_grad_input": ({"grad_y": numbers(2, 5, 6, 3), "padding": 1, "mode": "edge"}, {}),
    "pool2d": ({"x": numbers(2, 5, 6, 3), "kernel_size": (2, 3)}, {"stride": 1, "padding": 1, "kind": "average"}),
    "pool2d_grad_input": ({"grad_y": numbers(2, 2, 2, 3), "state": pool_state()}, {}),
    "dense": ({"x": numbers(2, 5), "w": numbers(5, 3), "b": numbers(3)}, {"activation": "softmax"}),
    "dense_grad_input": ({"grad_y": numbers(2, 3), "w": numbers(5, 3)}, {}),
    "dense_grad_weights": ({"grad_y": numbers(2, 3), "x": numbers(2, 5)}, {}),
    "upsample2d": ({"x": numbers(2, 5, 6, 3), "factor": (2, 3)}, {}),
    "upsample2d_grad_input": ({"grad_y": numbers(2, 4, 6, 3), "factor": (2, 3)}, {}),
    **{name: ({"x": numbers(2, 5, 4)}, {}) for name in ACTIVATIONS},
    **{f"{name}_grad": ({"grad_y": numbers(2, 5, 4), "y": numbers(2, 4, 5).reshape(2, 5, 4)}, {}) for name in ACTIVATIONS},
    "dropout": ({"x": numbers(2, 5, 4), "rate": 0.5}, {"seed": 3, "step": 1}),
    "dropout_grad": ({"grad_y": numbers(2, 5, 4), "rate": 0.5}, {"seed": 3, "step": 1}),
    "cross_entropy": ({"logits": numbers(2, 3), "labels": np.array([2, 0])}, {}),
    "binary_cross_entropy": ({"logits": numbers(2, 3), "targets": np.array([[1, 0, 1], [0, 0, 1]])}, {}),
    "soft_cross_entropy": ({"logits": numbers(2, 3), "targets": [[0.5, 0.5, 0.0], [0.2, 0.1, 0.7]]}, {}),
    "mse": ({"y": numbers(2, 3), "target": numbers(3, 2).reshape(2, 3)}, {}),
    "smooth_labels": ({"targets": numbers(2, 3), "smoothing": 0.2}, {}),
    "scale_rows": ({"x": numbers(2, 5, 4), "scales": numbers(2)}, {}),
    "standardize": ({"x": numbers(2, 5, 6, 3), "mean": [1, 2, 3], "deviation": [0.5, 1, 2]}, {}),
    "sgd": ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3)}, {}),
    "momentum": ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3), "v": numbers(2, 3)}, {}),
    **dict.fromkeys(
        ("nesterov", "rmsprop", "adagrad"), ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3), "v": numbers(2, 3) ** 2}, {})
    ),
    "adadelta": ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3), "v": numbers(2, 3) ** 2, "u": numbers(2, 3) ** 2}, {}),
    "adamax": ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3), "m": numbers(2, 3), "u": numbers(2, 3) ** 2, "step": 2}, {}),
    "adamw": ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3), "m": numbers(2, 3), "v": numbers(2, 3) ** 2, "step": 2}, {}),
    "adam": ({"w": numbers(2, 3), "g": numbers(3, 2).reshape(2, 3), "m": numbers(2, 3), "v": numbers(2, 3) ** 2, "step": 2}, {}),
    "clip_norm": ({"g": numbers(2, 5, 4), "max_norm": 2.5}, {}),
    "take_images": ({"images": numbers(4, 5, 6, 3), "order": np.array([3, 0])}, {"normalize": "per-image", "dtype": "float64"}),
    "take_labels": ({"labels": numbers(4, 3), "order": np.array([3, 0])}, {}),
    "augment_images": (
        {"images": numbers(4, 5, 6, 3), "order": np.array([3, 0])},
        {"seed": 1, "epoch": 2, "rotate": 30, "noise": 0.1, "mixup": 0.5, "normalize": "per-image", "dtype": "float64"},
    ),
    "mix_labels": ({"labels": numbers(4, 3), "order": np.array([3, 0])}, {"seed": 1, "epoch": 2, "mixup": 0.5, "dtype": "float64"}),
    "score": ({"outputs": numbers(2, 3), "labels": np.array([2, 0])}, {}),
    "score_binary": ({"outputs": numbers(2, 3), "targets": numbers(3, 2).reshape(2, 3)}, {}),
}
IN_PLACE = {
    "sgd": ("w",),
    **dict.fromkeys(("momentum", "nesterov", "rmsprop", "adagrad"), ("w", "v")),
    "adadelta": ("w", "v", "u"),
    **dict.fromkeys(("adam", "adamw"), ("w", "m", "v")),
    "adamax": ("w", "m", "u"),
}
ELEMENTWISE = (
    *("relu", "sigmoid", "tanh", "softmax", "relu_grad", "sigmoid_grad", "tanh_grad", "softmax_grad"),
    *("dropout", "dropout_grad", "clip_norm", "scale_rows"),
)
ANY_AXES = (*ELEMENTWISE, "mse", *IN_PLACE, "bias_grad", "take_labels", "mix_labels")
WITH_DTYPE = ("take_images", "augment_images", "mix_labels")


def case(name, dtype=np.float64, **changed):
    """Fresh copies of a case's arguments, as a list of positional and a dict of keyword arguments."""
    arguments, keywords = CASES[name]
    values = {
        key: value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value for key, value in arguments.items()
    }
    if name == "pool2d_grad_input":
        values["state"] = values["state"]._replace(x=values["state"].x.astype(dtype), y=values["state"].y.astype(dtype))
    return {**values, **changed}, dict(keywords, **({"dtype": np.dtype(dtype).name} if name in WITH_DTYPE else {}))


def run(name, arguments, keywords, **more):
    return getattr(reference, name)(*arguments.values(), **keywords, **more)


def array_of(result):
    """The array that `out=` is about: losses and pool2d give a pair."""
    if isinstance(result, tuple):
        return next(part for part in result if type(part) is np.ndarray)
    return result


def float_arguments(name):
    return [key for key, value in CASES[name][0].items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"]


EVERY_INPUT = [(name, key) for name in NAMES for key in float_arguments(name)]
EVERY_READ_INPUT = [(name, key) for name, key in EVERY_INPUT if key not in IN_PLACE.get(name, ())]
