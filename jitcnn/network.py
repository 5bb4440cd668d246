"""What a model is without training: layers, parameters, preparation of pictures, and prediction."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from jitcnn.engine import ENGINES
from jitcnn.engine.forward import ForwardSession, Normalization, prediction_batch
from jitcnn.forms.arrays import take
from jitcnn.forms.geometry import choice, integer
from jitcnn.graph import Graph
from jitcnn.inputs import as_images
from jitcnn.layers.base import Layer
from jitcnn.preparation import Preparation
from jitcnn.summary import Summary, summarize

DTYPES = ("float32", "float64")


class Network:
    """The part of `jitcnn.CNN` that knows nothing of training. Parameters and attributes are described there."""

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
        if isinstance(layers, Layer):
            raise ValueError(f"layers is one layer, expected a list: give CNN([{type(layers).__name__}(…)])")
        self.seed = secrets.randbits(63) if seed is None else integer("seed", seed, at_least=0)
        if self.seed >= 2**63:
            raise ValueError(f"seed is {seed}, expected less than 2**63")
        self._preparation = Preparation(normalize=normalize)
        self.dtype = np.dtype(choice("dtype", str(np.dtype(dtype)) if not isinstance(dtype, str) else dtype, DTYPES))
        self.graph = Graph(dtype=self.dtype, seed=self.seed)
        self.engine = engine
        self.threads = threads
        for layer in layers:
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Append a layer.

        Parameters move to another place in memory then: views taken before no longer count.

        Raises
        ------
        ValueError
            If it does not fit what comes before.
        """
        self.graph.add(layer)
        self._forget_programs()

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return list(self.graph.layers)

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """The shape of one image; None as long as it is not known."""
        return self.graph.input_shape

    @property
    def output_shape(self) -> tuple[int, ...] | None:
        """The shape of one output."""
        return self.graph.output_shape

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """All parameters by `layer/name`, views to be read and written in place."""
        self.graph.claim()
        return {name: parameter.value for name, parameter in self.graph.parameters.items()}

    @property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Their shapes, before any memory is taken for them."""
        return {name: parameter.shape for name, parameter in self.graph.parameters.items()}

    @property
    def engine(self) -> str:
        """What runs the model; may be set at any time."""
        return self._engine

    @engine.setter
    def engine(self, engine: str) -> None:
        self._engine = choice("engine", engine, ENGINES)
        self._forget_programs()

    @property
    def threads(self) -> int | None:
        """How many threads to use, None for all; may be set at any time."""
        return self._threads

    @threads.setter
    def threads(self, threads: int | None) -> None:
        if threads is not None:
            from numba import config

            integer("threads", threads, at_least=1)
            if threads > config.NUMBA_NUM_THREADS:
                raise ValueError(f"threads is {threads}, and there are {config.NUMBA_NUM_THREADS}: give at most that, or None for all")
        self._threads = threads
        self._forget_programs()

    @property
    def preparation(self) -> Preparation:
        """How a picture becomes what the model takes; may be set, `model.preparation = dataclasses.replace(model.preparation, …)`."""
        shape = self.input_shape
        if shape is None or len(shape) != 3:
            return self._preparation
        return replace(self._preparation, size=shape[:2], channels=shape[2])

    @preparation.setter
    def preparation(self, preparation: Preparation) -> None:
        given, own = (preparation.size, preparation.channels), (self.preparation.size, self.preparation.channels)
        if self.input_shape is not None and given not in (own, (None, None)):
            raise ValueError(f"preparation makes images of {given[0]} with {given[1]} channels, and the model takes {self.input_shape}")
        outputs = None if self.output_shape is None else self.output_shape[-1]
        if preparation.classes is not None and outputs is not None and len(preparation.classes) != outputs:
            advice = 'end with Dense(2, activation="softmax")' if outputs == 1 else "give one name for each"
            raise ValueError(f"classes has {len(preparation.classes)} names, and the model {outputs} outputs: {advice}")
        self._preparation = preparation
        self._forget_programs()

    @property
    def normalization(self) -> Normalization:
        """The same as a step does it; a ValueError if that is not measured yet."""
        how = self._preparation
        if how.normalize == "dataset":
            if how.mean is None or how.deviation is None:
                raise ValueError("normalize is 'dataset', whose mean and deviation are measured when the model is trained: train it first")
            return Normalization(mean=np.array(how.mean), deviation=np.array(how.deviation))
        return Normalization(per_image=how.normalize == "per-image")

    @property
    def normalize(self) -> str | None:
        """What the model does to the numbers of an image, part of `preparation`."""
        return self._preparation.normalize

    @property
    def classes(self) -> list[str] | None:
        """Names of the outputs, one each, part of `preparation`."""
        return None if self._preparation.classes is None else list(self._preparation.classes)

    @classes.setter
    def classes(self, names: Sequence[str] | None) -> None:
        self.preparation = replace(self.preparation, classes=None if names is None else tuple(names))

    def prepare(self, source: Any) -> np.ndarray:
        """The image that the model takes, (rows, columns, channels), of a picture of any size; see `jitcnn.preparation.Preparation`."""
        return self.preparation.prepare(source)

    def check_images(self, x: Any, name: str = "x") -> np.ndarray:
        """Images, or rows of features, as the engine takes them; a ValueError if they are not what the model takes."""
        images = as_images(x, self.input_shape, name)
        self.graph.take_input_shape(images.shape[1:])
        return images

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

    def summary(self) -> Summary:
        """The table of layers: a string to print, which a notebook shows as HTML."""
        return summarize(self.graph)

    def digest(self) -> str:
        """Twelve hexadecimal digits over names, shapes and bytes of all parameters: the same for the same model only."""
        state = hashlib.sha256()
        for name, array in self.parameters.items():
            state.update(f"{name} {array.shape} {array.dtype}\n".encode())
            state.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
        return state.hexdigest()[:12]

    def _forget_programs(self) -> None:
        """What was recorded is void."""
        self._sessions: dict[tuple, ForwardSession] = {}
        self._version = 0

    def _one_or_more(self, x: Any) -> tuple[np.ndarray, bool]:
        """Images, and whether it was a single one without the image axis."""
        if not self.graph.layers:
            raise ValueError("the model has no layers: add some, model.add(Conv2d(8))")
        single = self.input_shape is not None and np.shape(x) == self.input_shape
        return self.check_images(take("x", x)[None] if single else x), single

    def _forward_session(self, kind: str, images: np.ndarray) -> ForwardSession:
        with self.graph.turns:
            version = self.graph.claim()
            if version != self._version:
                self._sessions.clear()
                self._version = version
            key = (kind, images.dtype)
            if key not in self._sessions or not self._sessions[key].sound:
                assert self.output_shape is not None
                if kind == "predict":
                    shapes, forward = {"y": self.output_shape}, lambda step, x: {"y": self.graph.forward(step, x)[0]}
                else:
                    shapes, forward = self.graph.buffer_shapes(), self.graph.forward_buffers
                how = self.dtype, self.normalization, self.threads, prediction_batch(self.graph.buffer_shapes().values())
                self._sessions[key] = ForwardSession(self.engine, forward, images, shapes, *how)
            return self._sessions[key]

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join(map(repr, self.graph.layers))}], seed={self.seed})"
