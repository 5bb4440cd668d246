"""Layers alone, each pass of each, beside the processor's peak and, where there are any, other programs."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

from jitcnn.measuring.cases import CASES, PASSES, Case
from jitcnn.measuring.clock import alternate, compare, geometric_mean
from jitcnn.measuring.report import Table, number, wanted

KINDS = {"conv": ("Convolution", "GFLOP/s"), "dense": ("Dense layer", "GFLOP/s"), "pool": ("Pooling", "10^9 inputs/s")}
PEAK, WINOGRAD = "peak", "winograd"
SECONDS = 0.06
TITLE = "Layers"
HOW = (
    "Each cell is one call of a function of `jitcnn.kernels` on arrays that are there already, `out=` included, in float32, at multiples "
    "of 64 bytes as PyTorch's tensors; the shapes "
    "of images and weights, / stride, with zeros around the image: the median of rounds in which the programs took turns. "
    "Percent is of the peak measured between the rounds: the register tile on numbers in the first-level cache, on all threads. Ratio is "
    "jitcnn's speed over that of the best other program; PyTorch's layouts are two programs. Winograd's speed counts the multiplications "
    "and additions of the direct sum; its error is the largest over the largest value, against the direct sum in float64."
)


def run(
    ours: Any,
    peers: Sequence[Any],
    rounds: int,
    seconds: float = SECONDS,
    only: Sequence[str] = (),
    cases: Sequence[Case] = CASES,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure the cases, or `only` those whose names hold one of the words.

    Returns
    -------
    dict
        `programs`: names; `peak`: GFLOP/s on one thread and on all; `layers`: {kind: {name: {pass: comparison}}}, where a comparison also
        holds `peak`, `of_peak` (not of pooling) and perhaps `winograd`; `summary`: {pass: geometric mean and least of the ratios}.
    """
    results: dict[str, Any] = {"programs": [program.name for program in (ours, *peers)], "layers": {}}
    for case in (case for case in cases if wanted(case.name, only)):
        for program in (ours, *peers):
            program.ask("prepare_layer", case=list(case))
        passes = {part: measure(ours, peers, case, part, rounds, seconds) for part in case.passes}
        results["layers"].setdefault(case.kind, {})[case.name] = passes
        speeds = ", ".join(f"{PASSES[part]} {number(found['medians'][ours.name])}" for part, found in passes.items())
        say(f"{case.name}: {speeds} {KINDS[case.kind][1]}")
    results["peak"] = {"one thread": ours.ask("peak", threads=1), "all threads": ours.ask("peak")}
    results["summary"] = summarize(results["layers"].get("conv", {})) if peers else {}
    return results


def measure(ours: Any, peers: Sequence[Any], case: Case, part: str, rounds: int, seconds: float) -> dict[str, Any]:
    """One pass of the layer that the programs have prepared."""

    def speed(program: Any, **settings: Any) -> float:
        return case.work * program.ask("layer", part=part, seconds=seconds, **settings)

    calls = {PEAK: partial(ours.ask, "peak"), **{program.name: partial(speed, program) for program in (ours, *peers)}}
    if case.suits_winograd:
        calls[WINOGRAD] = partial(speed, ours, algorithm=WINOGRAD)
    values = alternate(calls, rounds)
    peak, winograd = median(values.pop(PEAK)), values.pop(WINOGRAD, None)
    result = compare(values, ours.name)
    if case.kind != "pool":
        result |= {"peak": peak, "of_peak": result["medians"][ours.name] / peak}
    if winograd is not None:
        found = {"median": median(winograd), "measurements": winograd, "error": ours.ask("error", part=part, algorithm=WINOGRAD)}
        ratio = {"ratio": found["median"] / result["medians"][result["best_peer"]]} if peers else {}
        result[WINOGRAD] = found | ratio | {"many_channels": case.has_many_channels}
    return result


def summarize(layers: dict[str, Any]) -> dict[str, Any]:
    """Of the convolutions' ratios: by pass the geometric mean and the least, directly and, with many channels, with Winograd."""
    summary: dict[str, Any] = {}
    for part in PASSES:
        winograd = [layer[part][WINOGRAD] for layer in layers.values() if WINOGRAD in layer[part]]
        compared = {"direct": [layer[part] for layer in layers.values()], WINOGRAD: [one for one in winograd if one["many_channels"]]}
        for algorithm, found in compared.items():
            ratios = [one["ratio"] for one in found]
            if ratios:
                summary.setdefault(part, {})[algorithm] = {"geometric_mean": geometric_mean(ratios), "least": min(ratios)}
    return summary


def tables(results: dict[str, Any]) -> list[Table]:
    """One table a kind of layer and pass."""
    ours, *peers = results["programs"]
    found = []
    for kind, (title, unit) in KINDS.items():
        layers = results["layers"].get(kind, {})
        for part in (part for part in PASSES if any(part in layer for layer in layers.values())):
            with_winograd = any(WINOGRAD in layer[part] for layer in layers.values())
            rows = [[name, *_cells(layer[part], ours, peers, kind, with_winograd)] for name, layer in layers.items()]
            header = ["layer", f"{ours} {unit}", *(["of peak"] if kind != "pool" else []), *peers, *(["ratio"] if peers else [])]
            if with_winograd:
                header += ["Winograd", *(["ratio"] if peers else []), "error"]
            found.append(Table(f"{title}, {PASSES[part]}", header, rows, _note(results["summary"].get(part), kind)))
    peak = ", ".join(f"{number(value)} on {threads}" for threads, value in results["peak"].items())
    return [*found[:-1], found[-1]._replace(note=f"{found[-1].note}\n\nPeak, GFLOP/s: {peak}.".strip())] if found else []


def _cells(compared: dict[str, Any], ours: str, peers: Sequence[str], kind: str, with_winograd: bool) -> list[str]:
    medians = compared["medians"]
    cells = [number(medians[ours]), *([f"{compared['of_peak']:.0%}"] if kind != "pool" else []), *(number(medians[peer]) for peer in peers)]
    cells += [f"{compared['ratio']:.2f}"] if peers else []
    if with_winograd and WINOGRAD in compared:
        winograd = compared[WINOGRAD]
        cells += [number(winograd["median"]), *([f"{winograd['ratio']:.2f}"] if peers else []), f"{winograd['error']:.1e}"]
    elif with_winograd:
        cells += [""] * (3 if peers else 2)
    return cells


def _note(summary: dict[str, Any] | None, kind: str) -> str:
    if kind != "conv" or not summary:
        return ""
    words = [f"{name}: geometric mean {ratios['geometric_mean']:.2f}, least {ratios['least']:.2f}" for name, ratios in summary.items()]
    return f"Ratios, {'; '.join(words)}."
