"""`jitcnn train --find-lr` and `--lr auto`: the rate test, and what is made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from jitcnn.plots.style import check_suffix
from jitcnn.rate_test import RateTest, rate_test

from .output import note, print_json
from .train_config import Order
from .train_measure import parts_of
from .train_plan import Plan, make_plan

PICTURE = "find-lr.png"
AUTO = "auto"


def found_rate(order: Order) -> tuple[Order, float | None]:
    """With `--lr auto`, what is to be done at the rate that a test finds, and the rate; without, as it is."""
    if order.settings.lr != AUTO:
        return order, None
    rate = test(make_plan(replace(order, settings=replace(order.settings, lr=None)))).suggestion
    if order.output.shows:
        note(f"learning rate {rate:g}, found by a rate test")
    return replace(order, settings=replace(order.settings, lr=rate)), rate


def find_rate(order: Order) -> None:
    """Test rates, say which suits, draw a picture, and train nothing."""
    output = order.output
    check_suffix(output.out or PICTURE)
    plan = make_plan(replace(order, settings=replace(order.settings, lr=None)))
    found = test(plan)
    path, why = draw(found, output.out or PICTURE)
    own = plan.model.optimizer.learning_rate if plan.model.optimizer else None
    result = {"suggestion": found.suggestion, "own": own, "rates": found.rates, "losses": found.losses, "picture": path}
    if output.as_json:
        print_json(result)
        return
    lowest = found.smoothed.index(min(found.smoothed))
    if not output.quiet:
        steps = f"{len(found.rates)} steps from {found.rates[0]:g} to {found.rates[-1]:.2g}"
        click.echo(f"{steps}: the loss is lowest, {found.smoothed[lowest]:.4f}, at {found.rates[lowest]:.2g}")
        click.echo(f"picture {path}" if path else f"no picture: {why}")
    click.echo(f"suggestion: --lr {found.suggestion:g}")


def test(plan: Plan) -> RateTest:
    """Test rates on the images that the run trains on, in its batches."""
    x, y = parts_of(plan, train=True)["train"]
    return rate_test(plan.model, x, y, batch_size=plan.settings.batch_size or 1, augment=plan.augment)


def draw(found: RateTest, path: str) -> tuple[str | None, str]:
    """Write the picture: its path, or None and why there is none, where the extra for pictures is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return None, "it needs matplotlib: pip install 'jitcnn[plots]'"
    from jitcnn import plots

    plots.save(plots.rates(found.rates, found.losses, found.smoothed, found.suggestion), path)
    return path, ""


def rate_of(found: float | None, order: Order) -> dict[str, Any]:
    """The rate that was found, for the run's settings; also of a run that goes on."""
    earlier = order.run.config.get("result", {}) if order.run else {}
    rate = earlier.get("rate-found") if found is None else found
    return {} if rate is None else {"rate-found": rate}
