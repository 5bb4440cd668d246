"""What the networks learn: mean accuracy of several seeds on all 10,000 test digits, through ``jitcnn train``."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from bench.networks import NETWORKS, wanted
from bench.protocol import ROOT, Worker
from bench.report import table

DEFAULT = "default"
EPOCHS = 5
SEEDS = (1, 2, 3)
TITLE = "Accuracy"
HOW = (
    f"Accuracy on all 10,000 test digits, mean of {len(SEEDS)} seeds (in brackets the least and the most). The four networks: "
    f"{EPOCHS} epochs, batch 32; PyTorch with the same networks and data, its own initial weights. The default network: "
    "`jitcnn train` as it is. Each run starts with an empty cache, so that its seconds are those of a first run, compiling included."
)


def train(name: str, seed: int, threads: int) -> dict[str, Any]:
    """One run of the command as a user's first: its JSON, and the `wall` seconds of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        preset = [] if name == DEFAULT else ["--preset", name, "--epochs", str(EPOCHS), "--batch-size", "32"]
        command = [sys.executable, "-m", "jitcnn", "train", *preset, "--seed", str(seed), "--val-limit", "10000"]
        command += ["--threads", str(threads), "--out", str(Path(folder) / "model.json"), "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=os.environ | {"JITCNN_CACHE_DIR": folder}, capture_output=True, text=True)
        wall = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout) | {"wall": wall}


def run(ours: Worker, peers: Sequence[Worker], threads: int, only: Sequence[str] = ()) -> dict[str, Any]:
    """Measure: {name: {"jitcnn": accuracies by seed, "PyTorch": the same where there is a peer, "wall": seconds by seed}}."""
    results: dict[str, Any] = {}
    for name in (name for name in (*NETWORKS, DEFAULT) if wanted(name, only)):
        runs = [train(name, seed, threads) for seed in SEEDS]
        results[name] = {"jitcnn": [result["accuracy"] for result in runs], "wall": [result["wall"] for result in runs]}
        if peers and name != DEFAULT:
            settings = {"name": name, "images": ours.ask("images", name=name), "batch_size": 32, "epochs": EPOCHS}
            results[name]["PyTorch"] = [peers[0].ask("accuracy", seed=seed, **settings) for seed in SEEDS]
        print(f"{name}: {spread(results[name]['jitcnn'])}", flush=True)
    return results


def spread(accuracies: Sequence[float]) -> str:
    """Mean, least and most, in percent."""
    return f"{mean(accuracies):.2%} ({min(accuracies):.2%} to {max(accuracies):.2%})"


def page(results: dict[str, Any]) -> str:
    """One table."""
    rows = [
        [name, spread(result["jitcnn"]), spread(result["PyTorch"]) if "PyTorch" in result else "", f"{mean(result['wall']):.1f}"]
        for name, result in results.items()
    ]
    return table(["network", "jitcnn", "PyTorch", "seconds of a first run"], rows)
