"""Prediction: of one image after the other (latency) and of 256 at once (throughput), beside onnxruntime with the same weights."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from bench.session import Session
from jitcnn.measuring.clock import alternate, compare, geometric_mean
from jitcnn.measuring.networks import NETWORKS
from jitcnn.measuring.report import Table, number, times, wanted

ROUNDS, SECONDS, IMAGES = 7, 0.2, 256
CLOSE = 1e-4  # at most between two probabilities
KINDS = {"latency": "one image after the other, predictions a second", "throughput": f"{IMAGES} at once, images a second"}
TITLE = "Prediction"
HOW = (
    f"`model.predict` with one test image a call, and with {IMAGES}; medians of rounds in which the programs took turns. onnxruntime runs "
    "the same layers with the same weights, built into an ONNX model, on images that were standardised before; jitcnn standardises within "
    f"the call. Both give the same probabilities within {CLOSE}. More is better; ratio is jitcnn's speed over onnxruntime's."
)


def run(session: Session) -> dict[str, Any]:
    """Measure: {"programs": names, "latency" and "throughput": {network: comparison}, "difference": {network: largest}}."""
    ours = session.ours()
    peers = []
    if session.onnx:
        peers.append(session.worker("onnxruntime", session.onnx, "bench.peers.onnx_runtime"))
    programs = (ours, *peers)
    results: dict[str, Any] = {"programs": [program.name for program in programs], "difference": {}, **{kind: {} for kind in KINDS}}
    for network in (name for name in (*NETWORKS, "fast") if wanted(name, session.only)):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.npz")
            for program in programs:
                program.ask("prepare_prediction", path=path, images=IMAGES, **({"name": network} if program is ours else {}))
        if peers:
            results["difference"][network] = difference(*(program.ask("probabilities") for program in programs))
        for kind in KINDS:
            measure = {program.name: partial(program.ask, kind, seconds=session.seconds or SECONDS) for program in programs}
            results[kind][network] = compare(alternate(measure, session.rounds or ROUNDS), ours.name)
            speeds = ", ".join(f"{program} {number(speed)}" for program, speed in results[kind][network]["medians"].items())
            print(f"{network}, {KINDS[kind]}: {speeds}", flush=True)
    return results


def difference(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """The largest between two probabilities.

    Raises
    ------
    ValueError
        If it is so large that the two programs cannot be the same network.
    """
    differences = [abs(a - b) for row, other in zip(ours, theirs, strict=True) for a, b in zip(row, other, strict=True)]
    if apart := [value for value in differences if not value <= CLOSE]:
        raise ValueError(f"the programs' probabilities differ by {apart[0]}, expected at most {CLOSE}: they do not run the same network")
    return max(differences)


def page(results: dict[str, Any]) -> str:
    """A table each of latency and throughput."""
    programs = results["programs"]
    tables = []
    for kind, title in KINDS.items():
        compared = results[kind]
        rows = [[name, *(number(one["medians"][program]) for program in programs), times(one)] for name, one in compared.items()]
        ratios = [one["ratio"] for one in compared.values() if "ratio" in one]
        note = f"Geometric mean of the ratios: {geometric_mean(ratios):.2f}." if ratios else ""
        tables.append(Table(title[0].upper() + title[1:], ["network", *programs, "ratio"], rows, note))
    return "\n\n".join(table.markdown() for table in tables)
