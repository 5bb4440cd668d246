"""The text's CNN: a stack of its layers, with its printed lines."""

from typing import Any

import numpy as np

from jitcnn import initializers
from jitcnn.blog.base import TextLayer, text_shape
from jitcnn.blog.curves import show_curves
from jitcnn.blog.layers import Conv2d
from jitcnn.blog.report import Report
from jitcnn.blog.saving import save_model
from jitcnn.blog.single_images import SingleImages
from jitcnn.blog.table import table
from jitcnn.inputs import PIXELS
from jitcnn.labels import as_targets, validation_split
from jitcnn.model import CNN as Model
from jitcnn.optimizers import OPTIMIZERS

LOSSES = {"mse": "mse", "cse": "cross_entropy"}
UNSET_MOMENTUM = 0.001  # the default of `mr`, which stands for the 0.9 that the text's momentum always used


class CNN(SingleImages):
    """A convolutional network with the text's methods and printed lines.

    Parameters
    ----------
    seed : int, optional
        What weights, shuffling, dropout and the validation share are drawn from; drawn itself if missing.
    engine : "fast", "loops" or "python"
        What trains and predicts. Passes of single images, `feedforward` and `backpropagate`, run by the loops, with "python" uncompiled.

    Attributes
    ----------
    layers : list
        The text's layers. After `predict` and `feedforward` each has `input` and `out` of the last image.
    parameters : list of int
        How many numbers each of them has.
    model : jitcnn.CNN
        The model that trains and predicts.
    train_loss, train_acc, val_loss, val_acc, seconds : dict
        By the number of the epoch in the last `train`; accuracies in percent, and the seconds that were printed.
    lr, mr, loss, metrics, optimizer, iscompiled
        As `compile_model` sets them.
    """

    def __init__(self, seed: int | None = None, engine: str = "fast"):
        super().__init__(Model(seed=seed, engine=engine))
        self.parameters: list[int] = []
        self.av_optimizers = ["sgd", "momentum", "adam"]
        self.av_metrics = ["mse", "accuracy", "cse"]
        self.av_loss = ["mse", "cse"]
        self.lr, self.mr = 0.01, 0.0001
        self.metrics: list[str] = []
        self.batch_size = 32
        self.iscompiled = False
        self.train_loss: dict[int, float] = {}
        self.val_loss: dict[int, float] = {}
        self.train_acc: dict[int, float] = {}
        self.val_acc: dict[int, float] = {}
        self.seconds: dict[int, float] = {}

    # Structure

    def add(self, layer: Any) -> None:
        """Append a layer, which takes its input's shape from the one before, and name it.

        Raises
        ------
        ValueError
            If nothing is left of the image, or the layer does not fit.
        """
        if not isinstance(layer, TextLayer):
            raise ValueError(f"A model is made of layers of jitcnn.blog, and a {type(layer).__name__} is given.")
        if not self.layers and layer.layer.input_shape is not None:
            self.model.graph.take_input_shape(layer.layer.input_shape)
        self.model.add(layer.layer)
        layer.join(self.model.graph)
        layer.engine = self._eager_engine
        if len(self.layers) > 1:
            self.layers[-1].name = f"{type(self.layers[-1]).__name__}{len(self.layers) - 1}"
        layer.name = f"Out Layer({type(layer).__name__})" if self.layers else "Input Layer"
        self.layers.append(layer)
        self.parameters.append(layer.parameters)

    def summary(self) -> None:
        """Print a table of the layers, with the text's columns."""
        print(table(self.layers))
        print(f"Total Parameters: {sum(layer.parameters for layer in self.layers)}")

    # Training

    def compile_model(
        self, lr: float = 0.01, mr: float = UNSET_MOMENTUM, opt: str = "sgd", loss: str = "mse", metrics: Any = ("mse",)
    ) -> None:
        """Say how to train.

        Parameters
        ----------
        lr : float
            The learning rate, of each optimizer; the text's adam always took 0.001.
        mr : float
            Momentum's factor. The text's momentum took 0.9 whatever `mr` was; here only the default, 0.001, stands for 0.9.
        opt : "sgd", "momentum" or "adam"
        loss : "mse" or "cse"
            Mean squared error, or cross-entropy, of a last softmax or sigmoid.
        metrics : list of "mse", "accuracy", "cse"
            Kept; what is printed is always loss and accuracy.

        Raises
        ------
        ValueError
            If one of them is unknown, or the loss does not suit the last layer.
        """
        if opt not in self.av_optimizers:
            raise ValueError(f"Optimizer is not understood, use one of {self.av_optimizers}; given {opt!r}.")
        for metric in metrics:
            if metric not in self.av_metrics:
                raise ValueError(f"Metrics is not understood, use one of {self.av_metrics}; given {metric!r}.")
        if loss not in self.av_loss:
            raise ValueError(f"Loss function is not understood, use one of {self.av_loss}; given {loss!r}.")
        settings = {"momentum": 0.9 if mr == UNSET_MOMENTUM else mr} if opt == "momentum" else {}
        self.optimizer = OPTIMIZERS[opt](learning_rate=lr, **settings)
        self.model.compile(self.optimizer, loss=LOSSES[loss], metrics=())
        self.loss, self.lr, self.mr, self.metrics = loss, lr, mr, list(metrics)
        self.iscompiled = True

    def check_trainnable(self, X: Any, Y: Any) -> None:
        """Raise a ValueError unless the model is compiled and takes such images and labels."""
        if not self.iscompiled:
            raise ValueError("Model is not compiled.")
        if len(X) != len(Y):
            raise ValueError(f"Length of training input and label is not equal: {len(X)} and {len(Y)}.")
        first, last = self.layers[0], self.layers[-1]
        given = text_shape(np.shape(X)[1:])
        if first.input_shape not in (None, given):
            raise ValueError(f"'{first.name}' expects input of {first.input_shape} while {given} is given.")
        if last.output_shape not in (None, np.shape(Y)[-1]):
            raise ValueError(f"'{last.name}' expects input of {last.output_shape} while {np.shape(Y)[-1]} is given.")
        self._check_kernels()

    def train(
        self,
        X: Any,
        Y: Any,
        epochs: int,
        show_every: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        val_split: float = 0.1,
        val_x: Any = None,
        val_y: Any = None,
    ) -> None:
        """Train, and print loss and accuracy on training and validation data, measured after each epoch that is shown.

        Parameters
        ----------
        X : array (images, rows, columns, channels), or (rows, features)
        Y : array (images, neurons)
            One-hot rows, or numbers for "mse" and sigmoid.
        epochs : int
        show_every : int
            How often to measure and print; the histories have these epochs only.
        batch_size : int
            Images in a step; the last step of an epoch takes what is left.
        shuffle : bool
            Whether to take the images in another order each epoch.
        val_split : float
            The share of the images to validate on where no others are given: the same share of each class, not trained on. 0 for none.
        val_x, val_y : arrays, optional
            Images and labels to validate on.
        """
        self.check_trainnable(X, Y)
        X, Y = as_pixels(X), np.asarray(Y)
        samples, self.batch_size = len(X), batch_size
        if val_x is not None and val_y is not None:
            self.check_trainnable(val_x, val_y)
            val_x, val_y = as_pixels(val_x), np.asarray(val_y)
            print("\nValidation data found.\n")
        else:
            training, validation = self._split(X, Y, val_split)
            val_x, val_y, X, Y = X[validation], Y[validation], X[training], Y[training]
        print(f"\nTotal {samples} samples.\nTraining samples: {len(X)} Validation samples: {len(val_x)}.")
        print(f"Total {-(-len(X) // batch_size)} batches, most batch has {batch_size} samples.\n")
        for history in (self.train_loss, self.train_acc, self.val_loss, self.val_acc, self.seconds):
            history.clear()
        report = Report(self, {"Train": (X, Y), "Val": (val_x, val_y)}, show_every)
        self.model.train(X, Y, epochs=epochs, batch_size=batch_size, shuffle=shuffle, callbacks=[report], progress=False)

    # Use

    def predict(self, X: Any) -> np.ndarray:
        """Outputs (images, neurons) for images, or (1, neurons) for a single one; each layer keeps `input` and `out` of the last."""
        self._check_kernels()
        X = as_pixels(X)
        images = X[None] if X.shape == self.model.input_shape else X
        out = self.model.predict(images)
        for layer, (taken, made) in zip(self.layers, self.model.layer_outputs(images[-1:]).values(), strict=True):
            layer.input, layer.out = taken[0], made[0]
        return out

    def visualize(self) -> None:
        """Show the curves of loss and accuracy by epoch; needs matplotlib, `pip install jitcnn[plots]`."""
        show_curves(self)

    save_model = save_model

    # Inside

    def _check_kernels(self) -> None:
        for layer in self.layers:
            if isinstance(layer, Conv2d):
                layer.check_kernel()

    def _split(self, X: np.ndarray, Y: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the images to train on, and of those to validate on."""
        if share == 0:
            return np.arange(len(X)), np.arange(0)
        self.model.graph.take_input_shape(X.shape[1:])
        shape = self.model.output_shape
        assert shape is not None
        targets = as_targets(Y, len(X), shape, wants_classes=False, shares=False, accuracy=False, dtype=self.model.dtype)
        generator = initializers.generator(self.model.seed, 0, initializers.VALIDATION)
        return validation_split(len(X), share, targets.classes, generator)


def as_pixels(X: Any) -> np.ndarray:
    """Images as the engine takes them: as they are if it can, as float32 otherwise."""
    X = np.asarray(X)
    return X if X.dtype in PIXELS else X.astype(np.float32)
