"""A layer of one's own, with a parameter that is learnt: forward and backward side by side, checked, trained, stored and loaded.

python examples/own_layer.py
"""

import tempfile
from pathlib import Path

import numpy as np

from jitcnn import CNN, Conv2d, Dense, Flatten, Layer, Pool2d, gradcheck, load
from jitcnn.data import mnist
from jitcnn.initializers import ones


def swish(x, beta, y):
    """The layer's output, x * sigmoid(beta * x), written into y."""
    y[:] = x / (1 + np.exp(-beta[0] * x))


def swish_grad(x, beta, grad_y, grad_x, grad_beta):
    """The gradients with respect to its input and its parameter."""
    s = 1 / (1 + np.exp(-beta[0] * x))
    grad_x[:] = grad_y * (s + beta[0] * x * s * (1 - s))
    grad_beta[0] = np.sum(grad_y * x * x * s * (1 - s))


class Swish(Layer):
    """Passes on what is large and holds back what is small; how sharply, it learns."""

    def build(self, input_shape):
        """One parameter; the shape stays."""
        self.beta = self.parameter("beta", (1,), ones)
        return input_shape

    def forward(self, step, x):
        """The output, and the way back."""
        y = step.buffer(x.shape)
        step.call(swish, x, self.beta, y)

        def backward(grad_y):
            grad_x = step.gradient_buffer(x)
            step.call(swish_grad, x, self.beta, grad_y, grad_x, step.gradient(self.beta))
            return grad_x

        return y, backward


if __name__ == "__main__":
    print(gradcheck(Swish(), np.random.default_rng(0).standard_normal((2, 5, 5, 3))))
    (x, y), (x_test, y_test) = mnist.load()
    layers = [Conv2d(8, input_shape=(28, 28, 1)), Swish(), Pool2d(), Flatten(), Dense(10, activation="softmax")]
    model = CNN(layers, seed=1, normalize="per-image")
    model.compile("adam", learning_rate=0.002)
    model.train(x[:5000], y[:5000], epochs=3, progress=False)
    print(f"beta began at 1 and is {model.parameters['swish1/beta'][0]:.3f}")
    print(f"{model.evaluate(x_test, y_test)['accuracy']:.1%} of the test digits are right")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.json")
        stored = load(Path(folder) / "model.json", layers={"Swish": Swish})
        assert (stored.predict(x_test[:100]) == model.predict(x_test[:100])).all()
