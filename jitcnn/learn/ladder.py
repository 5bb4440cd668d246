"""Ways to compute the same, each timed on as many images as its speed allows."""

import math
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from jitcnn.forms import bind_all
from jitcnn.forms.prepared import check, without_hints
from jitcnn.kernels.threads import lock
from jitcnn.learn.charts import bar, logarithmic
from jitcnn.reference.compiled import compiled

WIDEST = 60  # cells of a bar


@dataclass(frozen=True)
class Rung:
    """One way.

    Attributes
    ----------
    name
        What it is called.
    change
        What is different from the way before, in words.
    run
        `run(images)` computes for so many images.
    """

    name: str
    change: str
    run: Callable[[int], Any]


@dataclass(frozen=True)
class Speed:
    """How fast a rung is, and on how many images at a time that was measured."""

    rung: Rung
    images_per_second: float
    images: int


def climb(rungs: Iterable[Rung], most: int, seconds: float, warm: bool = False) -> Iterator[Speed]:
    """Time one rung after the other, as `images_per_second` does."""
    for rung in rungs:
        yield Speed(rung, *images_per_second(rung.run, most, seconds, warm))


def images_per_second(run: Callable[[int], Any], most: int, seconds: float, warm: bool = False) -> tuple[float, int]:
    """Images a second, and how many images a call was given.

    Parameters
    ----------
    run
        `run(images)` computes for so many images.
    most
        The most images that it can be given.
    seconds
        How long to measure. A call is given four times as many images as long as it takes less than an eighth of that.
    warm
        Whether it has been run before; otherwise its first call, which may compile, does not count.
    """
    if not warm:
        run(1)
    images, fastest = 1, timed(run, 1)
    while images < most and fastest < seconds / 8:
        images = min(4 * images, most)
        run(images)
        fastest = timed(run, images)
    end = time.perf_counter() + seconds
    while time.perf_counter() + fastest < end:
        fastest = min(fastest, timed(run, images))
    return images / fastest, images


def timed(run: Callable[[int], Any], images: int) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    run(images)
    return time.perf_counter() - start


def passes_by(loop: Callable[[str], Callable[..., None]]) -> SimpleNamespace:
    """Functions of the names and signatures of `jitcnn.kernels`, run by loops of the reference as `loop(name)` gives them."""

    def call(name: str, *arguments: Any) -> None:
        check(name, *arguments)
        with lock:
            loop(name)(*without_hints(name, arguments))

    return SimpleNamespace(**bind_all(call, __name__))


#: The reference's loops, compiled and on all threads.
loops = passes_by(compiled)


def chart(speeds: Sequence[Speed], width: int) -> str:
    """For each way its speed, what it gained, a bar on a logarithmic scale, and what changed; lines are up to `width` long."""
    lengths = logarithmic([speed.images_per_second for speed in speeds], min(width - 2, WIDEST))
    lines = []
    for number, (speed, length) in enumerate(zip(speeds, lengths, strict=True)):
        rate = speed.images_per_second
        gains = ""
        if number:
            before, first = speeds[number - 1], speeds[0]
            gains = f"  {times(rate / before.images_per_second)} the line before"
            if number > 1:
                gains += f", {times(rate / first.images_per_second)} {first.rung.name}"
        lines.append(f"{speed.rung.name:<10}{rounded(rate):>9} images/s{gains}")
        lines.append(f"  {bar(length)}")
        images = "1 image" if speed.images == 1 else f"{speed.images} images"
        lines.append(textwrap.fill(f"{speed.rung.change} (timed on {images})", width, initial_indent="  ", subsequent_indent="  "))
    return "\n".join([*lines, "Bars: logarithmic scale, a factor of ten is always the same length"])


def times(factor: float) -> str:
    """A factor in words: "12.3 x"."""
    return f"{rounded(factor)} x"


def rounded(value: float) -> str:
    """Three digits: 0.123, 12.3, 12,300.

    >>> rounded(0.1234), rounded(12.34), rounded(12345.6)
    ('0.123', '12.3', '12,300')
    """
    digits = 2 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(0, digits)}f}"
