"""Whether a solution of a lesson is right, what is probably wrong with it, and how fast it is."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitcnn import kernels, reference
from jitcnn.gradient_check import gradcheck
from jitcnn.learn.ladder import Rung, Speed, climb, loops
from jitcnn.learn.lessons import Lesson
from jitcnn.learn.solutions import Solution

IMAGES = 3
MOST_IMAGES = 64
CLOSE = 1e-9  # relative difference of float64 results that were added up in another order
FLOAT32 = 1e-5


@dataclass(frozen=True)
class Finding:
    """What one check says."""

    ok: bool
    text: str
    hint: str | None = None


def check(lesson: Lesson, mine: Solution) -> Iterator[Finding]:
    """Compare results if a forward pass is missing, then gradients; ends with the first that is wrong.

    Raises
    ------
    jitcnn.learn.solutions.LessonError
        If a function fails.
    """
    inputs = lesson.draw(np.random.default_rng(lesson.number), IMAGES, False)
    if lesson.is_forward:
        finding = results(lesson, mine, inputs)
        yield finding
        if not finding.ok:
            return
    yield gradients(lesson, mine, inputs)


def results(lesson: Lesson, mine: Solution, inputs: tuple) -> Finding:
    """The forward pass beside the reference's."""
    try:
        found, *others = arrays_of(lesson.solve(mine, *inputs))
    except (TypeError, ValueError) as error:
        return Finding(False, f"the result is no array of numbers: {error}")
    expected = arrays_of(lesson.compute(kernels, *inputs))[0]
    if found.shape != expected.shape:
        return Finding(False, f"the result has shape {found.shape}, expected {expected.shape}")
    if near(found, expected, CLOSE):
        return Finding(True, "the result is that of the reference")
    errors = np.where(np.isfinite(found), np.abs(found - expected), np.inf)
    worst = np.unravel_index(int(errors.argmax()), errors.shape)
    where = f"y{list(map(int, worst))} is {found[worst]:.5g}, the reference has {expected[worst]:.5g}"
    right = np.count_nonzero(errors <= CLOSE * np.abs(expected).max())
    return Finding(False, f"{where}; {right} of {found.size} numbers are right", hint(lesson, inputs, [found, *others]))


def hint(lesson: Lesson, inputs: tuple, found: list[np.ndarray]) -> str | None:
    """What is wrong, if one of the results is that of a known mistake."""
    if all(map(functools.partial(near, difference=FLOAT32), found, arrays_of(lesson.compute(kernels, *inputs)))):
        return "the numbers are right to some seven digits, those of float32: make arrays of the input's type, np.zeros(shape, x.dtype)"
    for text, mistake in lesson.mistakes.items():
        if any(near(array, mistake(*inputs), CLOSE) for array in found):
            return text
    return None


def arrays_of(result: Any) -> list[np.ndarray]:
    """One or several results as arrays of numbers."""
    return [np.asarray(array, np.float64) for array in (result if isinstance(result, tuple) else (result,))]


def near(found: np.ndarray, expected: np.ndarray, difference: float) -> bool:
    """Whether all numbers agree to this share of the largest."""
    return found.shape == expected.shape and np.allclose(found, expected, rtol=0, atol=difference * np.abs(expected).max())


def gradients(lesson: Lesson, mine: Solution, inputs: tuple) -> Finding:
    """The gradient check."""
    functions, at = lesson.subject(mine, *inputs)
    try:
        result = gradcheck(functions, at)
    except (TypeError, ValueError) as error:  # a gradient that has not the shape of its array, or is no array
        return Finding(False, named(lesson, str(error)))
    if result.ok:
        return Finding(True, f"the gradients of {', '.join(lesson.arrays)} are right, with a relative error of {result.error:.0e} at most")
    gradient = result.gradients[result.name]
    computed, measured = gradient.computed[result.index], gradient.measured[result.index]
    text = f"the gradient of {result.name} at {list(result.index)} is {computed:.5g}, measured {measured:.5g}"
    if result.hint is None:
        return Finding(False, named(lesson, text), hint(lesson, inputs, arrays_of(lesson.solve(mine, *inputs))))
    return Finding(False, named(lesson, text), named(lesson, result.hint))


def named(lesson: Lesson, text: str) -> str:
    """What the gradient check says, with the arrays' names in the lesson."""
    return re.sub(r"\b(of|for) x(?:\[(\d)\])?", lambda found: f"{found[1]} {lesson.arrays[int(found[2] or 0)]}", text)


def speeds(lesson: Lesson, mine: Solution, seconds: float) -> Iterator[Speed]:
    """The solution, the reference's loops by Python and compiled, and the register tile."""
    inputs = functools.cache(lambda images: lesson.draw(np.random.default_rng(0), images, True))

    def computed_by(passes: Any, **settings: Any) -> Any:
        return lambda images: lesson.compute(passes, *inputs(images), **settings)

    is_winograd = lesson.functions == ("winograd",)
    direct = {"algorithm": "direct"} if is_winograd else {}
    rungs = [
        Rung("yours", "your file", lambda images: lesson.solve(mine, *inputs(images))),
        Rung("reference", "plain loops, by Python", computed_by(reference)),
        Rung("compiled", "the same loops, compiled, on all processors", computed_by(loops)),
        Rung("fast", "jitcnn.kernels: vectors, sums in registers", computed_by(kernels, **direct)),
    ]
    if is_winograd:
        rungs.append(Rung("winograd", "the same, with Winograd's transforms", computed_by(kernels, algorithm="winograd")))
    return climb(rungs, MOST_IMAGES, seconds)
