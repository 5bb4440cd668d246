"""Training throughput of networks, through the same door as a user: `CNN.train`, with its progress bars."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Any

from jitcnn.measuring.clock import alternate, compare, geometric_mean
from jitcnn.measuring.report import Table, number, times, wanted

NETWORKS = ("single-conv", "double-conv", "conv-pool", "deep")
BATCH_SIZES = (1, 32, 256, 1024)
SECONDS = 0.4
PEAK = "peak"
LEAST_BATCHES, MOST_STEPS = 10, 1000  # in an epoch: of large batches and of small ones
TITLE = "Training throughput"
HOW = (
    "Images a second: images over wall time of a whole call of `CNN.train`, several epochs long, on a model that was trained before, "
    "without validation and with progress bars; PyTorch (fused Adam, images standardised beforehand) for about as long. They take turns "
    "within each round; medians of the rounds. GFLOP/s counts what the layers multiply and add, forward and for their gradients; percent "
    "is of the peak measured between the rounds. Ratio is over the best other program, PyTorch's layouts being two; in brackets the "
    "smallest and largest of a round."
)


def epoch_size(limit: int, batch_size: int) -> int:
    """Images of an epoch: as many as the preset trains on, but neither less than ten batches nor more than a thousand steps."""
    return min(max(limit, LEAST_BATCHES * batch_size), MOST_STEPS * batch_size)


def run(
    ours: Any,
    peers: Sequence[Any],
    rounds: int,
    seconds: float = SECONDS,
    only: Sequence[str] = (),
    batch_sizes: Sequence[int] = BATCH_SIZES,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure: {"programs": names, "networks": {batch size: {name: comparison}}, "geometric_mean": {batch size: ratio}}."""
    programs = (ours, *peers)
    results: dict[str, Any] = {"programs": [program.name for program in programs], "networks": {}, "geometric_mean": {}}
    for batch_size in batch_sizes:
        measured = results["networks"][str(batch_size)] = {}
        for network in (name for name in NETWORKS if wanted(name, only)):
            images = epoch_size(ours.ask("images", name=network), batch_size)
            measured[network] = measure(programs, rounds, name=network, images=images, batch_size=batch_size, seconds=seconds)
            speeds = ", ".join(f"{program} {number(speed)}" for program, speed in measured[network]["medians"].items())
            say(f"{network}, batch {batch_size}: {speeds} images/s")
        if peers and measured:
            results["geometric_mean"][str(batch_size)] = geometric_mean(comparison["ratio"] for comparison in measured.values())
    return results


def measure(programs: Sequence[Any], rounds: int, **training: Any) -> dict[str, Any]:
    """Images a second of one network in all programs, compared; `training` is what `prepare_training` takes."""
    for program in programs:
        program.ask("prepare_training", **training)
    ours = programs[0]
    values = alternate({PEAK: partial(ours.ask, "peak"), **{program.name: partial(program.ask, "train") for program in programs}}, rounds)
    peak = median(values.pop(PEAK))
    result = compare(values, ours.name)
    gigaflops = result["medians"][ours.name] * ours.ask("work", name=training["name"])
    return result | {"gigaflops": gigaflops, "peak": peak, "of_peak": gigaflops / peak}


def tables(results: Mapping[str, Any]) -> list[Table]:
    """One table: a network's batch sizes below each other, so that they read as a curve."""
    programs, measured = results["programs"], results["networks"]
    rows = []
    for network in NETWORKS:
        for batch_size in (size for size in measured if network in measured[size]):
            comparison = measured[batch_size][network]
            ours, *peers = (number(comparison["medians"][program]) for program in programs)
            row = [network, batch_size, ours, number(comparison["gigaflops"]), f"{comparison['of_peak']:.0%}", *peers]
            rows.append([*row, times(comparison)] if len(programs) > 1 else row)
    if not rows:
        return []
    header = ["network", "batch", programs[0], "GFLOP/s", "of peak", *programs[1:], *(["ratio"] if len(programs) > 1 else [])]
    means = ", ".join(f"{mean:.2f} at batch {batch_size}" for batch_size, mean in results["geometric_mean"].items())
    return [Table("Images a second", header, rows, f"Geometric means of the ratios: {means}." if means else "")]
