"""`jitcnn replay`: one step of a run once more, and what it did."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from . import options
from .output import CompilingLine, decimals, percent, print_json, table
from .running import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from jitcnn.replay import Replay, Weight

    from .train_plan import Plan


@command(
    "replay",
    example="jitcnn replay runs/digits --step 12 --why conv1[0,0,0,3]\njitcnn replay runs/digits --step 12 --out batch.png",
)
@click.argument("run")
@click.option("--step", type=options.AT_LEAST_ONE, required=True, metavar="N", help="Which step of the run, from 1.")
@click.option(
    "--why",
    metavar="WEIGHT",
    help="Why this weight changed: PARAMETER[INDEX], such as conv1/weights[0,0,0,3] or conv1/bias[3]; conv1[0,0,0,3] means its weights.",
)
@click.option("--top", type=options.AT_LEAST_ONE, default=8, show_default=True, metavar="N", help="How many images the table names.")
@click.option("--out", type=options.NewFile(), metavar="FILE", help="The batch as a picture, .png or .svg; or all arrays, .npz.")
@options.threads_option
@options.json_option
def replay(run: str, step: int, why: str | None, top: int, out: str | None, threads: int | None, as_json: bool) -> None:
    r"""Do one step of a run once more, and say why the loss and a weight changed.

    RUN is the folder of a run of train. Training gives the same bits each time: so its batch, the dropout masks, each image's loss and
    part in the gradient, and the update are what they were. It is done again from the run's checkpoint, or from the start; nothing in
    the folder changes. Other data, or a processor with other features, are refused.

    Images are numbered as by jitcnn plot --on train. A convolution's weights are [row,column,channel,filter], a dense layer's
    [input,unit], all from 0.
    """
    options.allow_threads(threads)
    from .run_again import plan_again, run_of

    if out is not None and not out.lower().endswith(".npz"):
        from jitcnn.plots.style import check_ready

        check_ready(out)
    source = run_of(run)
    plan = plan_again(source, threads)
    last = source.config.get("result", {}).get("steps")
    if isinstance(last, int) and step > last:
        raise click.BadParameter(f"{run} had {last:,} steps.", param_hint="'--step'")
    with CompilingLine(enabled=not as_json):
        found = do_again(plan, source, step, why)
    names = plan.dataset.classes
    if out is not None:
        write(found, names, out)
    if as_json:
        print_json({"run": run, **as_dict(found, names), **({} if out is None else {"out": out})})
    else:
        click.echo(report(found, names, top))
        if out is not None:
            click.echo(f"\n{out}")


def do_again(plan: Plan, source: Any, step: int, why: str | None) -> Replay:
    """The step, its images numbered as those that were trained on are."""
    from jitcnn.progress import shows_bars
    from jitcnn.replay import replay

    from .run_again import SameHistory

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what is wrong with the settings was said when the run was trained
        found = replay(
            plan.model,
            plan.dataset.x,
            plan.dataset.y,
            step=step,
            why=why,
            checkpoint=source.path,
            **plan.arguments,
            callbacks=[SameHistory(source)],
            progress=shows_bars(),
        )
    return replace(found, images=trained_on(plan, found.images))


def trained_on(plan: Plan, numbers: np.ndarray) -> np.ndarray:
    """Numbers of the data's images, of which some may be set apart to validate on, as numbers among those trained on: `--on train`."""
    if not isinstance(plan.validation, float):
        return numbers
    from jitcnn.data.splits import kept_and_held_out

    _, held_out = kept_and_held_out(plan.dataset.y, {"validation": plan.validation}, plan.model.seed)
    assert held_out is not None
    return numbers - held_out.searchsorted(numbers)


def write(found: Replay, names: Sequence[str], out: str) -> None:
    """Write the picture, or all arrays."""
    if out.lower().endswith(".npz"):
        import numpy as np

        with open(out, "wb") as stream:
            np.savez(stream, allow_pickle=False, **found.arrays())
    else:
        from jitcnn import plots

        plots.save(plots.replay(found, names), out)


def report(found: Replay, names: Sequence[str], top: int) -> str:
    """What it says, for people."""
    optimizer = dict(found.optimizer)
    name, rate = optimizer.pop("name"), optimizer.pop("learning_rate")
    before = f"; {len(found.recent)} images before it in the epoch: {decimals(found.recent.mean())}" if len(found.recent) else ""
    lines = [
        f"step {found.step:,}, epoch {found.epoch}: loss {decimals(found.loss)} of {len(found.images)} images{before}",
        f"{name}, learning_rate {rate:.6g}" + "".join(f", {key} {value:.6g}" for key, value in optimizer.items()),
        *(f"{layer} kept {percent(float(mask.mean()))}" for layer, mask in found.masks.items()),
    ]
    if found.clipping < 1:
        lines.append(f"clip_norm made the gradient {found.clipping:.4g} times as long")
    lines += ["", worst(found, names, top)]
    if found.weight is not None:
        lines += ["", *about(found.weight)]
    return "\n".join(lines)


def worst(found: Replay, names: Sequence[str], top: int) -> str:
    """The images of the largest losses, and what they do to the gradient."""
    weight = found.weight
    rows = [["image", "label", "said", "loss", "its gradient's length", *([] if weight is None else [f"d loss / d {weight.name}"])]]
    for place in found.worst[:top]:
        label, said = (name_of(numbers, place, names) for numbers in (found.labels, found.predictions))
        cells = [str(found.images[place]), label, said, decimals(found.losses[place]), f"{found.lengths[place]:.4g}"]
        rows.append(cells if weight is None else [*cells, f"{weight.by_image[place]:+.4e}"])
    if len(found.images) > top:
        rest = found.worst[top:]
        cells = [f"{len(rest)} others, mean", "", "", decimals(found.losses[rest].mean()), f"{found.lengths[rest].mean():.4g}"]
        rows.append(cells if weight is None else [*cells, f"{weight.by_image[rest].mean():+.4e}"])
    cells = ["the batch", "", "", decimals(found.loss), f"{found.length:.4g}"]
    rows.append(cells if weight is None else [*cells, f"{weight.gradient:+.4e}"])
    return table(rows)


def name_of(numbers: Any, place: int, names: Sequence[str]) -> str:
    """A class by name, "-" where images have none."""
    return "-" if numbers is None else str(names[numbers[place]])


def about(weight: Weight) -> list[str]:
    """What the step did to a weight."""
    clipped = f", of which the optimizer took {weight.taken:+.6e}" if weight.taken != weight.gradient else ""
    moments = "; ".join(f"{old:.6g} -> {new:.6g}" for old, new in weight.states)
    return [
        f"{weight.name}: {weight.before:.8g} -> {weight.after:.8g}, a change of {weight.after - weight.before:+.6e}",
        f"its gradient is the sum over the images, {weight.gradient:+.6e}{clipped}",
        *([f"what the optimizer keeps of it: {moments}"] if moments else []),
    ]


def as_dict(found: Replay, names: Sequence[str]) -> dict[str, Any]:
    """The same for programs."""
    weight = found.weight
    images = [
        {
            "image": int(found.images[place]),
            "label": None if found.labels is None else name_of(found.labels, place, names),
            "said": None if found.predictions is None else name_of(found.predictions, place, names),
            "loss": float(found.losses[place]),
            "gradient_length": float(found.lengths[place]),
            **({} if weight is None else {"gradient": float(weight.by_image[place])}),
        }
        for place in range(len(found.images))
    ]
    about = (
        None
        if weight is None
        else {
            "weight": str(weight.name),
            "gradient": weight.gradient,
            "taken": weight.taken,
            "before": weight.before,
            "after": weight.after,
            "states": [list(pair) for pair in weight.states],
        }
    )
    return {
        "step": found.step,
        "epoch": found.epoch,
        "loss": found.loss,
        "loss_before": float(found.recent.mean()) if len(found.recent) else None,
        "optimizer": found.optimizer,
        "gradient_length": found.length,
        "clipping": found.clipping,
        "kept": {layer: float(mask.mean()) for layer, mask in found.masks.items()},
        "images": images,
        "why": about,
    }
