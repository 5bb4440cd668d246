"""How long a call takes, and what several measurements say together."""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

PAUSE = 0.05  # seconds between two programs: time for the threads of the first to fall asleep


def seconds_a_call(call: Callable[[], Any], seconds: float) -> float:
    """Mean duration of one call, over as many calls as `seconds` hold (at least one), after one that is not counted."""
    call()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds or not count:
        call()
        count += 1
    return passed / count


def alternate(measure: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure each in turn, `rounds` times: name -> its measurements."""
    values: dict[str, list[float]] = {name: [] for name in measure}
    for _ in range(rounds):
        for name, function in measure.items():
            time.sleep(PAUSE)
            values[name].append(function())
    return values


def compare(values: Mapping[str, Sequence[float]], ours: str) -> dict[str, Any]:
    """Medians, the best peer, and our median over its median (and the smallest and largest ratio of a round); more is better."""
    medians = {name: median(series) for name, series in values.items()}
    peers = [name for name in medians if name != ours]
    result: dict[str, Any] = {"medians": medians, "measurements": {name: list(series) for name, series in values.items()}}
    if peers:
        best = max(peers, key=medians.__getitem__)
        rounds = [a / b for a, b in zip(values[ours], values[best], strict=True)]
        result |= {"best_peer": best, "ratio": medians[ours] / medians[best], "ratio_least": min(rounds), "ratio_most": max(rounds)}
    return result


def geometric_mean(values: Iterable[float]) -> float:
    """The n-th root of the product: the right mean for ratios."""
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))
