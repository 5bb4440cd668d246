"""The public forms inside compiled code, with the parameters of `jitcnn.forms`, all of them given, in order.

Each takes its arguments as `arguments` says, makes room for its result, and runs a prepared form. What they do is described in
`jitcnn.forms`.
"""

from collections.abc import Callable

from jitcnn.kernels.overloads import layers, losses, updates

BODIES: dict[str, Callable] = {
    function.__name__: function
    for function in (
        layers.conv2d, layers.conv2d_grad_input, layers.conv2d_grad_weights, layers.bias_grad, layers.pad2d, layers.pad2d_grad_input,
        layers.pool2d, layers.pool2d_grad_input, layers.dense, layers.dense_grad_input, layers.dense_grad_weights,
        layers.upsample2d, layers.upsample2d_grad_input, layers.dropout, losses.cross_entropy, losses.mse,
        updates.sgd, updates.rmsprop, updates.adagrad, updates.adadelta,
    )
}  # fmt: skip
BODIES["dropout_grad"] = layers.dropout
BODIES |= {name: layers.elementwise(name) for name in ("relu", "sigmoid", "tanh", "softmax")}
BODIES |= {name: layers.elementwise_grad(name) for name in ("relu_grad", "sigmoid_grad", "tanh_grad", "softmax_grad")}
BODIES |= {name: losses.of_probabilities(name) for name in ("soft_cross_entropy", "binary_cross_entropy")}
BODIES |= {name: updates.with_velocity(name) for name in ("momentum", "nesterov")}
BODIES |= {name: updates.like_adam(name) for name in ("adam", "adamax", "adamw")}
