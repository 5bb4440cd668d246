"""``python -m bench [SUITES…]``: measures, prints each table, and writes it under bench/results/."""

import argparse
import os
import sys
from contextlib import ExitStack, closing
from pathlib import Path

from bench import accuracy, kernels, networks, readme
from bench.machine import describe
from bench.protocol import ROOT, Worker
from bench.report import RESULTS, write

SUITES = ("kernels", "networks", "accuracy")
LAYOUTS = ("NCHW", "channels_last")


def arguments() -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"which of {', '.join(SUITES)}; all without a word")
    parser.add_argument("--torch", help="the Python that has PyTorch; without it jitcnn is measured alone")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of each program")
    parser.add_argument("--rounds", type=int, default=5, help="how often the programs take turns")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default: 2 for networks, 0.2 for kernels)")
    parser.add_argument("--only", nargs="*", default=(), metavar="WORD", help="networks and layers whose names hold one of these words")
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=(32,), help="of the suite networks")
    parser.add_argument("--results", type=Path, help="where the files go (default: bench/results, or runs/bench with --only)")
    chosen = parser.parse_args()
    if unknown := set(chosen.suites) - set(SUITES):
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    return chosen


def main() -> None:
    """Run the suites that were asked for."""
    chosen = arguments()
    machine = describe(chosen.threads)
    folder = chosen.results or (ROOT / "runs" / "bench" if chosen.only else RESULTS)
    with ExitStack() as stack:
        ours = stack.enter_context(closing(Worker("jitcnn", sys.executable, "bench.ours", chosen.threads)))
        layouts = LAYOUTS if chosen.torch else ()
        peers = [
            stack.enter_context(closing(Worker(f"PyTorch {layout}", chosen.torch, "bench.peers", chosen.threads, layout=layout)))
            for layout in layouts
        ]
        machine["measured"] = ", ".join(dict.fromkeys(worker.ask("version") for worker in (ours, *peers)))
        for suite in chosen.suites or SUITES:
            if suite == "kernels":
                results = kernels.run(ours, peers, chosen.rounds, chosen.seconds or 0.2, chosen.only)
                write(suite, kernels.TITLE, kernels.HOW, kernels.page(results), machine, results, folder)
            elif suite == "networks":
                results = networks.run(ours, peers, chosen.rounds, chosen.seconds or 2.2, chosen.only, chosen.batch_sizes)
                write(suite, networks.TITLE, networks.HOW, networks.page(results), machine, results, folder)
            else:
                results = accuracy.run(ours, peers, chosen.threads, chosen.only)
                write(suite, accuracy.TITLE, accuracy.HOW, accuracy.page(results), machine, results, folder)
    if folder == RESULTS:
        readme.update()


if __name__ == "__main__":
    main()
