"""The text's passes: one image at a time through all layers, forward, backward, and a step of the optimizer."""

from typing import Any

import numpy as np

from jitcnn import kernels
from jitcnn.blog.layers import Dropout
from jitcnn.engine.eager import EagerStep
from jitcnn.model import CNN as Model


class SingleImages:
    """The part of `jitcnn.blog.CNN` that takes single images. Attributes are described there."""

    def __init__(self, model: Model):
        self.model = model
        self.layers: list[Any] = []
        self.optimizer: Any = ""
        self.loss = "mse"
        self.eps = 1e-15
        self.images_since_update = 0

    def feedforward(self, x: Any, train: bool = True) -> np.ndarray:
        """The output for one image, layer by layer; with `train`, dropout drops."""
        for layer in self.layers:
            x = layer.apply_activation(x, train) if isinstance(layer, Dropout) else layer.apply_activation(x)
        return x

    def apply_loss(self, y: Any, out: Any) -> tuple[np.ndarray, np.floating]:
        """How the loss wants the output to change, and the loss.

        Parameters
        ----------
        y, out : arrays (neurons,), or (images, neurons)
            Labels and outputs.

        Returns
        -------
        error : array like `out`
            Minus the loss's gradient, so that adding it makes the loss smaller, as in the text: with respect to `out` for "mse",
            2 (y - out) / size; with respect to what goes into softmax or sigmoid for "cse", (y - out) / images, for sigmoid also
            divided by neurons.
        loss : float
            Mean of the squared differences, or of the images' cross-entropies.
        """
        out = np.asarray(out, np.float64)
        y = np.asarray(y).reshape(out.shape)
        rows, targets = np.atleast_2d(out), np.atleast_2d(y)
        if self.loss == "mse":
            loss, grad = kernels.mse(rows, targets.astype(np.float64))
        elif self.layers[-1].activation == "softmax":
            loss, grad = kernels.cross_entropy(np.log(rows.clip(self.eps)), targets)
        else:
            shares = rows.clip(self.eps, 1 - self.eps)
            loss, grad = kernels.cross_entropy(np.log(shares / (1 - shares)), targets, kind="binary")
        return -grad.reshape(out.shape), np.float64(loss)

    def backpropagate(self, loss: Any, update: bool) -> None:
        """Backward through all layers after a `feedforward`, and with `update` a step of the optimizer.

        Parameters
        ----------
        loss : array
            The first of what `apply_loss` returns.
        update : bool
            Whether to change the weights by the mean over all images since the last time, and to start these sums anew.
        """
        self.images_since_update += 1
        self.layers[-1].take_error(loss, before_activation=self.loss == "cse")
        for layer, following in zip(self.layers[-2::-1], self.layers[:0:-1], strict=True):
            layer.backpropagate(following)
        if update:
            self._update()
            self.zerograd()

    def _update(self) -> None:
        graph = self.model.graph
        graph.claim()
        self.optimizer.prepare(graph.layout)
        self.model.steps += 1  # adam's step number, which training goes on from
        self.optimizer.first[:] = self.model.steps
        step = EagerStep(self._eager_engine, 1, graph.dtype, True, self.model.steps)
        for layer in self.layers:
            sums = {"weights": layer.delta_weights, "bias": layer.delta_biases}
            for parameter in layer.layer.parameter_list:
                mean = np.reshape(sums[parameter.name], parameter.shape) / self.images_since_update
                parameter.gradient[...] = -mean
                self.optimizer.update(step, parameter, self.optimizer.hyper[None])

    def zerograd(self) -> None:
        """Start the sums of all layers' `delta_weights` and `delta_biases` anew."""
        self.images_since_update = 0
        for layer in self.layers:
            layer.zerograd()

    @property
    def _eager_engine(self) -> str:
        """What runs single images."""
        return "python" if self.model.engine == "python" else "loops"
