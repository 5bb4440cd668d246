"""All prepared forms by name: the loops of this package."""

from collections.abc import Callable

from jitcnn.reference.activation import relu, relu_grad, sigmoid, sigmoid_grad, softmax, softmax_grad, tanh, tanh_grad
from jitcnn.reference.adaptive import adadelta, adagrad, adamax, rmsprop
from jitcnn.reference.augment import augment_images, mix_labels
from jitcnn.reference.clipping import clip_norm
from jitcnn.reference.conv import bias_grad, conv2d, conv2d_grad_input, conv2d_grad_weights
from jitcnn.reference.dense import dense, dense_grad_input, dense_grad_weights
from jitcnn.reference.dropout import dropout
from jitcnn.reference.image import score, score_binary, take_images, take_labels
from jitcnn.reference.loss import binary_cross_entropy, cross_entropy, mse, smooth_labels, soft_cross_entropy
from jitcnn.reference.padding import pad2d, pad2d_grad_input
from jitcnn.reference.pool import pool2d, pool2d_grad_input
from jitcnn.reference.scaling import scale_rows, standardize
from jitcnn.reference.update import adam, adamw, momentum, nesterov, sgd
from jitcnn.reference.upsample import upsample2d, upsample2d_grad_input

PREPARED: dict[str, Callable] = {
    function.__name__: function
    for function in (
        conv2d, conv2d_grad_input, conv2d_grad_weights, bias_grad,
        pad2d, pad2d_grad_input,
        pool2d, pool2d_grad_input,
        dense, dense_grad_input, dense_grad_weights,
        upsample2d, upsample2d_grad_input,
        relu, relu_grad, sigmoid, sigmoid_grad, tanh, tanh_grad, softmax, softmax_grad,
        dropout,
        cross_entropy, soft_cross_entropy, binary_cross_entropy, mse, smooth_labels, scale_rows,
        sgd, momentum, nesterov, rmsprop, adagrad, adadelta, adam, adamax, adamw, clip_norm,
        take_images, standardize, take_labels, score, score_binary,
        augment_images, mix_labels,
    )
}  # fmt: skip
