"""Where in an image an answer comes from: the gradient of a class's score, and Grad-CAM, by the model's own passes."""

import copy
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from jitcnn.engine import build_program
from jitcnn.engine.forward import as_four_axes, take_batch
from jitcnn.graph import Graph
from jitcnn.layers import Conv2d
from jitcnn.model import CNN


class Attribution(NamedTuple):
    """The gradients of one class's score for one image.

    Attributes
    ----------
    score : float
        The class's output before softmax or sigmoid, the logit.
    grad_x : array (rows, columns, channels), or (features,)
        With respect to what the first layer takes, the image after standardisation.
    activations, grad_activations : array (rows, columns, channels), or None
        The output of the last convolution, and with respect to it; None if there is no convolution.
    """

    score: float
    grad_x: np.ndarray
    activations: np.ndarray | None
    grad_activations: np.ndarray | None

    @property
    def saliency(self) -> np.ndarray:
        """How much each pixel matters, (rows, columns): the largest magnitude over channels of the gradient.

        Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013, section 3.1.
        """
        return np.abs(self.grad_x).max(axis=-1) if self.grad_x.ndim == 3 else np.abs(self.grad_x)

    @property
    def grad_cam(self) -> np.ndarray | None:
        """What speaks for the class, in the last convolution's pixels: relu(sum over k of a_k A_k), a_k the mean of dscore/dA_k.

        Selvaraju et al., "Grad-CAM", 2017, equations 1 and 2.
        """
        if self.activations is None or self.grad_activations is None:
            return None
        weights = self.grad_activations.mean(axis=(0, 1))
        return np.maximum(self.activations @ weights, 0)


def attribute(model: CNN, image: np.ndarray, label: int) -> Attribution:
    """Differentiate the score of a class.

    Parameters
    ----------
    model : CNN
        It stays as it is: a copy of its layers runs, with its engine.
    image : array
        One image as `model.predict` takes it.
    label : int
        The class's number. A single output has two, and the score of 0 is that of 1 times -1.

    Returns
    -------
    Attribution

    Raises
    ------
    ValueError
        If the model's outputs are no classes, or there is no such class.
    """
    images = model.check_images(np.asarray(image)[None])
    outputs = model.output_shape
    if outputs is None or len(outputs) != 1:
        raise ValueError(f"the model's output is {outputs}, not one score for each class: there is no class to explain")
    classes = max(2, outputs[0])
    if not 0 <= label < classes:
        raise ValueError(f"class is {label}, and the model has {classes}, from 0 to {classes - 1}")
    return _Passes(model, images).run(label)


class _Passes:
    """Forward and backward of one image through a copy of the layers, with the gradients that training does not keep."""

    def __init__(self, model: CNN, images: np.ndarray):
        model.parameters  # noqa: B018 (takes memory, so that the copies have the model's values)
        self.graph = Graph(copy.deepcopy(model.layers), dtype=model.dtype, seed=model.seed, all_gradients=True)
        self.graph.take_input_shape(images.shape[1:])
        self.graph.claim()
        self.normalization = model.normalization
        self.last = max((number for number, layer in enumerate(self.graph.layers) if isinstance(layer, Conv2d)), default=None)
        self.data = self._data(images)
        step_number = np.zeros(1, np.int64)
        data, how = self.data, (model.dtype, False)
        self.program = build_program(model.engine, self._record, 1, *how, data.order, data.position, step_number, model.threads)

    def run(self, label: int) -> Attribution:
        """Both passes for a class."""
        data, single = self.data, self.data.scores.shape[1] == 1
        data.grad_scores[0, 0 if single else label] = -1 if single and label == 0 else 1
        self.program.prepare()
        self.program.run(0, 1)
        score = float((data.scores * data.grad_scores).sum())
        kept = (None, None) if self.last is None else (data.activations[0], data.grad_activations[0])
        return Attribution(score, data.grad_x[0], *kept)

    def _data(self, images: np.ndarray) -> SimpleNamespace:
        graph = self.graph
        assert graph.output_shape is not None
        scores = np.zeros((1, *graph.output_shape), graph.dtype)
        data = SimpleNamespace(images=as_four_axes(images), order=np.arange(1), position=np.zeros(1, np.int64), scores=scores)
        data.grad_scores = np.zeros_like(scores)
        data.grad_x = np.zeros(images.shape, graph.dtype)
        if self.last is not None:
            shape = graph.layers[self.last].output_shape
            assert shape is not None
            data.activations, data.grad_activations = np.zeros((2, 1, *shape), graph.dtype)
        return data

    def _record(self, step: Any) -> None:
        data, graph = self.data, self.graph
        assert graph.input_shape is not None
        x, backwards = take_batch(step, data, graph.input_shape, self.normalization), []
        for number, layer in enumerate(graph.layers):
            x, backward = (layer.transform if layer is graph.layers[-1] else layer.forward)(step, x)
            backwards.append(backward)
            if number == self.last:
                step.output(x, data.activations)
        step.output(x, data.scores)
        source = SimpleNamespace(images=as_four_axes(data.grad_scores), order=data.order, position=data.position)
        grad = take_batch(step, source, x.shape[1:])
        for number in reversed(range(len(backwards))):
            if number == self.last:
                kept = step.buffer(grad.shape)
                step.call(_copy, grad, kept)  # backward passes write over what they are given
                step.output(kept, data.grad_activations)
            grad = backwards[number](grad)
        step.output(grad, data.grad_x)


def _copy(source: np.ndarray, copied: np.ndarray) -> None:
    copied[...] = source
