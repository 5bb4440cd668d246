"""The public functions are the ones promised, with their signatures, in both namespaces."""

import doctest
import inspect

import pytest

from jitcnn import reference
from jitcnn.forms import NAMES, bind_all
from jitcnn.reference import PREPARED

SIGNATURES = {
    "conv2d": "(x, w, b=None, *, stride=1, padding=0, activation=None, algorithm='auto', out=None)",
    "conv2d_grad_input": "(grad_y, w, x_shape, *, stride=1, padding=0, algorithm='auto', out=None)",
    "conv2d_grad_weights": "(grad_y, x, w_shape, *, stride=1, padding=0, algorithm='auto', out=None)",
    "bias_grad": "(grad_y, *, out=None)",
    "pad2d": "(x, padding, mode='zero', *, out=None)",
    "pad2d_grad_input": "(grad_y, padding, mode='zero', *, out=None)",
    "pool2d": "(x, kernel_size, *, stride=None, padding=0, kind='max', out=None)",
    "pool2d_grad_input": "(grad_y, state, *, out=None)",
    "dense": "(x, w, b=None, *, activation=None, out=None)",
    "dense_grad_input": "(grad_y, w, *, out=None)",
    "dense_grad_weights": "(grad_y, x, *, out=None)",
    "upsample2d": "(x, factor, *, out=None)",
    "upsample2d_grad_input": "(grad_y, factor, *, out=None)",
    "relu": "(x, *, out=None)",
    "relu_grad": "(grad_y, y, *, out=None)",
    "sigmoid": "(x, *, out=None)",
    "sigmoid_grad": "(grad_y, y, *, out=None)",
    "tanh": "(x, *, out=None)",
    "tanh_grad": "(grad_y, y, *, out=None)",
    "softmax": "(x, *, out=None)",
    "softmax_grad": "(grad_y, y, *, out=None)",
    "dropout": "(x, rate, *, seed, step, out=None)",
    "dropout_grad": "(grad_y, rate, *, seed, step, out=None)",
    "cross_entropy": "(logits, labels, *, kind='categorical', out=None)",
    "soft_cross_entropy": "(logits, targets, *, out=None)",
    "binary_cross_entropy": "(logits, targets, *, out=None)",
    "mse": "(y, target, *, out=None)",
    "smooth_labels": "(targets, smoothing, *, out=None)",
    "scale_rows": "(x, scales, *, out=None)",
    "standardize": "(x, mean, deviation, *, out=None)",
    "sgd": "(w, g, lr=0.001, weight_decay=0.0, *, out=None)",
    "momentum": "(w, g, v, lr=0.001, beta=0.9, weight_decay=0.0, *, out=None)",
    "nesterov": "(w, g, v, lr=0.001, beta=0.9, weight_decay=0.0, *, out=None)",
    "rmsprop": "(w, g, v, lr=0.01, alpha=0.99, eps=1e-08, weight_decay=0.0, *, out=None)",
    "adagrad": "(w, g, v, lr=0.01, eps=1e-10, weight_decay=0.0, *, out=None)",
    "adadelta": "(w, g, v, u, lr=1.0, rho=0.9, eps=1e-06, weight_decay=0.0, *, out=None)",
    "adamax": "(w, g, m, u, step, lr=0.002, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, *, out=None)",
    "adamw": "(w, g, m, v, step, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01, *, out=None)",
    "adam": "(w, g, m, v, step, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, *, out=None)",
    "clip_norm": "(g, max_norm, *, out=None)",
    "take_images": "(images, order, *, normalize=None, dtype='float32', out=None)",
    "take_labels": "(labels, order, *, out=None)",
    "augment_images": (
        "(images, order, *, seed, epoch, shift=0.0, rotate=0.0, scale=0.0, shear=0.0, flip=0.0, brightness=0.0, contrast=0.0, erase=0.0, "
        "noise=0.0, mixup=0.0, normalize=None, dtype='float32', out=None)"
    ),
    "mix_labels": "(labels, order, *, seed, epoch, mixup, classes=None, dtype='float32', out=None)",
    "score": "(outputs, labels, *, top=1, out=None)",
    "score_binary": "(outputs, targets, *, out=None)",
}


def plain(function):
    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(inspect.Signature(bare))


def test_every_function_is_there_and_no_other():
    assert set(NAMES) == set(SIGNATURES)


@pytest.mark.parametrize("name", NAMES)
def test_signature(name):
    assert plain(getattr(reference, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", NAMES)
def test_name_module_and_prepared_twin(name):
    function = bind_all(print, "somewhere")[name]
    assert (function.__name__, function.__qualname__, function.__module__) == (name, name, "somewhere")
    assert function.prepared_name in PREPARED
    assert function.prepared_name == name or name == "dropout_grad"


def test_every_prepared_form_is_reached():
    assert {getattr(reference, name).prepared_name for name in NAMES} == set(PREPARED)


@pytest.mark.parametrize("name", NAMES)
def test_docstring_has_its_sections_and_its_example_holds(name):
    function = getattr(reference, name)
    for section in ("Parameters", "Returns", "Raises", "Examples"):
        assert f"{section}\n    ---" in function.__doc__ or f"{section}\n---" in function.__doc__
    for parameter in inspect.signature(function).parameters:
        assert f"{parameter} :" in function.__doc__ or f"{parameter}, " in function.__doc__ or f", {parameter}" in function.__doc__
    source = function.__doc__.replace("from jitcnn.kernels import", "from jitcnn.reference import")
    example = doctest.DocTestParser().get_doctest(source, {}, name, None, None)
    assert example.examples and doctest.DocTestRunner().run(example).failed == 0


def test_a_wrong_keyword_is_a_type_error():
    with pytest.raises(TypeError):
        reference.relu([1.0], inplace=True)
