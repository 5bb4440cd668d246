"""Schedules: how the learning rate, and sometimes the momentum, change from step to step.

A schedule is a pure function of the number of a step and of how many there are, so that a run that is resumed goes on to the bit.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jitcnn.checks import positive, real, share


@dataclass(frozen=True)
class Schedule:
    """What every schedule has.

    Attributes
    ----------
    name : str
        As `CNN.train` takes it, and as `type` in what `to_dict` gives.
    """

    name: ClassVar[str]

    def rate(self, step: int, steps: int, base: float) -> float:
        """The learning rate of a step.

        Parameters
        ----------
        step
            The step's number, from 0.
        steps
            How many there are.
        base
            The optimizer's learning rate.
        """
        raise NotImplementedError

    def momentum(self, step: int, steps: int) -> float | None:
        """The momentum, or adam's beta1, of a step; None for the optimizer's own."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """{"type": name, and the arguments}, from which `as_schedule` makes the same schedule."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values = {name: value.to_dict() if isinstance(value, Schedule) else value for name, value in fields.items()}
        return {"type": self.name, **{name: value for name, value in values.items() if value is not None}}


@dataclass(frozen=True)
class Constant(Schedule):
    """The optimizer's learning rate all the time."""

    name = "constant"

    def rate(self, step: int, steps: int, base: float) -> float:
        """The optimizer's."""
        return base


@dataclass(frozen=True)
class StepDecay(Schedule):
    """The rate is multiplied by `factor` again and again, after equal parts of the training.

    Parameters
    ----------
    factor : float
        From 0 up to, not including, 1.
    drops : int
        How many times: 2 for rates of 1, 0.1 and 0.01 of the optimizer's in the three thirds of the training.
    """

    name = "step"
    factor: float = 0.1
    drops: int = 2

    def __post_init__(self) -> None:
        share("factor", self.factor)
        if isinstance(self.drops, bool) or not isinstance(self.drops, int) or self.drops < 1:
            raise ValueError(f"drops is {self.drops!r}, expected a whole number of at least 1")

    def rate(self, step: int, steps: int, base: float) -> float:
        """base * factor**k in part k, counted from 0."""
        return base * self.factor ** (min(step, steps - 1) * (self.drops + 1) // steps)


@dataclass(frozen=True)
class Linear(Schedule):
    """The rate falls by the same amount each step, so that it would be `final` times the optimizer's after the last one.

    Small steps at the end settle what the large ones before leave to chance: on the default network they halve the errors by which runs
    with different seeds differ.

    Parameters
    ----------
    final : float
        From 0 up to, not including, 1.
    """

    name = "linear"
    final: float = 0.0

    def __post_init__(self) -> None:
        share("final", self.final)

    def rate(self, step: int, steps: int, base: float) -> float:
        """From `base` to final * base."""
        return base * between(1.0, self.final, min(step / steps, 1.0))


@dataclass(frozen=True)
class Cosine(Schedule):
    """The rate falls along half a wave of a cosine (Loshchilov and Hutter, 2017, without restarts), which would end after the last step.

    Parameters
    ----------
    final : float
        Where it ends, as a share of the optimizer's; from 0 up to, not including, 1.
    """

    name = "cosine"
    final: float = 0.0

    def __post_init__(self) -> None:
        share("final", self.final)

    def rate(self, step: int, steps: int, base: float) -> float:
        """From `base` to final * base."""
        return base * along_cosine(1.0, self.final, min(step / steps, 1.0))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """The rate rises to its largest and falls far below where it began, both along a cosine (Smith and Topin, 2018).

    The numbers are those of PyTorch's `OneCycleLR` with `three_phase=False` and `anneal_strategy="cos"`.

    Parameters
    ----------
    max_rate : float, optional
        The largest rate; the optimizer's learning rate if missing.
    pct_start : float
        The share of the steps in which the rate rises, between 0 and 1.
    div_factor : float
        The first rate is max_rate / div_factor.
    final_div_factor : float
        The last rate is the first one / final_div_factor.
    base_momentum, max_momentum : float, optional
        Momentum, or adam's beta1, falls from the larger to the smaller while the rate rises, and comes back. Missing: it stays as it is.

    Examples
    --------
    >>> schedule = OneCycle(max_rate=0.02)
    >>> [round(schedule.rate(step, 10, 0.01), 6) for step in range(10)]
    [0.0008, 0.0104, 0.02, 0.01901, 0.016235, 0.012225, 0.007775, 0.003765, 0.00099, 0.0]
    """

    name = "one-cycle"
    max_rate: float | None = None
    pct_start: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    base_momentum: float | None = None
    max_momentum: float | None = None

    def __post_init__(self) -> None:
        if self.max_rate is not None:
            positive("max_rate", self.max_rate)
        if not 0 < real("pct_start", self.pct_start) < 1:
            raise ValueError(f"pct_start is {self.pct_start!r}, expected a number between 0 and 1")
        positive("div_factor", self.div_factor)
        positive("final_div_factor", self.final_div_factor)
        if (self.base_momentum is None) != (self.max_momentum is None):
            raise ValueError("one of base_momentum and max_momentum is missing: give both, or neither")
        if self.base_momentum is not None and share("base_momentum", self.base_momentum) > share("max_momentum", self.max_momentum):
            raise ValueError(f"base_momentum is {self.base_momentum}, expected at most max_momentum, {self.max_momentum}")

    def rate(self, step: int, steps: int, base: float) -> float:
        """Up to `max_rate`, and down."""
        largest = base if self.max_rate is None else self.max_rate
        first = largest / self.div_factor
        return self._along(step, steps, first, largest, first / self.final_div_factor)

    def momentum(self, step: int, steps: int) -> float | None:
        """Down to `base_momentum`, and up."""
        if self.base_momentum is None or self.max_momentum is None:
            return None
        return self._along(step, steps, self.max_momentum, self.base_momentum, self.max_momentum)

    def _along(self, step: int, steps: int, first: float, middle: float, last: float) -> float:
        turn, end = self.pct_start * steps - 1, steps - 1
        step = min(step, end)
        if step <= turn:
            return along_cosine(first, middle, step / turn if turn else 1.0)
        return along_cosine(middle, last, (step - turn) / (end - turn))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """The rate rises from near 0 in equal amounts, then follows another schedule over the steps that are left.

    Parameters
    ----------
    schedule : Schedule, str or dict
        The other one, as `as_schedule` takes it.
    share : float
        The share of the steps in which it rises, between 0 and 1.
    """

    name = "warm-up"
    schedule: Any = dataclasses.field(default_factory=Constant)
    share: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedule", as_schedule(self.schedule))
        if not 0 < real("share", self.share) < 1:
            raise ValueError(f"share is {self.share!r}, expected a number between 0 and 1")

    def rate(self, step: int, steps: int, base: float) -> float:
        """A rising share of the other schedule's first rate, then that schedule's."""
        rising = self._rising(steps)
        if step < rising:
            return self.schedule.rate(0, steps - rising, base) * (step + 1) / (rising + 1)
        return self.schedule.rate(step - rising, steps - rising, base)

    def momentum(self, step: int, steps: int) -> float | None:
        """The other schedule's."""
        rising = self._rising(steps)
        return self.schedule.momentum(max(0, step - rising), steps - rising)

    def _rising(self, steps: int) -> int:
        return min(round(self.share * steps), steps - 1)


def between(first: float, last: float, share: float) -> float:
    """A number on the line from `first` (share 0) to `last` (share 1)."""
    return first + (last - first) * share


def along_cosine(first: float, last: float, share: float) -> float:
    """A number on half a wave of a cosine from `first` (share 0) to `last` (share 1)."""
    return last + (first - last) / 2.0 * (math.cos(math.pi * share) + 1)


SCHEDULES: dict[str, type[Schedule]] = {schedule.name: schedule for schedule in (Constant, StepDecay, Linear, Cosine, OneCycle, WarmUp)}


def as_schedule(schedule: Any) -> Schedule:
    """A schedule from what users give: None for a constant rate, a name, a dict such as {"type": "one-cycle"}, or as it is.

    Raises
    ------
    ValueError
        If the name or an argument is unknown, or a value is out of range.
    """
    if schedule is None:
        return Constant()
    if isinstance(schedule, Schedule):
        return schedule
    settings = dict(schedule) if isinstance(schedule, Mapping) else {"type": schedule}
    name = settings.pop("type", None)
    if not isinstance(name, str) or name not in SCHEDULES:
        raise ValueError(f"schedule is {name!r}, expected one of {', '.join(map(repr, SCHEDULES))}, or an object such as OneCycle()")
    known = [field.name for field in dataclasses.fields(SCHEDULES[name])]
    for key in settings:
        if key not in known:
            expected = f"expected some of {', '.join(map(repr, known))}" if known else "and takes none"
            raise ValueError(f"schedule {name!r} has the setting {key!r}, {expected}")
    return SCHEDULES[name](**settings)


def as_span(span: Any, epochs: range) -> range:
    """The epochs (first, behind last) that a schedule runs over, those trained now if None.

    Raises
    ------
    ValueError
        If `epochs`, those trained now, are not all among them.
    """
    if span is None:
        return epochs
    if not isinstance(span, tuple | list) or len(span) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) for n in span):
        raise ValueError(f"schedule_epochs is {span!r}, expected the first epoch and the one behind the last, such as (0, 10)")
    if not (0 <= span[0] <= epochs.start and epochs.stop <= span[1]):
        raise ValueError(f"schedule_epochs is {tuple(span)}, expected to hold {epochs.start} to {epochs.stop}, which are trained now")
    return range(*span)
