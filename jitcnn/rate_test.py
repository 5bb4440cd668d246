"""The rate test: which learning rate suits a network, its optimizer and its data (Smith, 2017, "Cyclical learning rates")."""

import copy
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jitcnn import initializers
from jitcnn.forms.geometry import integer

if TYPE_CHECKING:
    from jitcnn.model import CNN

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 140
SMOOTH = 0.8  # how much of the mean of the losses before stays in that of the next step
DIVERGED = 3.0  # times the lowest smoothed loss: the test is over
BELOW = 10.0  # the suggestion is so much lower than the rate with the lowest loss, which is nearly too high


@dataclass(frozen=True)
class RateTest:
    """Losses at learning rates that grow from step to step.

    Attributes
    ----------
    rates, losses : list of float
        Of each step that was made: of its images before its update.
    smoothed : list of float
        The losses, each a mean with those before.
    suggestion : float
        A tenth of the rate with the lowest smoothed loss, rounded to two digits.
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float


def rate_test(model: "CNN", x: Any, y: Any, *, batch_size: int = 32, augment: Any = None) -> RateTest:
    """Train a copy of a model for up to 140 steps, at rates from 1e-6 to 10, until the loss rises far above its lowest.

    Parameters
    ----------
    model : CNN
        Compiled; it stays as it is.
    x, y, batch_size, augment
        As for `CNN.train`.

    Returns
    -------
    RateTest
        The same for the same seed and data.

    Raises
    ------
    ValueError
        If the arguments do not fit, or the loss never fell.
    """
    integer("batch_size", batch_size, at_least=1)
    trained = copy.deepcopy(model)
    trained.require_compiled("rate_test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about rates, most of which are to be wrong
        return _tested(trained, x, y, batch_size, augment)


def _tested(trained: "CNN", x: Any, y: Any, batch_size: int, augment: Any) -> RateTest:
    """The test, on a model that may be trained."""
    size, rates, losses, smoothed = min(batch_size, len(x)), list[float](), list[float](), list[float]()
    order = initializers.generator(trained.seed, 0, initializers.SHUFFLE).permutation(len(x))
    mean = 0.0
    for step, rate in enumerate(np.geomspace(LOWEST, HIGHEST, STEPS)):
        batch = np.sort(order[np.arange(step * size, (step + 1) * size) % len(order)])
        assert trained.optimizer is not None
        trained.optimizer.learning_rate = float(rate)
        history = trained.train(
            x[batch], y[batch], epochs=1, batch_size=size, shuffle=False, augment=augment, on_nan="ignore", progress=False
        )
        loss = history["loss"][-1]
        if not math.isfinite(loss):
            break
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        rates.append(float(rate))
        losses.append(loss)
        smoothed.append(mean / (1 - SMOOTH ** (step + 1)))
        if smoothed[-1] > DIVERGED * min(smoothed):
            break
    return RateTest(rates, losses, smoothed, suggested(rates, smoothed))


def suggested(rates: list[float], smoothed: list[float]) -> float:
    """The rate to train with.

    Raises
    ------
    ValueError
        If the loss never fell below that of the first steps.
    """
    lowest = int(np.argmin(smoothed)) if smoothed else 0
    if lowest == 0:
        raise ValueError("the loss fell at no learning rate, so that none can be suggested: look at data and layers, or give a rate")
    return float(f"{rates[lowest] / BELOW:.2g}")
