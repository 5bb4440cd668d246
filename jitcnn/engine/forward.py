"""Forward passes alone: what `predict`, `layer_outputs` and a layer called alone do."""

import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from jitcnn import kernels
from jitcnn.engine.session import Session

PREDICTION_BATCH = 32
FEW_NUMBERS = 2**17  # images of so many numbers together are copied rather than lent


def prediction_batch(shapes: Iterable[Sequence[int]]) -> int:
    """Images in a step without gradients: many where they are small, since each step costs some microseconds.

    Parameters
    ----------
    shapes
        Of one image, and of what is made of it.
    """
    largest = max(math.prod(shape) for shape in shapes)
    return next(batch for batch in (256, 128, 64, PREDICTION_BATCH) if batch * largest <= 2**22 or batch == PREDICTION_BATCH)


def as_four_axes(images: np.ndarray) -> np.ndarray:
    """Images as they are; rows of features as images of one row and one channel, since kernels take images only."""
    return images if images.ndim == 4 else images.reshape(len(images), 1, -1, 1)


class Normalization(NamedTuple):
    """What a step does to the numbers of an image before the first layer.

    Attributes
    ----------
    per_image : bool
        Each image minus its own mean, over its own standard deviation.
    mean, deviation : float64 array (channels,), or None
        Each channel minus this, over that.
    """

    per_image: bool = False
    mean: np.ndarray | None = None
    deviation: np.ndarray | None = None

    def finish(self, step: Any, x: Any) -> None:
        """Make the call that remains once images are in a buffer: `take_images` has seen to `per_image`."""
        if self.mean is not None:
            step.call(kernels.standardize, x, self.mean, self.deviation, x)


AS_THEY_ARE = Normalization()


def take_batch(step: Any, data: SimpleNamespace, input_shape: Sequence[int], normalization: Normalization = AS_THEY_ARE) -> Any:
    """The batch's images, or rows of features, normalized in a buffer of the model's dtype."""
    x = step.buffer(data.images.shape[1:])
    step.call(kernels.take_images, data.images, data.order, data.position, x, int(normalization.per_image))
    normalization.finish(step, x)
    return x if len(input_shape) == 3 else step.reshape(x, input_shape)


class ForwardSession:
    """A recorded forward pass for images of one shape and dtype; any number of them."""

    def __init__(
        self,
        kind: str,
        forward: Callable[[Any, Any], Mapping[str, Any]],
        images: np.ndarray,
        output_shapes: Mapping[str, Sequence[int]],
        dtype: Any,
        normalization: Normalization = AS_THEY_ARE,
        threads: int | None = None,
        batch_size: int = PREDICTION_BATCH,
    ):
        """Record the pass.

        Parameters
        ----------
        kind, dtype, threads
            As for `jitcnn.engine.build_program`.
        forward
            `forward(step, x)` returns buffers by name.
        images
            Images such as will come.
        output_shapes
            What these buffers hold for one image, by name.
        normalization
            What is done to images first.
        batch_size
            The most images in a step.
        """
        self.input_shape = images.shape[1:]
        self.images_dtype = images.dtype
        self.output_shapes = dict(output_shapes)
        self.dtype = np.dtype(dtype)
        self.lock, self.process = threading.Lock(), os.getpid()

        def record(step: Any, data: SimpleNamespace) -> None:
            buffers = forward(step, take_batch(step, data, self.input_shape, normalization))
            for name in self.output_shapes:
                step.output(buffers[name], getattr(data, name))

        arrays = {**self._inputs(images[:1]), **self._outputs(1)}
        self.few = max(1, min(PREDICTION_BATCH, FEW_NUMBERS // math.prod(self.input_shape)))
        self.session = Session(kind, record, arrays, batch_size, dtype, threads=threads, rows=self.few)

    @property
    def sound(self) -> bool:
        """False after Ctrl-C at the wrong moment, and in a forked process, where another thread may have left it half way: make another."""
        return self.session.sound and self.process == os.getpid()

    def fits(self, images: np.ndarray) -> bool:
        """Whether images are such as this was recorded for."""
        return images.shape[1:] == self.input_shape and images.dtype == self.images_dtype

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs for these images by name, each (n, …)."""
        with self.lock:
            if len(images) <= self.few:
                return self._run_few(images)
            outputs = self._outputs(len(images))
            with self.session.using({**self._inputs(images), **outputs}):
                self.session.program.prepare()
                self.session.run_all()
            return outputs

    def _run_few(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The same in the session's own arrays: for an image or two, lending arrays to the program takes longer than the network."""
        count, own = len(images), self.session.data
        own.images[:count] = as_four_axes(images)
        self.session.program.prepare()
        self.session.program.run(0, 1, count)
        return {name: getattr(own, name)[:count].copy() for name in self.output_shapes}

    def _inputs(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return {"images": as_four_axes(images), "order": np.arange(len(images))}

    def _outputs(self, images: int) -> dict[str, np.ndarray]:
        return {name: np.empty((images, *shape), self.dtype) for name, shape in self.output_shapes.items()}
