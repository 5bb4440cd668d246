"""Convolution layers alone, the three passes of each, in GFLOP/s, beside PyTorch and the processor's peak."""

from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

from bench.clock import alternate, compare, geometric_mean
from bench.networks import wanted
from bench.protocol import Worker
from bench.report import number, table

PARTS = {"forward": "Forward", "grad_input": "Gradient of the input", "grad_weights": "Gradient of the weights"}
FIELDS = ("images", "height", "width", "channels", "filters", "kernel", "stride")
CASES = [
    (32, 28, 28, 1, 8, 3, 1),
    (32, 32, 32, 3, 32, 3, 1),
    (32, 26, 26, 8, 16, 3, 1),
    (32, 32, 32, 16, 32, 3, 1),
    (32, 28, 28, 32, 64, 5, 1),
    (32, 32, 32, 64, 64, 3, 1),
    (32, 16, 16, 64, 128, 3, 1),
    (32, 8, 8, 128, 256, 3, 1),
    (32, 28, 28, 64, 256, 1, 1),
    (32, 32, 32, 64, 128, 3, 2),
    (8, 112, 112, 3, 64, 7, 2),
    (16, 27, 29, 24, 40, 3, 1),
]
TITLE = "Convolution layers"
HOW = (
    "Each cell is one call, images x height x width, channels in -> channels out, kernel and stride, zeros around the image: the median of "
    "rounds in which jitcnn and PyTorch (NCHW and channels_last) took turns, on arrays that were already in place. Percent is of the "
    "multiply-and-add peak measured between the rounds. Ratio is jitcnn's speed over PyTorch's in its better layout."
)


def output_size(size: int, kernel: int, stride: int) -> int:
    """Rows or columns that come out, with kernel // 2 zeros on both sides."""
    return (size + 2 * (kernel // 2) - kernel) // stride + 1


def gigaflop(case: dict[str, int]) -> float:
    """What one pass multiplies and adds, zeros of the padding included, as is the custom."""
    pixels = (
        case["images"]
        * output_size(case["height"], case["kernel"], case["stride"])
        * output_size(case["width"], case["kernel"], case["stride"])
    )
    return 2e-9 * pixels * case["kernel"] ** 2 * case["channels"] * case["filters"]


def name(case: dict[str, int]) -> str:
    """How tables call a layer."""
    stride = f" /{case['stride']}" if case["stride"] > 1 else ""
    return "{images}x{height}x{width} {channels}->{filters} {kernel}x{kernel}".format(**case) + stride


def speed(worker: Worker, part: str, seconds: float, work: float) -> float:
    """GFLOP/s of the pass `part` of the layer that `worker` has prepared."""
    return work * worker.ask("convolution", part=part, seconds=seconds)


def run(ours: Worker, peers: Sequence[Worker], rounds: int, seconds: float, only: Sequence[str] = ()) -> dict[str, Any]:
    """Measure the layers, or `only` those whose names hold one of the words.

    Returns {"programs": names, "layers": {name: {pass: comparison}}, "geometric_mean": {pass: ratio}}.
    """
    workers = (ours, *peers)
    layers: dict[str, dict[str, Any]] = {}
    for values in CASES:
        case = dict(zip(FIELDS, values, strict=True))
        if not wanted(name(case), only):
            continue
        for worker in workers:
            worker.ask("prepare_convolution", case=case)
        layers[name(case)] = {}
        for part in PARTS:
            measure = {worker.name: partial(speed, worker, part, seconds, gigaflop(case)) for worker in workers}
            measured = alternate({"peak": partial(ours.ask, "peak"), **measure}, rounds)
            peak = median(measured.pop("peak"))
            compared = compare(measured, ours.name)
            layers[name(case)][part] = compared | {"peak": peak, "of_peak": compared["medians"][ours.name] / peak}
        speeds = ", ".join(f"{part} {number(compared['medians'][ours.name])}" for part, compared in layers[name(case)].items())
        print(f"{name(case)}: {speeds} GFLOP/s", flush=True)
    means = {}
    if peers and layers:
        means = {part: geometric_mean(layer[part]["ratio"] for layer in layers.values()) for part in PARTS}
    return {"programs": [worker.name for worker in workers], "layers": layers, "geometric_mean": means}


def page(results: dict[str, Any]) -> str:
    """One table a pass."""
    ours, *peers = results["programs"]
    sections = []
    for part, title in PARTS.items():
        rows = []
        for layer, parts in results["layers"].items():
            medians = parts[part]["medians"]
            row = [layer, number(medians[ours]), f"{parts[part]['of_peak']:.0%}", *(number(medians[peer]) for peer in peers)]
            rows.append([*row, f"{parts[part]['ratio']:.2f}"] if peers else row)
        header = ["layer", f"{ours} GFLOP/s", "of peak", *peers, *(["ratio"] if peers else [])]
        mean = results["geometric_mean"].get(part)
        note = f"\n\nGeometric mean of the ratios: {mean:.2f}." if mean else ""
        sections.append(f"## {title}\n\n{table(header, rows)}{note}")
    return "\n\n".join(sections)
