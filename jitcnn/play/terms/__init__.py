"""Where one number of an array comes from: the numbers that a kernel read to compute it, and the result of the reference loop on them.

Each function takes a kept call and the index of a number in what it wrote, without the image axis, and gives `Terms`.
"""

from __future__ import annotations

from collections.abc import Callable

from jitcnn.play.terms.activation import of_function, of_function_grad, of_softmax, of_softmax_grad
from jitcnn.play.terms.base import Index, Terms
from jitcnn.play.terms.conv import of_conv2d, of_conv2d_grad_input, of_conv2d_grad_weights
from jitcnn.play.terms.copies import of_pad2d, of_pad2d_grad_input, of_take_images, of_upsample2d, of_upsample2d_grad_input
from jitcnn.play.terms.dense import of_bias_grad, of_dense, of_dense_grad_input, of_dense_grad_weights
from jitcnn.play.terms.loss import of_loss
from jitcnn.play.terms.pool import of_pool2d, of_pool2d_grad_input
from jitcnn.play.tracing import Call

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
