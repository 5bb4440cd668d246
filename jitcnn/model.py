"""CNN: what users hold. Graph, training and storage behind one class."""

import hashlib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Self

import numpy as np

from jitcnn import initializers
from jitcnn.augmentation import Augmentation, as_augmentation
from jitcnn.callbacks import Callbacks
from jitcnn.checks import positive, real
from jitcnn.describing import describe_model, reading, restore
from jitcnn.engine.forward import ForwardSession, prediction_batch
from jitcnn.forms.arrays import take
from jitcnn.forms.geometry import integer
from jitcnn.inputs import as_images
from jitcnn.labels import Targets, as_targets, validation_split
from jitcnn.layers.base import Layer
from jitcnn.losses import Loss, as_loss
from jitcnn.metrics import as_metrics, check_metrics
from jitcnn.network import Network
from jitcnn.objective import Objective
from jitcnn.optimizers import Optimizer, as_optimizer
from jitcnn.passes import Trainer
from jitcnn.progress import Progress
from jitcnn.runs.checkpointing import Checkpointing, saver_for
from jitcnn.schedules import Schedule, as_schedule, as_span
from jitcnn.statistics import channel_statistics
from jitcnn.training import append, fit
from jitcnn.watch import Watch
from jitcnn.weights import as_class_weights, as_sample_weights, combined


class CNN(Network):
    """A convolutional network: layers, trained on images and labels.

    Parameters
    ----------
    layers : sequence of Layer
        In order; more can be added with `add`.
    seed : int, optional
        What first weights, shuffling, dropout and the validation share are drawn from; drawn itself if missing, and kept as `model.seed`.
        The same seed and data give the same bits, on any number of threads.
    normalize : None, "per-image" or "dataset"
        What the model does to the images it is given: nothing; each minus its mean, over its standard deviation; or each channel minus
        its mean, over its standard deviation, over the images that it is first trained on. Saved with it.
    dtype : "float32" or "float64"
        Of parameters and of all computing.
    engine : "fast", "loops" or "python"
        The recorded program; the reference loops compiled; or the same loops run by Python, for reading and debugging.
    threads : int, optional
        How many threads to use; all if missing.

    Attributes
    ----------
    layers : list of Layer
    parameters : dict of str to array
        Views by `layer/name`, to be read and written in place.
    history : dict of str to list
        By epoch: `loss`, `accuracy`, `top5` …, the same with `val_` in front (fractions), `rate` (of the last step), and `seconds`.
    epochs : int
        How many there were.
    optimizer, loss, metrics, clip_norm
        What `compile` was given; None, None, () and None before.
    classes : list of str, or None
        Names of the outputs.
    data : dict, or None
        Name and digest of what the model was trained on.
    preparation : Preparation
        How a picture becomes what the model takes: size, resizing, channels, inversion, normalization, names of the classes.
    graph : Graph
        The layers' shapes and flat buffers, for those who look inside.
    steps : int64 array (1,)
        How many training steps there were since `compile`.

    Examples
    --------
    >>> from jitcnn import CNN, Conv2d, Dense, Flatten, Pool2d
    >>> model = CNN([Conv2d(4, activation="relu", input_shape=(28, 28, 1)), Pool2d(), Flatten(), Dense(10, activation="softmax")], seed=1)
    >>> print(model.summary())
    layer               input shape  output shape  activation  bias  parameters  multiply-adds
    ------------------------------------------------------------------------------------------
    conv1 (Conv2d)      28 x 28 x 1  26 x 26 x 4   relu        yes           40         24,336
    pool1 (Pool2d)      26 x 26 x 4  13 x 13 x 4   -           -              0              0
    flatten1 (Flatten)  13 x 13 x 4  676           -           -              0              0
    dense1 (Dense)      676          10            softmax     yes        6,770          6,760
    ------------------------------------------------------------------------------------------
    total                                                                 6,810         31,096
    """

    def __init__(
        self,
        layers: Iterable[Layer] = (),
        *,
        seed: int | None = None,
        normalize: str | None = None,
        dtype: str = "float32",
        engine: str = "fast",
        threads: int | None = None,
    ):
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.metrics: tuple[str, ...] = ()
        self.clip_norm: float | None = None
        self.history: dict[str, list] = {}
        self.epochs = 0
        self.data: dict[str, Any] | None = None
        self.steps = np.zeros(1, np.int64)
        super().__init__(layers, seed=seed, normalize=normalize, dtype=dtype, engine=engine, threads=threads)

    # Training

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

    def train(
        self,
        x: Any,
        y: Any,
        *,
        epochs: int,
        batch_size: int = 32,
        validation: float | tuple[Any, ...] | None = None,
        shuffle: bool = True,
        augment: str | Augmentation | Mapping[str, float] | None = None,
        schedule: str | Schedule | Mapping[str, Any] | None = None,
        schedule_epochs: tuple[int, int] | None = None,
        class_weights: str | Sequence[float] | Mapping[Any, float] | None = None,
        sample_weight: Any = None,
        on_nan: str = "stop",
        callbacks: Iterable[Any] = (),
        checkpoint: str | os.PathLike | Checkpointing | None = None,
        resume: bool = False,
        progress: bool = True,
    ) -> dict[str, list]:
        """Train, and return the history, which the model also keeps; a further call goes on from there.

        Ctrl-C ends training between two steps; the model and the history of finished epochs are as usable as ever.

        Parameters
        ----------
        x : array (images, rows, columns, channels), or (rows, features)
            uint8, float32 or float64; not converted as a whole, a batch at a time is.
        y : array
            Class numbers or booleans (n,), one-hot rows (n, classes), or for "mse" and sigmoid also numbers (n, outputs).
        epochs : int
            How many passes over the images.
        batch_size : int
            Images in a step; the last step of an epoch takes what is left.
        validation : None, float, (x, y), or (x, y, sample_weight)
            What to measure after each epoch: a share of the images, which are then not trained on (the same ones in every call, the
            same share of each class), or other images.
        shuffle : bool
            Whether to take the images in another order each epoch.
        augment : str, Augmentation or dict, optional
            What may happen to an image each time: "light", "digits" or "photos", settings such as "shift=0.1,rotate=10" or both,
            see `jitcnn.Augmentation`. What is validated stays as it is.
        schedule : str, Schedule or dict, optional
            How the learning rate changes from step to step: "constant" (the default), "step", "linear", "cosine", "one-cycle", "warm-up",
            or an object of `jitcnn.schedules` with settings, such as OneCycle(max_rate=0.02).
        schedule_epochs : (int, int), optional
            The first epoch of the schedule and the one after its last, over the model's life; those of this call if missing. A run that
            is to be continued with `train` names the same epochs in each part, and ends with the same bits as in one go.
        class_weights : "balanced", sequence or dict, optional
            What the loss of each class's samples is multiplied by while training: a number a class, or by number or name of the class, 1
            for those that are missing; "balanced" gives all classes the same sum, images / (classes * images of the class). What is
            validated is not weighted by class.
        sample_weight : array (n,), optional
            What each sample's loss is multiplied by, also where it is validated. As in Keras, the mean of the losses stays one over the
            number of samples (of the batch, of the epoch), not over the sum of their weights; metrics count every sample the same.
        on_nan : "stop", "skip" or "ignore"
            What to do at a step whose loss, gradient or new weights hold NaN or infinity: end training with a FloatingPointError, which
            names the layer and the step where it first appears, and with the weights from before that step; leave the step's update
            out, and count such steps in `history["skipped"]` and its samples in no mean; or go on.
        callbacks : iterable
            Objects with any of the methods of `jitcnn.callbacks.Callbacks`.
        checkpoint : path or Checkpointing, optional
            A folder that gets a `checkpoint.npz` after every epoch, and after so many steps or minutes with
            `jitcnn.runs.Checkpointing(folder, steps=1000, minutes=5)`. SIGINT and SIGTERM wait for the end of a step, and are saved too.
        resume : bool
            Go on from the checkpoint in that folder, with the same data and arguments as in the call that was interrupted: the bits are
            those of a call that never was. `epochs` counts from where that call began. Without a checkpoint yet, training begins.
        progress : bool
            Whether to show bars, or lines where stderr is no terminal.

        Raises
        ------
        ValueError
            With a sentence that says what to do, if anything does not fit.
        FloatingPointError
            If training stops at NaN or infinity; with "skip", if nothing else is left of an epoch.
        """
        epochs, batch_size = integer("epochs", epochs, at_least=1), integer("batch_size", batch_size, at_least=1)
        self.require_compiled("train")
        told, augmentation, watch = Callbacks(callbacks, self), as_augmentation(augment), Watch(on_nan)
        images = self.check_images(x)
        if augmentation and images.ndim != 4:
            raise ValueError(f"augment is for images, (rows, columns, channels), and x is {images.shape}: leave augment out")
        targets = self.check_targets(images, y)
        own = as_sample_weights(sample_weight, len(images))
        targets = targets._replace(weights=combined(own, None, None, self.dtype))
        order = np.arange(len(images))
        held_out: tuple[np.ndarray, Targets, np.ndarray] | None = None
        if isinstance(validation, tuple | list):
            held_out = self._held_out(validation)
        elif validation is not None:
            order, held_out_order = self._split(validation, targets.classes, len(images))
            held_out = images, targets, held_out_order
        if class_weights is not None:
            trained_on = None if targets.classes is None else targets.classes[order]
            by_class = as_class_weights(class_weights, trained_on, math.prod(self.graph.output_shape or ()), self.classes)
            targets = targets._replace(weights=combined(own, by_class, targets.classes, self.dtype))
        self._measure_channels(images, order)
        how = as_schedule(schedule)
        saver = saver_for(checkpoint, resume, self, epochs)
        if saver.settings is not None:
            settings = {"shuffle": shuffle, "augment": str(augmentation), "schedule": how.to_dict()}
            saver.open(resume, self._identity(images, targets, order, batch_size) | settings)
        fit(
            self._get_trainer(),
            images,
            targets,
            order,
            held_out,
            batch_size=min(batch_size, len(order)),
            shuffle=shuffle,
            augmentation=augmentation,
            schedule=how,
            schedule_epochs=as_span(schedule_epochs, range(saver.first_epoch, saver.first_epoch + epochs)),
            finished=self._finish_epoch,
            callbacks=told,
            progress=Progress(progress, epochs, saver.first_epoch, len(order)),
            saver=saver,
            watch=watch,
        )
        return self.history

    def evaluate(
        self,
        x: Any,
        y: Any,
        *,
        class_weights: str | Sequence[float] | Mapping[Any, float] | None = None,
        sample_weight: Any = None,
    ) -> dict[str, float]:
        """Loss and metrics on images and labels as for `train`, with weights as there; every image counts the same without."""
        self.require_compiled("evaluate")
        images = self.check_images(x)
        targets = self.check_targets(images, y)
        by_class = as_class_weights(class_weights, targets.classes, math.prod(self.graph.output_shape or ()), self.classes)
        weights = combined(as_sample_weights(sample_weight, len(images)), by_class, targets.classes, self.dtype)
        return self._get_trainer().measure(images, targets._replace(weights=weights))

    # Use

    def predict(self, x: Any) -> np.ndarray:
        """The outputs for images: (images, classes); (classes,) for a single image without the image axis.

        An image's output has the same bits whatever else is predicted with it.
        """
        images, single = self._one_or_more(x)
        assert self.output_shape is not None
        outputs = self._forward_session("predict", images).run(images)["y"]
        return outputs[0] if single else outputs

    def layer_outputs(self, x: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """What each layer takes and makes, by name: (input, output), for one image or, with the image axis, for several."""
        images, single = self._one_or_more(x)
        arrays = self._forward_session("layers", images).run(images)
        outputs = [array[0] if single else array for array in arrays.values()]
        return dict(zip(self.graph.names, pairwise(outputs), strict=True))

    # Storage

    def save(self, path: str | os.PathLike) -> None:
        """Write the model to a file, which `jitcnn.load` reads; see `jitcnn.storage.save`."""
        from jitcnn import storage

        storage.save(self, path)

    def describe(self) -> dict[str, Any]:
        """Everything but the parameters, as numbers, strings, lists and dicts; see `jitcnn.describing.describe_model`."""
        return describe_model(self)

    @classmethod
    def from_description(
        cls,
        description: Mapping[str, Any],
        *,
        layers: Mapping[str, type[Layer]] | None = None,
        engine: str = "fast",
        threads: int | None = None,
    ) -> Self:
        """A model from what `describe` gave; its parameters take memory, and first values, when they are first looked at.

        Parameters
        ----------
        description
            As `describe` returns it.
        layers
            Classes of layers that are not jitcnn's, by name.
        engine, threads
            As for the class.

        Raises
        ------
        ValueError
            If it is no description of a model.
        """
        with reading("the description of the model"):
            settings = {name: description[name] for name in ("seed", "dtype")}
            model = cls(**settings, engine=engine, threads=threads)
            restore(model, description, layers or {})
        return model

    # Inside

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

    def check_images(self, x: Any, name: str = "x") -> np.ndarray:
        """Images, or rows of features, as the engine takes them; a ValueError if they are not what the model takes."""
        images = as_images(x, self.input_shape, name)
        self.graph.take_input_shape(images.shape[1:])
        return images

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

    def _forget_programs(self) -> None:
        self._trainer: Trainer | None = None
        self._sessions: dict[tuple, ForwardSession] = {}
        self._version = 0

    def __getstate__(self) -> dict[str, Any]:
        """Programs hold addresses: copies make their own."""
        return {**self.__dict__, "_trainer": None, "_sessions": {}}

    def _finish_epoch(self, logs: dict[str, float]) -> None:
        append(self.history, logs)
        self.epochs += 1

    def _get_trainer(self) -> Trainer:
        if self._trainer is None:
            assert self.optimizer is not None
            self._trainer = Trainer(self.graph, self.objective(), self.optimizer, self.engine, self.threads, self.steps, self.clip_norm)
        return self._trainer

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

    def _measure_channels(self, images: np.ndarray, order: np.ndarray) -> None:
        """With normalize="dataset", measure it once, on the images to train on."""
        if self._preparation.normalize == "dataset" and self._preparation.mean is None:
            mean, deviation = channel_statistics(images, order)
            self._preparation = replace(self._preparation, mean=mean, deviation=deviation)
            self._forget_programs()

    def _one_or_more(self, x: Any) -> tuple[np.ndarray, bool]:
        """Images, and whether it was a single one without the image axis."""
        if not self.graph.layers:
            raise ValueError("the model has no layers: add some, model.add(Conv2d(8))")
        single = self.input_shape is not None and np.shape(x) == self.input_shape
        return self.check_images(take("x", x)[None] if single else x), single

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

    def _forward_session(self, kind: str, images: np.ndarray) -> ForwardSession:
        version = self.graph.claim()
        if version != self._version:
            self._sessions.clear()
            self._version = version
        key = (kind, images.dtype)
        if key not in self._sessions:
            assert self.output_shape is not None
            if kind == "predict":
                shapes, forward = {"y": self.output_shape}, lambda step, x: {"y": self.graph.forward(step, x)[0]}
            else:
                shapes, forward = self.graph.buffer_shapes(), self.graph.forward_buffers
            batch = prediction_batch(self.graph.buffer_shapes().values())
            self._sessions[key] = ForwardSession(self.engine, forward, images, shapes, self.dtype, self.normalization, self.threads, batch)
        return self._sessions[key]
