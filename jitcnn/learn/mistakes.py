"""Mistakes that from-scratch networks are known for: in each, lines of the reference or of a layer stand as many people wrote them.

Some are those of the text that jitcnn grew from: relu's derivative, the sum over images, dropout's factor.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numba

from jitcnn.engine import eager
from jitcnn.layers import Conv2d, Dropout, Pool2d
from jitcnn.layers.base import Layer
from jitcnn.learn.source import place, with_lines
from jitcnn.reference.prepared import PREPARED


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes
    ----------
    name
        As `jitcnn learn bugs` takes it.
    title
        One line for people.
    function
        Where the lines stand: a loop of the reference, or a method of a layer.
    right, wrong
        The lines, without the indentation of the first.
    why
        How one comes to write it, and what it does.
    layer
        Makes a layer in which the gradient check finds it.
    """

    name: str
    title: str
    function: Callable[..., Any]
    right: str
    wrong: str
    why: str
    layer: Callable[[], Layer]

    @property
    def place(self) -> str:
        """File and line of what is right."""
        return place(self.function, self.right)


MISTAKES: dict[str, Mistake] = {
    mistake.name: mistake
    for mistake in (
        Mistake(
            "relu-derivative",
            "relu's derivative taken to be relu's output",
            PREPARED["relu_grad"],
            "flat_grad_x[i] = flat_grad_y[i]",
            "flat_grad_x[i] = flat_grad_y[i] * flat_y[i]",
            "The slope of max(x, 0) is 1 for every positive x, however large: relu passes a change on as it is. Whoever writes the "
            "derivative as max(x, 0) again has it grow with x: strong outputs get too much of the blame, weak ones hardly any.",
            lambda: Conv2d(3, activation="relu"),
        ),
        Mistake(
            "activation-after",
            "an activation's derivative applied too late on the way back",
            Layer.forward,
            "step.call(apply_grad, grad_y, z, grad_y)\n        return transform_backward(grad_y)",
            "grad_x = transform_backward(grad_y)\n"
            "if grad_x is not None:\n"
            "    step.call(apply_grad, grad_x, x, grad_x)\n"
            "return grad_x",
            "Forward, the weights come first and relu last. Backward goes through the same steps in reverse: first relu's "
            "derivative, then the weights. The other way round, weights whose output relu had cut to 0 are changed although they "
            "had no say in the result.",
            lambda: Conv2d(3, activation="relu"),
        ),
        Mistake(
            "dropout-scale",
            "dropout's gradient multiplied where it should be divided",
            PREPARED["dropout"],
            "scale = 1.0 / (1.0 - threshold / 4294967296.0)",
            "scale = 1.0 - threshold / 4294967296.0",
            "What survives dropout is divided by the share that survives, 1 - rate, so that sums stay what they were on average; "
            "its gradient is divided by the same number. Here only the backward pass multiplies: everything below learns with a "
            "gradient (1 - rate)^2 times too small. Made in both passes, the mistake would escape this check, which only asks "
            "whether the gradient fits the forward pass: then compare the mean of many outputs with the input.",
            lambda: Dropout(0.5),
        ),
        Mistake(
            "pool-overwritten",
            "a pool's gradient written with = where windows overlap",
            PREPARED["pool2d_grad_input"],
            "grad_x[n, row, column, c] += grad_y[n, i, j, c]",
            "grad_x[n, row, column, c] = grad_y[n, i, j, c]",
            "A pixel that wins in two overlapping windows has two ways to change the loss, and their gradients add up. With = the "
            "last window forgets what the earlier ones gave. Windows of 2 x 2 with stride 2 never overlap, which is why this "
            "mistake hides for so long.",
            lambda: Pool2d(3, stride=2),
        ),
        Mistake(
            "bias-last-image",
            "the bias's gradient from the last image of the batch only",
            PREPARED["bias_grad"],
            "for row in range(rows.shape[0]):",
            "for row in range(grad_y[:-1].size // outputs, rows.shape[0]):",
            "The loss is a mean over the batch, and a bias is added in every image, so its gradient is a sum over all of them. Code"
            " that goes through the images one by one and writes delta_bias = … instead of delta_bias += … keeps the last one's.",
            lambda: Conv2d(3),
        ),
        Mistake(
            "kernel-not-flipped",
            "a convolution's input gradient with the kernel not flipped",
            PREPARED["conv2d_grad_input"],
            "total += grad_y[n, i, j, o] * w[u, v, c, o]",
            "total += grad_y[n, i, j, o] * w[kernel_h - 1 - u, kernel_w - 1 - v, c, o]",
            "A pixel under the window's top left corner was multiplied with the top left weight, so that weight leads its gradient "
            "back; these loops do so because they go over the same pairs as the forward pass. Written as a convolution of grad_y, "
            "as most people write it, that means a kernel turned by 180 degrees, w[::-1, ::-1]. Without the turn, every pixel hears"
            " from the opposite weight: the same as the wrong line here.",
            lambda: Conv2d(3),
        ),
    )
}  # fmt: skip


@contextmanager
def switched_on(mistake: Mistake) -> Iterator[None]:
    """The engines "python" and "loops" make this mistake meanwhile; afterwards everything is as it was."""
    wrong = with_lines(mistake.function, mistake.right, mistake.wrong)
    name = mistake.function.__name__
    if mistake.function is Layer.forward:
        with replaced(Layer, "forward", wrong):
            yield
    elif name == "dropout":  # forward and backward are the same loop: the mistake is in the backward call alone
        line = "step.call(kernels.dropout, grad_y, grad_y, self.threshold, self.key, step.step_number)"
        changed = line.replace("kernels.dropout", "dropout_scaled_wrongly")
        names = {"dropout_scaled_wrongly": numba.njit(error_model="numpy")(wrong)}
        with replaced(Dropout, "forward", with_lines(Dropout.forward, line, changed, names)):
            yield
    else:
        compiled, wrong_compiled = eager.compiled, numba.njit(error_model="numpy")(wrong)
        with (
            replaced(eager, "PREPARED", {**PREPARED, name: wrong}),
            replaced(eager, "compiled", lambda kernel: wrong_compiled if kernel == name else compiled(kernel)),
        ):
            yield


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute of a module or class has another value meanwhile."""
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)
