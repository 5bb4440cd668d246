"""Compares gradients with central differences, in float64, and says what is wrong where the pattern is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitcnn import initializers
from jitcnn.engine import ENGINES
from jitcnn.forms.geometry import choice, integer
from jitcnn.gradient_hints import find_hint
from jitcnn.gradient_subjects import FunctionSubject, GraphSubject, LossSubject, Subject
from jitcnn.layers.base import Layer
from jitcnn.model import CNN

STEP = 1e-5  # of a central difference: its error is about STEP**2, its rounding about 1e-16 / STEP
SMALL_STEP = 1e-7  # of one-sided differences, beside a corner


@dataclass(frozen=True)
class Gradient:
    """One array's gradient, computed and measured.

    Attributes
    ----------
    computed : array
        What `backward` gave.
    measured : array
        Central differences; NaN where none was taken.
    scale : float
        What errors are relative to.
    """

    computed: np.ndarray
    measured: np.ndarray
    scale: float

    @property
    def errors(self) -> np.ndarray:
        """Relative error of each entry: infinite where `computed` is not finite, 0 where nothing was measured."""
        errors = np.abs(self.computed - self.measured) / self.scale
        errors[~np.isfinite(self.computed)] = np.inf
        errors[np.isnan(self.measured)] = 0.0
        return errors


@dataclass(frozen=True)
class GradcheckResult:
    """What `gradcheck` found; true if the gradients are right.

    Attributes
    ----------
    ok : bool
        Whether all errors are below the tolerance.
    error : float
        The largest error, relative to the largest gradient of its array.
    name : str
        The array it is in: "x", "weights", "conv1/weights".
    index : tuple of int
        Where in that array.
    hint : str or None
        What is probably wrong, where the pattern is known.
    gradients : dict of str to Gradient
        What was compared.
    """

    ok: bool
    error: float
    name: str
    index: tuple[int, ...]
    hint: str | None = None
    gradients: dict[str, Gradient] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        gradient = self.gradients[self.name]
        where = f"{self.name}{list(self.index)}: computed {gradient.computed[self.index]:.6g}, measured {gradient.measured[self.index]:.6g}"
        verdict = "gradients are right" if self.ok else "gradients are wrong"
        return f"{verdict}, largest relative error {self.error:.2g} at {where}" + (f"; {self.hint}" if self.hint else "")


def gradcheck(
    subject: Layer | CNN | Callable[..., Any] | tuple[Callable[..., Any], Callable[..., Any]],
    x: Any,
    y: Any = None,
    *,
    engine: str = "fast",
    tolerance: float = 1e-6,
    limit: int = 500,
    seed: int = 0,
) -> GradcheckResult:
    """Compare gradients with central differences (f(x + h) - f(x - h)) / 2h, in float64.

    What is differentiated is the sum of the outputs, each times a random number; for a model with labels `y`, its loss.

    Parameters
    ----------
    subject : Layer, CNN, or functions
        A layer or a model, which is copied and stays as it is; dropout drops the same numbers each time. Or a pair of functions,
        `forward(x)` and `backward(grad_y, x)`; or one function that returns `(y, backward)`, with `backward(grad_y)`. For several
        arrays they take them all, and return as many gradients.
    x : array, or tuple of arrays for functions of several
        Where to look: images (n, rows, columns, channels) or rows of features for layers and models. Better random than round numbers:
        at the corner of a relu there are two derivatives, and any value between them counts as right.
    y : array, optional
        Labels, for a compiled model.
    engine : "fast", "loops" or "python"
        What runs a layer or a model.
    tolerance : float
        The largest relative error that is right.
    limit : int
        Entries looked at in each array; drawn if it has more.
    seed : int
        What the random numbers are drawn from, and a layer's weights if it has none.

    Returns
    -------
    GradcheckResult
        True if right; `.error`, `.index` and `.name` of the worst entry, `.hint`.

    Raises
    ------
    ValueError
        If the arguments do not fit together, or a gradient has not the shape of its array.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.5, -1.0, 2.0]])
    >>> gradcheck((np.sin, lambda grad_y, x: grad_y * np.cos(x)), x).ok
    True
    >>> print(gradcheck((np.sin, lambda grad_y, x: -grad_y * np.cos(x)), x).hint)
    the gradient of x has the wrong sign
    """
    choice("engine", engine, ENGINES)
    integer("limit", limit, at_least=1)
    checked = make_subject(subject, x, y, engine, seed)
    draws = initializers.generator(seed, 0, initializers.CHECK)
    weights = checked.output_weights(draws)
    gradients = compare(checked, weights, limit, tolerance, draws)
    name = max(gradients, key=lambda name: float(gradients[name].errors.max(initial=0.0)))
    errors = gradients[name].errors
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape)
    error = float(errors[worst])
    ok = error <= tolerance
    hint = None if ok else find_hint(checked, weights, {n: (g.computed, g.measured) for n, g in gradients.items()}, tolerance)
    return GradcheckResult(ok, error, name, tuple(map(int, worst)), hint, gradients)


def make_subject(subject: Any, x: Any, y: Any, engine: str, seed: int) -> Subject:
    """What is checked, whatever it was given as."""
    if y is not None and not isinstance(subject, CNN):
        raise ValueError("y is given, and only a model has a loss that takes labels: leave y out")
    if isinstance(subject, CNN):
        return GraphSubject.of_model(subject, x, engine) if y is None else LossSubject(subject, x, y, engine)
    if isinstance(subject, Layer):
        return GraphSubject.of_layer(subject, x, engine, seed)
    if callable(subject) or (isinstance(subject, Sequence) and len(subject) == 2 and all(map(callable, subject))):
        return FunctionSubject(subject, x)
    raise ValueError(
        f"gradcheck was given a {type(subject).__name__}, expected a layer, a model, a pair (forward, backward), "
        f"or a function that returns (y, backward)"
    )


def compare(subject: Subject, weights: np.ndarray, limit: int, tolerance: float, draws: np.random.Generator) -> dict[str, Gradient]:
    """The gradients of all arrays."""
    computed = subject.backward(weights)
    measured = {}
    for name, array in subject.arrays.items():
        chosen = np.arange(array.size) if array.size <= limit else np.sort(draws.choice(array.size, limit, replace=False))
        measured[name] = np.full(array.shape, np.nan)
        for number in chosen:
            index = np.unravel_index(int(number), array.shape)
            measured[name][index] = difference(subject, weights, array, index, STEP, STEP)
    largest = {name: max(finite_max(computed[name]), finite_max(measured[name])) for name in measured}
    floor = max(1e-4 * max(largest.values(), default=0.0), 1e-8)  # an array whose gradient is 0 is compared at the size of the others
    gradients = {name: Gradient(computed[name], measured[name], max(largest[name], floor)) for name in measured}
    for name, gradient in gradients.items():
        for index in zip(*np.nonzero(gradient.errors > tolerance), strict=True):
            if np.isfinite(gradient.computed[index]):
                gradient.measured[index] = beside_a_corner(subject, weights, subject.arrays[name], index, gradient.computed[index])
    return gradients


def finite_max(array: np.ndarray) -> float:
    """The largest finite magnitude."""
    return float(np.max(np.abs(array), where=np.isfinite(array), initial=0.0))


def difference(subject: Subject, weights: np.ndarray, array: np.ndarray, index: tuple, before: float, behind: float) -> float:
    """The slope of the weighted sum of outputs between `before` and `behind` an entry of an array."""
    value = array[index]
    array[index] = value + behind
    high = subject.forward()
    array[index] = value - before
    low = subject.forward()
    array[index] = value
    return float(np.sum((high - low) * weights) / (before + behind))


def beside_a_corner(subject: Subject, weights: np.ndarray, array: np.ndarray, index: tuple, computed: float) -> float:
    """What is nearest to `computed` between the slopes on both sides: at a corner, as relu has one, each of them is a derivative."""
    slopes = [difference(subject, weights, array, index, *sides) for sides in ((SMALL_STEP, 0.0), (0.0, SMALL_STEP))]
    return float(np.clip(computed, min(slopes), max(slopes)))
