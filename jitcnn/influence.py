"""Which training images pushed a prediction where it is, and which labels are most worth checking.

One step of gradient descent on a training image z changes the loss of another image z' by about -rate * (gradient of z's loss . gradient of
z' 's loss). Summed over checkpoints of the training, that is TracInCP (Pruthi, Liu, Kale, Sundararajan, "Estimating Training Data Influence
by Tracing Gradient Descent", NeurIPS 2020, section 3.2):

influence(z, z') = sum over checkpoints t of rate_t * grad loss(w_t, z) . grad loss(w_t, z')

The rates are divided by their sum here, which changes no order. Gradients are those of all parameters, not of the last layer alone as where
that costs too much: one pass forward and back for each image and checkpoint, as much as an epoch of training in steps of one image.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from jitcnn.checks import amount
from jitcnn.engine import build_program
from jitcnn.engine.forward import as_four_axes
from jitcnn.forms.geometry import integer
from jitcnn.labels import Targets
from jitcnn.model import CNN
from jitcnn.objective import measured_step
from jitcnn.progress import shows_bars
from jitcnn.scores import decide


@dataclass(frozen=True)
class Influence:
    """What training images did to a prediction.

    Attributes
    ----------
    scores : float64 array (n,)
        Each training image's influence: above 0 where learning it lowers the loss of the label, which it speaks for; below 0 where it
        speaks against it.
    label : int
        The class whose loss that is.
    """

    scores: np.ndarray
    label: int

    def speaking_for(self, count: int) -> np.ndarray:
        """Numbers of the images that speak for the label, the strongest first."""
        return _largest(self.scores, min(count, int((self.scores > 0).sum())))

    def speaking_against(self, count: int) -> np.ndarray:
        """Numbers of the images that speak against it, the strongest first."""
        return _largest(-self.scores, min(count, int((self.scores < 0).sum())))


def influence(
    models: CNN | Sequence[CNN],
    x: Any,
    y: Any,
    image: Any,
    label: int | None = None,
    *,
    rates: Sequence[float] | None = None,
    progress: bool = False,
) -> Influence:
    """How much each training image pushed a prediction there.

    Parameters
    ----------
    models : CNN, or sequence of CNN
        Compiled models of one training, such as those saved after several epochs; their dropout is off. They stay as they are.
    x, y : arrays
        What they were trained on.
    image : array
        One image as `model.predict` takes it.
    label : int, optional
        The class to explain; the one that the last model predicts if missing.
    rates : sequence of float, optional
        The learning rate at each of the models; all the same if missing.
    progress : bool
        Whether to show a bar on a terminal.

    Returns
    -------
    Influence

    Raises
    ------
    ValueError
        If the models are not compiled or no classifiers, or something does not fit them.
    """
    several, weights = _checked(models, rates)
    last = several[-1]
    single = last.check_images(np.asarray(image)[None], "image")
    outputs = last.predict(single)
    classes = max(2, outputs.shape[1]) if outputs.ndim == 2 else 0
    chosen = int(decide(outputs)[0]) if label is None else integer("label", label, at_least=0)
    if chosen >= classes:
        raise ValueError(f"label is {label}, and the model has {classes} classes, from 0 to {classes - 1}")
    scores = np.zeros(len(last.check_images(x)))
    for model, weight in zip(several, weights, strict=True):
        (wanted,) = (gradient.copy() for gradient in gradients(model, single, np.array([chosen])))
        for number, gradient in _numbered(model, x, y, progress):
            scores[number] += weight * np.sum(gradient * wanted, dtype=np.float64)
    return Influence(scores, chosen)


def self_influence(
    models: CNN | Sequence[CNN], x: Any, y: Any, *, rates: Sequence[float] | None = None, progress: bool = False
) -> np.ndarray:
    """How much each image pushes its own prediction: large where it stands against what the others teach, as with a wrong label.

    Parameters
    ----------
    models, rates, progress
        As for `influence`.
    x, y : arrays
        Images and labels, those that the models were trained on or others.

    Returns
    -------
    float64 array (n,)
        The sum over the models of rate * |gradient of the image's loss| ** 2, as section 4.1 of the same text takes it to find
        mislabelled images.

    Raises
    ------
    ValueError
        As for `influence`.
    """
    several, weights = _checked(models, rates)
    scores = np.zeros(len(several[-1].check_images(x)))
    for model, weight in zip(several, weights, strict=True):
        for number, gradient in _numbered(model, x, y, progress):
            scores[number] += weight * np.sum(np.square(gradient), dtype=np.float64)
    return scores


def suspects(scores: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the images whose labels are most worth checking, by their `self_influence`: the largest first."""
    return _largest(scores, count)


def gradients(model: CNN, x: Any, y: Any) -> Iterator[np.ndarray]:
    """The gradient of each image's loss with respect to all parameters, as one flat array that is written over for the next image.

    Parameters
    ----------
    model : CNN
        Compiled. Dropout does nothing.
    x, y : arrays
        As for `model.evaluate`.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    model.require_compiled("influence")
    images = model.check_images(x)
    targets = model.check_targets(images, y)
    return _gradients(model, images, targets)


def _gradients(model: CNN, images: np.ndarray, targets: Targets) -> Iterator[np.ndarray]:
    graph, objective, count = model.graph, replace(model.objective(), metrics=()), len(images)
    graph.claim()
    data = SimpleNamespace(images=as_four_axes(images), targets=targets.targets, order=np.arange(count), position=np.zeros(1, np.int64))
    data.loss = np.zeros(count, graph.dtype)

    def record(step: Any) -> None:
        grad, backward = measured_step(step, graph, objective, data)
        backward(grad)

    number = np.zeros(1, np.int64)
    program = build_program(model.engine, record, 1, graph.dtype, False, data.order, data.position, number, model.threads)
    program.prepare()
    for place in range(count):
        program.run(place, 1)
        yield graph.gradients


def _checked(models: CNN | Sequence[CNN], rates: Sequence[float] | None) -> tuple[list[CNN], np.ndarray]:
    """Models, and how much each counts."""
    several = [models] if isinstance(models, CNN) else list(models)
    if not several:
        raise ValueError("models is empty: give at least one model")
    if rates is not None and len(rates) != len(several):
        raise ValueError(f"rates has {len(rates)} numbers, and there are {len(several)} models: give one for each")
    weights = np.ones(len(several)) if rates is None else np.array([amount("rates", rate) for rate in rates])
    if not weights.any():
        raise ValueError("rates are all 0: leave them out, or give at least one above 0")
    return several, weights / weights.sum()


def _numbered(model: CNN, x: Any, y: Any, progress: bool) -> Iterator[tuple[int, np.ndarray]]:
    """The gradients and their images' numbers, with a bar if it is wanted."""
    from tqdm import tqdm

    shown = progress and shows_bars()
    return enumerate(tqdm(gradients(model, x, y), "gradients", len(x), leave=False, unit=" images", disable=not shown))


def _largest(scores: np.ndarray, count: int) -> np.ndarray:
    """Where the largest scores are; a NaN counts as more than all."""
    return np.argsort(-np.nan_to_num(scores, nan=np.inf, posinf=np.inf), kind="stable")[:count]
