"""How long a call takes, and what several measurements say together."""

import math
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any, TypeVar

Name = TypeVar("Name", bound=Hashable)
PAUSE = 0.1  # seconds between two programs: time for the threads of the first to fall asleep, of which some look for work meanwhile


def seconds_a_call(call: Callable[[], Any], seconds: float) -> float:
    """Mean duration of one call, over as many calls as `seconds` hold (at least one), after one that is not counted."""
    call()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds or not count:
        call()
        count += 1
    return passed / count


def alternate(measure: Mapping[Name, Callable[[], float]], rounds: int) -> dict[Name, list[float]]:
    """Measure each in turn, `rounds` times: name -> its measurements."""
    values: dict[Name, list[float]] = {name: [] for name in measure}
    for _ in range(rounds):
        for name, function in measure.items():
            time.sleep(PAUSE)
            values[name].append(function())
    return values


def compare(values: Mapping[str, Sequence[float]], ours: str, most: bool = True) -> dict[str, Any]:
    """Medians, the best peer, and how many times better ours is, of the medians (and at least and at most in a round).

    `most` says whether more is better, as of speeds; otherwise less is, as of seconds and bytes.
    """
    medians = {name: median(series) for name, series in values.items()}
    peers = [name for name in medians if name != ours]
    result: dict[str, Any] = {"medians": medians, "measurements": {name: list(series) for name, series in values.items()}}
    if peers:
        best = (max if most else min)(peers, key=medians.__getitem__)
        better = [(a / b) if most else (b / a) for a, b in zip(values[ours], values[best], strict=True)]
        ratio = medians[ours] / medians[best] if most else medians[best] / medians[ours]
        result |= {"best_peer": best, "ratio": ratio, "ratio_least": min(better), "ratio_most": max(better)}
    return result


def geometric_mean(values: Iterable[float]) -> float:
    """The n-th root of the product: the right mean for ratios."""
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))
