"""A network with an optimizer and a loss, and the data that suit them."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jitcnn import initializers
from jitcnn.checks import positive, real
from jitcnn.labels import Targets, as_targets, validation_split
from jitcnn.losses import Loss, as_loss
from jitcnn.metrics import as_metrics, check_metrics
from jitcnn.network import Network
from jitcnn.objective import Objective
from jitcnn.optimizers import Optimizer, as_optimizer
from jitcnn.statistics import channel_statistics
from jitcnn.weights import as_class_weights, as_sample_weights, combined


class Compiled(Network):
    """The part of `jitcnn.CNN` that knows how to train, and what data it takes. Attributes are described there."""

    def __init__(self, *arguments: Any, **settings: Any):
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.metrics: tuple[str, ...] = ()
        self.clip_norm: float | None = None
        self.steps = np.zeros(1, np.int64)
        super().__init__(*arguments, **settings)

    def compile(
        self,
        optimizer: str | Optimizer = "adam",
        learning_rate: float | None = None,
        loss: str | Loss = "cross_entropy",
        metrics: Sequence[str] = ("accuracy",),
        *,
        label_smoothing: float = 0.0,
        clip_norm: float | None = None,
    ) -> None:
        """Say how to train. Weights stay, the optimizer starts anew.

        Parameters
        ----------
        optimizer : str, or an object
            "sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "adamw"; objects (`SGD`,
            `Momentum`, `Nesterov`, …) have more settings.
        learning_rate : float, optional
            For an optimizer given by name; if missing 0.001 for adam and adamw, 0.002 for adamax, 1 for adadelta, 0.01 for the others.
        loss : "cross_entropy" or "mse"
            Cross-entropy takes a last layer with softmax (one of several classes) or sigmoid (yes or no for each output).
        metrics : sequence of str
            Some of "accuracy", "top2", "top3", "top5" and so on; or (). With softmax, and for several outputs, a sample is right if its
            largest output, or one of the 2, 3, 5 … largest, is that of its class; with sigmoid, and for a single output, if every output
            is on its target's side of 0.5. Every sample counts the same, whatever its weight.
        label_smoothing : float
            For softmax and "cross_entropy": this part of every target goes to all classes alike, from 0 up to, not including, 1, as
            PyTorch's `CrossEntropyLoss(label_smoothing=…)`. Also in the losses that are measured.
        clip_norm : float, optional
            The gradient of all parameters together is made no longer than this, before weight decay and the optimizer, as
            PyTorch's `clip_grad_norm_`.

        Raises
        ------
        ValueError
            If something is unknown, or the loss does not suit the last layer.
        """
        optimizer, loss, metrics = as_optimizer(optimizer, learning_rate), as_loss(loss, label_smoothing), as_metrics(metrics)
        limit = None if clip_norm is None else positive("clip_norm", clip_norm)
        self._check_end(loss, metrics)
        self.optimizer, self.loss, self.metrics, self.clip_norm = optimizer, loss, metrics, limit
        self.steps = np.zeros(1, np.int64)
        self._forget_programs()

    def require_compiled(self, what: str) -> None:
        """Raise a ValueError unless there are layers, and `compile` was called with a loss that suits the last one."""
        if self.loss is None:
            raise ValueError(f"{what} needs an optimizer and a loss: call model.compile() first")
        if not self.graph.layers:
            raise ValueError(f"{what} needs layers: add some, model.add(Conv2d(8))")
        self._check_end(self.loss, self.metrics)

    def _check_end(self, loss: Loss, metrics: tuple[str, ...]) -> None:
        """Raise a ValueError if a loss or a metric does not suit the last layer."""
        if self.graph.layers:
            activation = self.graph.layers[-1].activation
            loss.check(activation, self.output_shape)
            if self.output_shape is not None:
                check_metrics(metrics, activation, math.prod(self.output_shape))

    def check_targets(self, images: np.ndarray, y: Any, name: str = "y") -> Targets:
        """Labels as the loss takes them; a ValueError if they do not fit the images and the output."""
        assert self.loss is not None and self.output_shape is not None
        activation = self.graph.layers[-1].activation
        self._check_end(self.loss, self.metrics)
        return as_targets(
            y,
            len(images),
            self.output_shape,
            wants_classes=self.loss.wants_classes(activation),
            shares=self.loss.on_logits,
            accuracy=bool(self.metrics),
            dtype=self.dtype,
            name=name,
        )

    def objective(self) -> Objective:
        """What a step measures, once the model is compiled."""
        assert self.loss is not None
        return Objective(self.loss, self.graph.layers[-1].activation, self.metrics, self.normalization)

    def training_data(
        self,
        x: Any,
        y: Any,
        validation: float | Sequence[Any] | None,
        class_weights: str | Sequence[float] | Mapping[Any, float] | None,
        sample_weight: Any,
    ) -> tuple[np.ndarray, Targets, np.ndarray, tuple[np.ndarray, Targets, np.ndarray] | None]:
        """Images, labels with their weights, the numbers of those to train on, and the same of those to validate on, as `CNN.train` has it.

        Raises
        ------
        ValueError
            If anything does not fit.
        """
        images = self.check_images(x)
        targets = self.check_targets(images, y)
        own = as_sample_weights(sample_weight, len(images))
        targets = targets._replace(weights=combined(own, None, None, self.dtype))
        order, held_out = np.arange(len(images)), None
        if isinstance(validation, tuple | list):
            held_out = self._held_out(validation)
        elif validation is not None:
            order, held_out_order = self._split(validation, targets.classes, len(images))
            held_out = images, targets, held_out_order
        if class_weights is not None:
            trained_on = None if targets.classes is None else targets.classes[order]
            by_class = as_class_weights(class_weights, trained_on, math.prod(self.output_shape or ()), self.classes)
            targets = targets._replace(weights=combined(own, by_class, targets.classes, self.dtype))
        return images, targets, order, held_out

    def _held_out(self, validation: Sequence[Any]) -> tuple[np.ndarray, Targets, np.ndarray]:
        if len(validation) not in (2, 3):
            raise ValueError(f"validation has {len(validation)} entries, expected (x, y), (x, y, sample_weight), or a share such as 0.1")
        images = self.check_images(validation[0], "validation x")
        targets = self.check_targets(images, validation[1], "validation y")
        own = as_sample_weights(validation[2] if len(validation) == 3 else None, len(images), "validation sample_weight")
        return images, targets._replace(weights=combined(own, None, None, self.dtype)), np.arange(len(images))

    def _split(self, share: Any, classes: np.ndarray | None, images: int) -> tuple[np.ndarray, np.ndarray]:
        fraction = real("validation", share)
        if not 0 < fraction < 1:
            raise ValueError(f"validation is {share}, expected a share between 0 and 1, or (x, y)")
        return validation_split(images, fraction, classes, initializers.generator(self.seed, 0, initializers.VALIDATION))

    def _measure_channels(self, images: np.ndarray, order: np.ndarray) -> None:
        """With normalize="dataset", measure it once, on the images to train on."""
        if self._preparation.normalize == "dataset" and self._preparation.mean is None:
            mean, deviation = channel_statistics(images, order)
            self._preparation = replace(self._preparation, mean=mean, deviation=deviation)
            self._forget_programs()

    def _identity(self, images: np.ndarray, targets: Targets, order: np.ndarray, batch_size: int) -> dict[str, Any]:
        """What has to be the same if a training that was interrupted is to go on to the same bits."""
        assert self.optimizer is not None and self.loss is not None
        return {
            "seed": self.seed,
            "layers": [f"{name}{list(shape)}" for name, shape in self.parameter_shapes.items()],
            "dtype": str(self.dtype),
            "engine": self.engine,
            "optimizer": self.optimizer.name,
            "loss": self.loss.name,
            "label smoothing": self.loss.label_smoothing,
            "clip norm": self.clip_norm,
            "metrics": list(self.metrics),
            "normalize": " ".join(map(str, (self.normalize, self.preparation.mean or "", self.preparation.deviation or ""))).strip(),
            "batch size": min(batch_size, len(order)),
            "images": f"{len(order)} of {len(images)}, each {list(images.shape[1:])} of {images.dtype}",
            "labels": hashlib.sha256(np.ascontiguousarray(targets.targets).data).hexdigest()[:12],
            "weights": None if targets.weights is None else hashlib.sha256(targets.weights.data).hexdigest()[:12],
        }
