"""What further threads bring: networks and large layers on one and on all."""

from functools import partial
from statistics import median
from typing import Any

from bench.session import Session
from jitcnn.measuring.cases import CASES, PASSES
from jitcnn.measuring.clock import alternate
from jitcnn.measuring.networks import NETWORKS, epoch_size
from jitcnn.measuring.report import Table, number, wanted

ROUNDS, SECONDS, LAYER_SECONDS, LAYOUT = 3, 0.3, 0.06, "channels_last"
BATCH_SIZES = (1, 32)
LARGE = 1.0  # GFLOP of a layer's pass
TITLE = "Threads"
HOW = (
    "Training throughput (as in the suite networks) and passes of large convolutions (as in the suite kernels), on one thread and on all, "
    "in processes of their own that took turns; medians of the rounds, and how many times faster all threads are than one. PyTorch with "
    "channels_last."
)


def run(session: Session) -> dict[str, Any]:
    """Measure: {"threads": all, "networks" and "layers": {name: {program: {"one", "all", "gain"}}}}.

    Raises
    ------
    ValueError
        With one thread.
    """
    if session.threads < 2:
        raise ValueError("the suite threads compares one thread with all: give --threads 2 or more")
    programs = {}
    for count in (1, session.threads):
        programs["jitcnn", count] = session.ours(count)
        if session.torch:
            programs["PyTorch", count] = session.pytorch(LAYOUT, count)
    rounds = session.rounds or ROUNDS
    results: dict[str, Any] = {"threads": session.threads, "networks": {}, "layers": {}}
    for network in (name for name in NETWORKS if wanted(name, session.only)):
        for batch_size in session.batch_sizes or BATCH_SIZES:
            images = epoch_size(programs["jitcnn", 1].ask("images", name=network), batch_size)
            for program in programs.values():
                seconds = session.seconds or SECONDS
                program.ask("prepare_training", name=network, images=images, batch_size=batch_size, seconds=seconds)
            calls = {key: partial(program.ask, "train") for key, program in programs.items()}
            keep(results["networks"], f"{network}, batch {batch_size}", alternate(calls, rounds))
    for case in (case for case in CASES if case.kind == "conv" and case.work > LARGE and wanted(case.name, session.only)):
        for program in programs.values():
            program.ask("prepare_layer", case=list(case))
        for part in case.passes:
            seconds = session.seconds or LAYER_SECONDS
            calls = {key: partial(program.ask, "layer", part=part, seconds=seconds) for key, program in programs.items()}
            speeds = {key: [case.work * speed for speed in series] for key, series in alternate(calls, rounds).items()}
            keep(results["layers"], f"{case.name}, {PASSES[part]}", speeds)
    return results


def keep(results: dict[str, Any], name: str, values: dict[tuple[str, int], list[float]]) -> None:
    """Store the medians of each program, and how many times faster all threads are."""
    found: dict[str, Any] = {}
    for (program, count), series in values.items():
        found.setdefault(program, {})["one" if count == 1 else "all"] = median(series)
    for speeds in found.values():
        speeds["gain"] = speeds["all"] / speeds["one"]
    results[name] = found
    print(f"{name}: " + ", ".join(f"{program} {speeds['gain']:.2f}x" for program, speeds in found.items()), flush=True)


def page(results: dict[str, Any]) -> str:
    """A table of the networks and one of the layers."""
    tables = []
    for kind, title in {"networks": "Networks, images a second", "layers": "Layers, GFLOP/s"}.items():
        measured = results[kind]
        programs = list(next(iter(measured.values()), {}))
        header = ["what"]
        for program in programs:
            header += [f"{program}, 1 thread", f"{results['threads']} threads", "gain"]
        rows = []
        for name, found in measured.items():
            cells = ([number(speeds["one"]), number(speeds["all"]), f"{speeds['gain']:.2f}"] for speeds in found.values())
            rows.append([name, *(cell for group in cells for cell in group)])
        if rows:
            least = min(found["jitcnn"]["gain"] for found in measured.values())
            tables.append(Table(title, header, rows, f"Least gain of jitcnn: {least:.2f}."))
    return "\n\n".join(table.markdown() for table in tables)
