"""The public forms of the kernels: what people call, without what computes.

A kernel has a prepared form (positional; arrays and integers; outputs passed in: `jitcnn.forms.prepared`) and a public one: defaults,
an integer or a pair, words instead of codes, checks, and a new array where no `out` is given. The public forms are written once, here,
as functions whose first parameter is what runs a prepared call; `bind_all` makes `jitcnn.kernels` and `jitcnn.reference` of them.
"""

from collections.abc import Callable

from jitcnn.forms import (
    activation,
    adam,
    adaptive,
    augment,
    clipping,
    conv,
    dense,
    dropout,
    image,
    loss,
    padding,
    pool,
    scaling,
    update,
    upsample,
)
from jitcnn.forms.binding import Call, bind

FORMS: tuple[Callable, ...] = (
    conv.conv2d,
    conv.conv2d_grad_input,
    conv.conv2d_grad_weights,
    conv.bias_grad,
    padding.pad2d,
    padding.pad2d_grad_input,
    pool.pool2d,
    pool.pool2d_grad_input,
    dense.dense,
    dense.dense_grad_input,
    dense.dense_grad_weights,
    upsample.upsample2d,
    upsample.upsample2d_grad_input,
    activation.relu,
    activation.relu_grad,
    activation.sigmoid,
    activation.sigmoid_grad,
    activation.tanh,
    activation.tanh_grad,
    activation.softmax,
    activation.softmax_grad,
    dropout.dropout,
    dropout.dropout_grad,
    loss.cross_entropy,
    loss.soft_cross_entropy,
    loss.binary_cross_entropy,
    loss.mse,
    loss.smooth_labels,
    scaling.scale_rows,
    update.sgd,
    update.momentum,
    update.nesterov,
    adaptive.rmsprop,
    adaptive.adagrad,
    adaptive.adadelta,
    adam.adam,
    adam.adamax,
    adam.adamw,
    clipping.clip_norm,
    image.take_images,
    scaling.standardize,
    image.take_labels,
    image.score,
    image.score_binary,
    augment.augment_images,
    augment.mix_labels,
)

NAMES = tuple(form.__name__ for form in FORMS)

SAME_KERNEL = {"dropout_grad": "dropout"}  # a gradient that is the forward pass, applied to grad_y


def bind_all(call: Call, module: str) -> dict[str, Callable]:
    """All public functions, by name, for a namespace.

    Parameters
    ----------
    call
        Runs ``call(name, *prepared arguments)``: checks the call (`jitcnn.forms.prepared.check`), then computes.
    module
        The `__module__` of the functions, the name of the namespace they go to.

    Returns
    -------
    dict
        Each function has the public signature and docstring, and `prepared_name`, the name of its prepared form.
    """
    return {form.__name__: bind(form, call, module, SAME_KERNEL.get(form.__name__, form.__name__)) for form in FORMS}
