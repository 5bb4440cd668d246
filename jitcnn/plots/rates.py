"""The loss at growing learning rates."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jitcnn.plots.style import BLUE, RED, Sheet, colour, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 8.0, 4.0


@picture
def rates(tried: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: float) -> "Figure":
    """Draw a rate test, as `jitcnn.rate_test.RateTest` holds it.

    Parameters
    ----------
    tried
        The rate of each step.
    losses, smoothed
        Its loss, and the mean with those before.
    suggestion
        The rate to train with.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        If there is no step in it, or no matplotlib.
    """
    if not tried:
        raise ValueError("there is no step of a rate test to draw")
    about = "Left of the valley training is slow, right of it the loss rises. A tenth of the lowest loss's rate suits."
    sheet = Sheet(WIDTH, f"Rate test: train with {suggestion:g}", about)
    axes = sheet.axes(0.8, sheet.top + 0.1, WIDTH - 1.1, HEIGHT)
    axes.plot(tried, losses, color=colour("muted"), linewidth=0.8, label="loss of a step")
    axes.plot(tried, smoothed, color=BLUE, label="mean with those before")
    axes.axvline(suggestion, color=RED, linestyle="--", label=f"suggestion, {suggestion:g}")
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss", ylim=(0, 1.3 * max(smoothed[0], min(losses))))
    axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
    axes.grid(color=colour("plain"))
    axes.legend(frameon=False)
    sheet.top += 0.4
    return sheet.finish()
