"""CNN: what users hold. Graph, training and storage behind one class."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from jitcnn.augmentation import Augmentation, as_augmentation
from jitcnn.callbacks import Callbacks
from jitcnn.compiled import Compiled
from jitcnn.describing import describe_model, reading, restore
from jitcnn.forms.geometry import integer
from jitcnn.layers.base import Layer
from jitcnn.passes import Trainer
from jitcnn.progress import Progress
from jitcnn.runs.checkpointing import Checkpointing, saver_for
from jitcnn.schedules import Schedule, as_schedule, as_span
from jitcnn.signs import Signs, look_at_labels, look_at_validation
from jitcnn.training import Training, extended
from jitcnn.turns import Turns
from jitcnn.watch import Watch


class CNN(Compiled):
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
        self.history: dict[str, list] = {}
        self.epochs = 0
        self.data: dict[str, Any] | None = None
        self._training = Turns()
        super().__init__(layers, seed=seed, normalize=normalize, dtype=dtype, engine=engine, threads=threads)

    # Training

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
        RuntimeError
            If another thread trains or evaluates the model meanwhile.
        """
        epochs, batch_size = integer("epochs", epochs, at_least=1), integer("batch_size", batch_size, at_least=1)
        self.require_compiled("train")
        told, augmentation, watch = Callbacks(callbacks, self), as_augmentation(augment), Watch(on_nan)
        images, targets, order, held_out = self.training_data(x, y, validation, class_weights, sample_weight)
        if augmentation and images.ndim != 4:
            raise ValueError(f"augment is for images, (rows, columns, channels), and x is {images.shape}: leave augment out")
        self._measure_channels(images, order)
        trained_on = None if targets.classes is None else targets.classes[order]
        look_at_labels(trained_on, self.classes, (self.output_shape or (0,))[-1])
        if held_out is not None and held_out[0] is not images:
            look_at_validation(images, held_out[0])
        how = as_schedule(schedule)
        with self._training.at_once():
            saver = saver_for(checkpoint, resume, self, epochs)
            if saver.settings is not None:
                settings = {"shuffle": shuffle, "augment": str(augmentation), "schedule": how.to_dict()}
                saver.open(resume, self._identity(images, targets, order, batch_size) | settings)
            Training(
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
                signs=Signs(self, images, targets, order),
            ).run()
        return self.history

    @property
    def spent(self) -> dict[str, float]:
        """Where the time of the last `train` went: seconds of "preparing" (compiling, loading, recording), "training" and "validation"."""
        return dict(self._get_trainer().spent)

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
        images, targets, _, _ = self.training_data(x, y, None, class_weights, sample_weight)
        with self._training.at_once():
            return self._get_trainer().measure(images, targets)

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

    def _forget_programs(self) -> None:
        super()._forget_programs()
        self._trainer: Trainer | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Programs hold addresses: copies make their own."""
        return {**self.__dict__, "_trainer": None, "_sessions": {}}

    def _finish_epoch(self, logs: dict[str, float]) -> None:
        history = extended(self.history, logs)
        self.history |= history  # nothing is called from here to the next line: Ctrl-C finds both done, or none
        self.epochs += 1

    def _get_trainer(self) -> Trainer:
        if self._trainer is None:
            assert self.optimizer is not None
            self._trainer = Trainer(self.graph, self.objective(), self.optimizer, self.engine, self.threads, self.steps, self.clip_norm)
        return self._trainer
