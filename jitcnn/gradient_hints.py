"""Known ways in which a gradient is wrong, recognised by what the wrong numbers look like."""

from collections.abc import Callable, Mapping

import numpy as np

from jitcnn.gradient_subjects import Subject

CLOSE = 1e-4  # relative difference up to which a pattern explains the numbers
MOST = 32  # entries that are looked at where each takes forward passes
STEP = 1e-5  # of central differences

Compared = Mapping[str, tuple[np.ndarray, np.ndarray]]  # name -> (computed, measured, NaN where not measured)

DERIVATIVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of activations, from their outputs
    "relu": lambda y: (y > 0).astype(np.float64),
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}


def find_hint(subject: Subject, weights: np.ndarray, compared: Compared, tolerance: float) -> str | None:
    """What is probably wrong, or None.

    Parameters
    ----------
    subject
        What was checked.
    weights
        What outputs were multiplied with.
    compared
        All gradients.
    tolerance
        Relative error up to which a gradient is right.
    """
    wrong = {name: pair for name, pair in compared.items() if not explains(*pair, tolerance)}
    patterns = (
        never_written,
        wrong_factor,
        kernel_not_flipped,
        relu_as_its_derivative,
        activation_after,
        windows_overwritten,
        last_image_only,
    )
    for pattern in patterns:
        for name, (computed, measured) in wrong.items():
            hint = pattern(subject, weights, name, computed, measured)
            if hint:
                return hint
    return None


def explains(candidate: np.ndarray, measured: np.ndarray, tolerance: float = CLOSE) -> bool:
    """Whether these are the measured numbers."""
    known = ~np.isnan(measured)
    if candidate.shape != measured.shape or not np.isfinite(candidate[known]).all():
        return False
    scale = max(np.max(np.abs(measured[known]), initial=0.0), 1e-8)
    return bool(np.max(np.abs(candidate[known] - measured[known]), initial=0.0) <= tolerance * scale)


def never_written(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """The buffer still holds the NaN it was filled with."""
    if np.isnan(computed).all():
        return f"the gradient of {name} is never written: its buffer is not cleared before backward"
    return None


def wrong_factor(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """All entries are off by the same factor."""
    known = ~np.isnan(measured)
    found, right = computed[known], measured[known]
    if not np.isfinite(found).all() or not right.any():
        return None
    factor = float(np.dot(found, right) / np.dot(right, right))
    if not explains(computed, factor * measured) and abs(factor) > CLOSE:
        return None
    batch = subject.batch
    if abs(factor) <= CLOSE:
        return f"the gradient of {name} is all zeros" if not found.any() else None
    if np.count_nonzero(np.abs(right) > CLOSE * np.abs(right).max()) < 2:
        return None
    if batch > 1 and np.isclose(factor, batch, rtol=CLOSE):
        return f"the gradient of {name} is {batch} times too large, off by the batch size: it is multiplied with it, or not divided by it"
    if batch > 1 and np.isclose(factor * batch, 1, rtol=CLOSE):
        return f"the gradient of {name} is {batch} times too small, off by the batch size: it is divided by it once too often"
    if np.isclose(factor, -1, rtol=CLOSE):
        return f"the gradient of {name} has the wrong sign"
    return f"the gradient of {name} is {factor:.4g} times what it should be, everywhere"


def kernel_not_flipped(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """The gradient of a convolution's input needs the kernel rotated by 180 degrees; that of the kernel must not be."""
    if computed.ndim == 4 and explains(computed[::-1, ::-1], measured):
        return f"the gradient of {name} is rotated by 180 degrees: the kernel is flipped where it should not be"
    hint = f"the gradient of {name} is computed with the kernel not flipped: rotate it by 180 degrees, w[::-1, ::-1]"
    kernels = [array for other, array in subject.arrays.items() if array.ndim == 4 and other not in (name, "x")]
    if any(right_with_kernel_turned(subject, weights, name, kernel, measured) for kernel in kernels):
        return hint
    if computed.ndim == 4 and weights.ndim == 4:
        # The kernel is out of sight: turning both gradients instead comes to the same at stride 1 with even padding.
        turned = subject.backward(np.ascontiguousarray(weights[:, ::-1, ::-1]))[name][:, ::-1, ::-1]
        if explains(turned, measured):
            return hint
    return None


def right_with_kernel_turned(subject: Subject, weights: np.ndarray, name: str, kernel: np.ndarray, measured: np.ndarray) -> bool:
    """Whether the same backward pass is right once the kernel itself is turned.

    An activation's derivative changes with the kernel. Of smooth ones that is divided out; for relu, only outputs count that are
    alive with both kernels.
    """
    y = subject.forward()
    kept = kernel.copy()
    kernel[...] = kept[::-1, ::-1]
    y_turned = subject.forward()
    alive = weights * ((y > 0) & (y_turned > 0))
    plain = subject.backward(weights)[name]
    by_alive = subject.backward(alive)[name]
    smooth = []
    for activation in ("sigmoid", "tanh"):
        slopes = DERIVATIVES[activation](y), DERIVATIVES[activation](y_turned)
        if min(slopes[0].min(), slopes[1].min()) > 0:
            smooth.append(subject.backward(weights * slopes[0] / slopes[1])[name])
    kernel[...] = kept
    if any(explains(candidate, measured) for candidate in (plain, *smooth)):
        return True
    measured_alive = differences(subject, alive, subject.arrays[name])
    return explains(by_alive, measured_alive) and not explains(subject.backward(alive)[name], measured_alive)


def activation_after(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """With the activation's derivative multiplied into the incoming gradient, the same backward pass is right."""
    y = subject.forward()
    for activation, derivative in DERIVATIVES.items():
        before = subject.backward(derivative(y) * weights)[name]
        if explains(before, measured) and not explains(computed, measured):
            return (
                f"{activation}'s derivative is missing from the gradient of {name}, or applied after instead of before: "
                f"multiply it into grad_y before anything else is computed from grad_y"
            )
        x = subject.arrays[name]
        for at in (y, x):
            if at.shape == measured.shape and explains(before, measured * derivative(at)) and not explains(before, np.zeros_like(measured)):
                return (
                    f"{activation}'s derivative is applied after instead of before in the gradient of {name}: "
                    f"multiply it into grad_y before anything else is computed from grad_y"
                )
    return None


def relu_as_its_derivative(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """With the output divided out of the incoming gradient where it is positive, the same backward pass is right."""
    y = subject.forward()
    divided = np.divide(weights, y, out=np.zeros_like(weights), where=y > 0)
    if y.min() < 0 or not explains(subject.backward(divided)[name], measured):
        return None
    return f"relu's derivative is taken to be its output in the gradient of {name}: it is 1 where the output is above 0, and 0 elsewhere"


def last_image_only(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """The gradient is that of the last image's outputs alone."""
    if name == "x" or subject.batch < 2 or len(weights) != subject.batch:
        return None
    last = np.zeros_like(weights)
    last[-1] = weights[-1]
    if not explains(computed, differences(subject, last, subject.arrays[name])):
        return None
    return f"the gradient of {name} comes from the last image of the batch only: add up over all of them, += instead of ="


def windows_overwritten(subject: Subject, weights: np.ndarray, name: str, computed: np.ndarray, measured: np.ndarray) -> str | None:
    """Where several windows overlap, the gradient holds what one of them gives instead of their sum."""
    if weights.ndim != 4 or computed.ndim != 4 or not np.isfinite(computed).all():
        return None
    scale = np.nanmax(np.abs(measured))
    wrong = list(zip(*np.nonzero(np.abs(computed - measured) > CLOSE * scale), strict=True))[:MOST]
    array = subject.arrays[name]
    several = False
    for index in wrong:
        by_window = (slope(subject, array, index) * weights).sum(axis=-1)  # one output pixel, one window
        given = by_window[np.abs(by_window) > CLOSE * scale]
        if not np.isclose(np.append(given, 0.0), computed[index], rtol=CLOSE, atol=CLOSE * scale).any():
            return None
        several = several or len(given) > 1
    if not several:
        return None
    return f"overlapping windows overwrite each other in the gradient of {name}: add to what is there, +=, after setting all to 0"


def slope(subject: Subject, array: np.ndarray, index: tuple) -> np.ndarray:
    """The derivative of every output with respect to one entry of an array."""
    value = array[index]
    array[index] = value + STEP
    high = subject.forward()
    array[index] = value - STEP
    low = subject.forward()
    array[index] = value
    return (high - low) / (2 * STEP)


def differences(subject: Subject, weights: np.ndarray, array: np.ndarray) -> np.ndarray:
    """Central differences at the first entries of an array, NaN elsewhere."""
    measured = np.full(array.shape, np.nan)
    for index in list(np.ndindex(array.shape))[: 4 * MOST]:
        measured[index] = np.sum(slope(subject, array, index) * weights)
    return measured
