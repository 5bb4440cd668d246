"""``python -m bench [SUITES…]``: measures, prints each table, and writes it under bench/results/."""

import argparse
import importlib
import os
from pathlib import Path

from bench import readme
from bench.report import RESULTS, ROOT, commit, write
from bench.session import Session
from jitcnn.measuring.machine import describe

SUITES = {
    "kernels": "kernels",
    "networks": "networks",
    "inference": "inference",
    "start-up": "startup",
    "memory": "memory",
    "threads": "threads",
    "disturbed": "disturbed",
    "growth": "growth",
    "accuracy": "accuracy",
}


def arguments() -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"which of {', '.join(SUITES)}; all without a word")
    parser.add_argument("--torch", metavar="PYTHON", help="the Python that has PyTorch; without it jitcnn is measured alone")
    parser.add_argument("--ort", metavar="PYTHON", help="the Python that has onnxruntime and onnx, the peer of the suite inference")
    parser.add_argument("--keras", metavar="PYTHON", help="a Python that has Keras and what it computes with, one more peer of networks")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of each program")
    parser.add_argument("--rounds", type=int, help="how often the programs take turns (default: what suits the suite, 3 to 7)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default: what suits the suite, 0.05 to 0.5)")
    parser.add_argument("--only", nargs="*", default=(), metavar="WORD", help="networks and layers whose names hold one of these words")
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=(), help="of the suite networks (default: 1 32 256 1024)")
    parser.add_argument("--seeds", type=int, help="of the suite accuracy (default: 3, 10 of the preset fast)")
    parser.add_argument("--results", type=Path, help="where the files go (default: bench/results, or runs/bench with --only)")
    chosen = parser.parse_args()
    if unknown := set(chosen.suites) - set(SUITES):
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    return chosen


def main() -> None:
    """Run the suites that were asked for."""
    chosen = arguments()
    session = Session(
        folder=chosen.results or (ROOT / "runs" / "bench" if chosen.only else RESULTS),
        torch=chosen.torch,
        onnx=chosen.ort,
        keras=chosen.keras,
        threads=chosen.threads,
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        only=tuple(chosen.only),
        batch_sizes=tuple(chosen.batch_sizes),
        seeds=chosen.seeds,
    )
    with session:
        for name in chosen.suites or SUITES:
            suite = importlib.import_module(f"bench.suites.{SUITES[name]}")
            machine = describe(session.threads) | {"sources": commit()}
            results = suite.run(session)
            machine["measured"] = session.versions()
            write(name, suite.TITLE, suite.HOW, suite.page(results), machine, results, session.folder)
    if session.folder == RESULTS:
        readme.update()


if __name__ == "__main__":
    main()
