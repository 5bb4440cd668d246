"""`jitcnn learn bugs`: real mistakes of from-scratch code, and what gives them away."""

from __future__ import annotations

import math
import textwrap
import warnings
from typing import TYPE_CHECKING

import click

from .output import CompilingLine, columns, wide
from .running import command

if TYPE_CHECKING:
    from jitcnn.learn.mistakes import Mistake

ALIKE = 0.1  # share of the loss by which two curves may differ and still look the same


@command("bugs", example="jitcnn learn bugs\njitcnn learn bugs pool-overwritten")
@click.argument("name", required=False, metavar="[NAME]")
def learn_bugs(name: str | None) -> None:
    """Switch on a mistake of from-scratch code.

    Without NAME, lists the mistakes. With one, shows its line beside the right one, the gradient check that fails because of it, and how a
    small network trains with and without it. Nothing stays changed.
    """
    from jitcnn.forms.geometry import choice
    from jitcnn.learn.mistakes import MISTAKES

    if name is None:
        width = max(map(len, MISTAKES))
        click.echo("\n".join(f"{mistake.name:<{width}}  {mistake.title}" for mistake in MISTAKES.values()))
        click.echo("\nOne of them in full: jitcnn learn bugs NAME")
        return
    mistake = MISTAKES[choice("name", name, MISTAKES)]
    click.echo(f"{mistake.name}: {mistake.title}\n")
    click.echo(lines(mistake))
    click.echo(f"\n{checks(mistake)}")
    click.echo(f"\n{training(mistake)}")


def lines(mistake: Mistake) -> str:
    """The right and the wrong lines, and why."""
    shown = [f"In {mistake.place}, {mistake.function.__qualname__}:"]
    for word, text in (("right", mistake.right), ("wrong", mistake.wrong)):
        first, *others = text.splitlines()
        rest = textwrap.indent(textwrap.dedent("\n".join(others)), " " * 9)
        shown += [f"  {word}  {first}", *rest.splitlines()]
    return "\n".join([*shown, "", wide(mistake.why)])


def checks(mistake: Mistake) -> str:
    """The gradient check without and with the mistake."""
    from jitcnn.learn.experiment import check

    shown = [
        wide(f"Gradient check of {mistake.layer()!r}: what the gradients promise compared with what a small change of each number does")
    ]
    for word, made in (("right", False), ("wrong", True)):
        result = check(mistake, made)
        gradient = result.gradients[result.name]
        computed, measured = gradient.computed[result.index], gradient.measured[result.index]
        verdict = "passes" if result.ok else "FAILS"
        where = f"{result.name}{list(result.index)}"
        shown.append(
            wide(f"{verdict}: relative error {result.error:.1g} in {where}, computed {computed:.5g}, measured {measured:.5g}", word)
        )
    if result.hint:
        shown.append(wide(result.hint, "hint"))
    return "\n".join(shown)


def training(mistake: Mistake) -> str:
    """Both curves."""
    from jitcnn.learn import experiment
    from jitcnn.learn.charts import curves

    with CompilingLine(enabled=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # about a loss that is no number, which the chart shows
        right, wrong = experiment.curve(None), experiment.curve(mistake)
    return "\n".join([
        wide(f"Training on {experiment.IMAGES} digits of 14 x 14, loss by epoch (o right, x wrong, * both): {experiment.NETWORK}"),
        curves({"right": right, "wrong": wrong}, columns()),
        verdict(right, wrong),
    ])  # fmt: skip


def verdict(right: list[float], wrong: list[float]) -> str:
    """What the curves say."""
    ends = f"After {len(right)} epochs the loss is {right[-1]:.2f} with the right line and {wrong[-1]:.2f} with the wrong one"
    if not math.isfinite(wrong[-1]):
        return wide(f"{ends}, no number any more: the weights grew out of bounds.")
    if abs(wrong[-1] - right[-1]) <= ALIKE * right[-1]:
        return wide(f"{ends}: it learns all the same, and only the gradient check tells.")
    return wide(f"{ends}.")
