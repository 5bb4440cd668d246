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
    "without validation and with progress bars; PyTorch (fused Adam, images standardised beforehand) for the same number of epochs' worth "
    "of time. They take turns within each round; medians of the rounds. Ratio is over PyTorch in its better layout, with the smallest and "
    "largest ratio of a round behind it."
)


def run(
    ours: Worker, peers: Sequence[Worker], rounds: int, seconds: float, only: Sequence[str] = (), batch_sizes: Sequence[int] = (32,)
) -> dict[str, Any]:
    """Measure: {"networks": {batch size: {name: comparison}}, "geometric_mean": {batch size: …}}."""
    results: dict[str, Any] = {"networks": {}, "geometric_mean": {}}
    workers = (ours, *peers)
    for batch_size in batch_sizes:
        measured = results["networks"][str(batch_size)] = {}
        for network in only or NETWORKS:
            images = ours.ask("images", name=network)
            for worker in workers:
                worker.ask("prepare_training", name=network, images=images, batch_size=batch_size, seconds=seconds)
            measured[network] = compare(alternate({worker.name: partial(worker.ask, "train") for worker in workers}, rounds), ours.name)
            print(
                f"{network}, batch {batch_size}: " + ", ".join(f"{n} {number(v)}" for n, v in measured[network]["medians"].items()),
                flush=True,
            )
        if peers:
            results["geometric_mean"][str(batch_size)] = geometric_mean(comparison["ratio"] for comparison in measured.values())
    return results


def page(results: dict[str, Any], ours: str) -> str:
    """One table a batch size."""
    sections = []
    for batch_size, networks in results["networks"].items():
        peers = [peer for peer in next(iter(networks.values()))["medians"] if peer != ours]
        rows = []
        for network, comparison in networks.items():
            row = [network, *(number(comparison["medians"][name]) for name in (ours, *peers))]
            if peers:
                row.append("{ratio:.2f} ({ratio_least:.2f} to {ratio_most:.2f})".format(**comparison))
            rows.append(row)
        mean = f"\n\nGeometric mean of the ratios: {results['geometric_mean'][batch_size]:.2f}." if peers else ""
        header = ["network", ours, *peers, *(["ratio"] if peers else [])]
        sections.append(f"## Batch {batch_size}, images a second\n\n{table(header, rows)}{mean}")
    return "\n\n".join(sections)
