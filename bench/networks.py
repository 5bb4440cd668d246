"""Training throughput of the four networks, through the same door as a user: `CNN.train`, with its progress bars."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from bench.clock import alternate, compare, geometric_mean
from bench.protocol import Worker
from bench.report import number, table

NETWORKS = ("single-conv", "double-conv", "conv-pool", "deep")
TITLE = "Training throughput"
HOW = (
    "Images a second: images over wall time of a whole call of `CNN.train`, at least two seconds long, on a model that was trained before, "
    "without validation and with progress bars; PyTorch (fused Adam, images standardised beforehand) for about as long. They take turns "
    "within each round; medians of the rounds. Ratio is over PyTorch in its better layout; in brackets the smallest and largest of a round."
)


def wanted(name: str, only: Sequence[str]) -> bool:
    """Whether a name holds one of the words, or there are no words to choose by."""
    return not only or any(word in name for word in only)


def run(
    ours: Worker, peers: Sequence[Worker], rounds: int, seconds: float, only: Sequence[str] = (), batch_sizes: Sequence[int] = (32,)
) -> dict[str, Any]:
    """Measure: {"programs": names, "networks": {batch size: {name: comparison}}, "geometric_mean": {batch size: …}}."""
    workers = (ours, *peers)
    results: dict[str, Any] = {"programs": [worker.name for worker in workers], "networks": {}, "geometric_mean": {}}
    for batch_size in batch_sizes:
        measured = results["networks"][str(batch_size)] = {}
        for network in (name for name in NETWORKS if wanted(name, only)):
            images = ours.ask("images", name=network)
            for worker in workers:
                worker.ask("prepare_training", name=network, images=images, batch_size=batch_size, seconds=seconds)
            measured[network] = compare(alternate({worker.name: partial(worker.ask, "train") for worker in workers}, rounds), ours.name)
            speeds = ", ".join(f"{program} {number(speed)}" for program, speed in measured[network]["medians"].items())
            print(f"{network}, batch {batch_size}: {speeds}", flush=True)
        if peers and measured:
            results["geometric_mean"][str(batch_size)] = geometric_mean(comparison["ratio"] for comparison in measured.values())
    return results


def page(results: dict[str, Any]) -> str:
    """One table a batch size."""
    programs = results["programs"]
    sections = []
    for batch_size, networks in results["networks"].items():
        rows = []
        for network, comparison in networks.items():
            row = [network, *(number(comparison["medians"][program]) for program in programs)]
            if "ratio" in comparison:
                row.append("{ratio:.2f} ({ratio_least:.2f} to {ratio_most:.2f})".format(**comparison))
            rows.append(row)
        header = ["network", *programs, *(["ratio"] if len(programs) > 1 else [])]
        mean = results["geometric_mean"].get(batch_size)
        note = f"\n\nGeometric mean of the ratios: {mean:.2f}." if mean else ""
        sections.append(f"## Batch {batch_size}, images a second\n\n{table(header, rows)}{note}")
    return "\n\n".join(sections)
