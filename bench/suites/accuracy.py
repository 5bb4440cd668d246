"""What the networks learn: mean accuracy of several seeds on all 10,000 test digits, through ``jitcnn train``."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from bench.processes import run_process
from bench.session import Session
from jitcnn.measuring.networks import NETWORKS
from jitcnn.measuring.report import markdown, wanted

AS_IS = {"default": 3, "fast": 10}  # presets that are trained as `jitcnn train` does by itself -> how many seeds
EPOCHS = 5
SEEDS = 3
TITLE = "Accuracy"
HOW = (
    f"Accuracy on all 10,000 test digits, mean of {SEEDS} seeds, {AS_IS['fast']} of the preset `fast` (in brackets the least and the "
    f"most). The four networks: {EPOCHS} epochs, batch 32; PyTorch with the same networks and data, its own initial weights. The others: "
    "`jitcnn train` as it is. The first run starts with an empty cache, so that its seconds are those of a user's first run, compiling "
    "included; later ones find what it compiled."
)


def train(name: str, seed: int, threads: int, cache: str) -> dict[str, Any]:
    """One run of the command: its JSON, and the `wall` seconds of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [] if name in AS_IS else ["--epochs", str(EPOCHS), "--batch-size", "32"]
        command = [sys.executable, "-m", "jitcnn", "train", "--preset", name, *settings, "--seed", str(seed), "--val-limit", "10000"]
        command += ["--threads", str(threads), "--out", str(Path(folder) / "model.json"), "--json"]
        wall, printed = run_process(command, JITCNN_CACHE_DIR=cache)
    return json.loads(printed) | {"wall": wall}


def run(session: Session) -> dict[str, Any]:
    """Measure: {name: {"jitcnn": accuracies by seed, "PyTorch": the same where there is a peer, "wall": seconds by seed}}."""
    results: dict[str, Any] = {}
    for name in (name for name in (*NETWORKS, *AS_IS) if wanted(name, session.only)):
        seeds = range(1, 1 + (session.seeds or AS_IS.get(name, SEEDS)))
        with tempfile.TemporaryDirectory() as cache:
            runs = [train(name, seed, session.threads, cache) for seed in seeds]
        results[name] = {"jitcnn": [result["accuracy"] for result in runs], "wall": [result["wall"] for result in runs]}
        if session.torch and name not in AS_IS:
            peer = session.pytorch("NCHW")
            settings = {"name": name, "images": session.ours().ask("images", name=name), "batch_size": 32, "epochs": EPOCHS}
            results[name]["PyTorch"] = [peer.ask("accuracy", seed=seed, **settings) for seed in seeds]
        print(f"{name}: {spread(results[name]['jitcnn'])}", flush=True)
    return results


def spread(accuracies: Sequence[float]) -> str:
    """Mean, least and most, in percent."""
    return f"{mean(accuracies):.2%} ({min(accuracies):.2%} to {max(accuracies):.2%})"


def page(results: dict[str, Any]) -> str:
    """One table."""
    rows = []
    for name, result in results.items():
        first, *later = result["wall"]
        seconds = [f"{first:.1f}", f"{median(later):.1f}" if later else ""]
        rows.append([name, spread(result["jitcnn"]), spread(result["PyTorch"]) if "PyTorch" in result else "", *seconds])
    return markdown(["network", "jitcnn", "PyTorch", "seconds of a first run", "of a later one"], rows)
