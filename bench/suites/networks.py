"""Training throughput: `jitcnn.measuring.networks` beside PyTorch and Keras, and an epoch of the preset `fast` over all digits."""

from statistics import median
from typing import Any

from bench.session import Session
from jitcnn.measuring import networks
from jitcnn.measuring.clock import compare
from jitcnn.measuring.report import Table, number, times, wanted

TITLE = networks.TITLE
HOW = networks.HOW + (
    " An epoch of the preset `fast`: all 60,000 digits, batch 256, Adam with betas 0.7 and 0.9 and the one-cycle schedule in both programs."
)
ROUNDS = 5
FAST, DIGITS, FAST_BATCH = "fast", 60_000, 256


def run(session: Session) -> dict[str, Any]:
    """Measure: what `jitcnn.measuring.networks.run` returns, and `epoch`, seconds of the preset `fast`."""
    ours, peers = session.ours(), session.pytorches()
    if session.keras:
        peers.append(session.worker("Keras", session.keras, "bench.peers.keras"))
    rounds, seconds = session.rounds or ROUNDS, session.seconds or networks.SECONDS
    results = networks.run(ours, peers, rounds, seconds, session.only, session.batch_sizes or networks.BATCH_SIZES)
    if wanted(FAST, session.only):
        programs = [program for program in (ours, *peers) if program.name != "Keras"]
        measured = networks.measure(programs, rounds, name=FAST, images=DIGITS, batch_size=FAST_BATCH, seconds=0)
        seconds_of = {name: [DIGITS / speed for speed in speeds] for name, speeds in measured["measurements"].items()}
        results["epoch"] = compare(seconds_of, ours.name, most=False)
        print(f"an epoch of {FAST}: " + ", ".join(f"{name} {median(values):.2f} s" for name, values in seconds_of.items()), flush=True)
    return results


def page(results: dict[str, Any]) -> str:
    """The networks' table, and the epoch's."""
    tables = networks.tables(results)
    if "epoch" in results:
        medians = results["epoch"]["medians"]
        row = [FAST, *(number(value) for value in medians.values()), times(results["epoch"])]
        tables.append(Table("Seconds an epoch", ["network", *medians, "ratio"], [row]))
    return "\n\n".join(table.markdown() for table in tables)
